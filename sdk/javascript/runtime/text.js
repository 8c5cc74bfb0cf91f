/** TextEncoder and TextDecoder for UTF-8. Source: https://encoding.spec.whatwg.org/ */

const CHUNK = 8_192;

export class TextEncoder {
  get encoding() {
    return "utf-8";
  }

  encode(text = "") {
    const plain = unescape(encodeURIComponent(String(text).toWellFormed()));
    const bytes = new Uint8Array(plain.length);
    for (let at = 0; at < plain.length; at++) bytes[at] = plain.charCodeAt(at);
    return bytes;
  }
}

export class TextDecoder {
  #fatal;
  #keepsMark;

  constructor(label = "utf-8", { fatal = false, ignoreBOM = false } = {}) {
    if (!/^(utf-?8|unicode-1-1-utf-8)$/i.test(label.trim())) {
      throw new RangeError(`only UTF-8 is decoded here, not ${label}`);
    }
    this.#fatal = fatal;
    this.#keepsMark = ignoreBOM;
  }

  get encoding() {
    return "utf-8";
  }

  decode(source = new Uint8Array()) {
    const bytes = ArrayBuffer.isView(source)
      ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
      : new Uint8Array(source);
    const parts = [];
    let units = [];
    for (let at = 0; at < bytes.length; ) {
      const [point, length] = pointAt(bytes, at);
      if (point < 0 && this.#fatal) throw new TypeError("the bytes are not UTF-8");
      at += length;
      units.push(point < 0 ? 0xfffd : point);
      if (units.length === CHUNK) {
        parts.push(String.fromCodePoint(...units));
        units = [];
      }
    }
    const text = parts.join("") + String.fromCodePoint(...units);
    return !this.#keepsMark && text[0] === "\ufeff" ? text.slice(1) : text;
  }
}

/** The code point at a place and how many bytes it takes; -1 for a part of none. */
function pointAt(bytes, at) {
  const first = bytes[at];
  if (first < 0x80) return [first, 1];
  const more = first >= 0xc2 && first < 0xe0 ? 1 : (first & 0xf0) === 0xe0 ? 2 : 3;
  if (first < 0xc2 || first > 0xf4) return [-1, 1];
  let point = first & (0x3f >> more);
  for (let step = 1; step <= more; step++) {
    const byte = bytes[at + step];
    const [low, high] = step === 1 ? second(first) : [0x80, 0xbf];
    if (byte === undefined || byte < low || byte > high) return [-1, step];
    point = (point << 6) | (byte & 0x3f);
  }
  return [point, more + 1];
}

/** What may follow the first byte: no surrogates, nothing overlong, nothing over U+10FFFF. */
function second(first) {
  if (first === 0xe0) return [0xa0, 0xbf];
  if (first === 0xed) return [0x80, 0x9f];
  if (first === 0xf0) return [0x90, 0xbf];
  return first === 0xf4 ? [0x80, 0x8f] : [0x80, 0xbf];
}
