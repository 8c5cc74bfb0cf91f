/** The letters of a domain's label beyond ASCII. Source: RFC 3492 */

const BASE = 36;
const T_MIN = 1;
const T_MAX = 26;
const SKEW = 38;
const DAMP = 700;
const FIRST_BIAS = 72;
const FIRST_POINT = 128;
const POINT_MAX = 0x10ffff;

/** A label without its `xn--`. */
export function encode(label) {
  const points = Array.from(label, (character) => character.codePointAt(0));
  let output = points.filter((point) => point < FIRST_POINT).map(toCharacter).join("");
  const basic = output.length;
  if (basic > 0) output += "-";
  let [point, delta, bias, done] = [FIRST_POINT, 0, FIRST_BIAS, basic];
  while (done < points.length) {
    const least = Math.min(...points.filter((each) => each >= point));
    delta += (least - point) * (done + 1);
    point = least;
    for (const each of points) {
      if (each < point) delta += 1;
      if (each !== point) continue;
      output += digits(delta, bias);
      bias = adapt(delta, done + 1, done === basic);
      delta = 0;
      done += 1;
    }
    delta += 1;
    point += 1;
  }
  return output;
}

/** What `encode` was given; null for what it cannot have made. */
export function decode(text) {
  const cut = Math.max(0, text.lastIndexOf("-"));
  const points = Array.from(text.slice(0, cut), (character) => character.codePointAt(0));
  let [point, place, bias] = [FIRST_POINT, 0, FIRST_BIAS];
  for (let at = cut > 0 ? cut + 1 : 0; at < text.length; ) {
    const before = place;
    for (let [weight, k] = [1, BASE]; ; k += BASE) {
      const digit = /[a-z0-9]/.test(text[at] ?? "") ? Number.parseInt(text[at], BASE) : -1;
      if (digit < 0) return null;
      at += 1;
      // Letters come before figures here.
      const value = digit < 10 ? digit + 26 : digit - 10;
      place += value * weight;
      if (place > Number.MAX_SAFE_INTEGER) return null;
      const limit = threshold(k, bias);
      if (value < limit) break;
      weight *= BASE - limit;
    }
    const count = points.length + 1;
    bias = adapt(place - before, count, before === 0);
    point += Math.floor(place / count);
    place %= count;
    if (point > POINT_MAX) return null;
    points.splice(place, 0, point);
    place += 1;
  }
  return points.map((each) => String.fromCodePoint(each)).join("");
}

const toCharacter = (point) => String.fromCharCode(point);
const toDigit = (value) => (value < 26 ? toCharacter(value + 0x61) : toCharacter(value + 0x16));
const threshold = (k, bias) => Math.min(T_MAX, Math.max(T_MIN, k - bias));

function digits(delta, bias) {
  let output = "";
  let left = delta;
  for (let k = BASE; ; k += BASE) {
    const limit = threshold(k, bias);
    if (left < limit) return output + toDigit(left);
    output += toDigit(limit + ((left - limit) % (BASE - limit)));
    left = Math.floor((left - limit) / (BASE - limit));
  }
}

function adapt(delta, count, first) {
  let left = Math.floor(delta / (first ? DAMP : 2));
  left += Math.floor(left / count);
  let k = 0;
  for (; left > ((BASE - T_MIN) * T_MAX) / 2; k += BASE) left = Math.floor(left / (BASE - T_MIN));
  return k + Math.floor(((BASE - T_MIN + 1) * left) / (left + SKEW));
}
