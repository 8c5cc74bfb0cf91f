/**
 * Values as the JSON that crosses: a Uint8Array is `{"$bytes": "<base64>"}`, an integer that a number
 * cannot hold is a BigInt.
 */

const BYTES = "$bytes";
const LONG = /"(?:[^"\\]|\\.)*"|-?\d{16,}(?![\d.eE])/g;
const CHUNK = 8_192;

/** The value of a JSON text. */
export function decode(text) {
  const long = /\d{16}/.test(text);
  if (!long && !text.includes(BYTES)) return JSON.parse(text);
  return JSON.parse(long ? text.replace(LONG, keep) : text, revive);
}

function keep(token) {
  return token[0] === '"' || Number.isSafeInteger(Number(token)) ? token : `{"$int":"${token}"}`;
}

function revive(_, value) {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
  const keys = Object.keys(value);
  if (keys.length !== 1 || typeof value[keys[0]] !== "string") return value;
  if (keys[0] === BYTES) return toBytes(value[BYTES]);
  return keys[0] === "$int" ? BigInt(value.$int) : value;
}

/** The JSON text of a value; `undefined` is null. Throws for what JSON cannot say. */
export function encode(value) {
  let mark;
  const replace = (_, item) => {
    if (typeof item === "bigint") {
      mark ??= `int${Math.random()}:`;
      return mark + item;
    }
    if (item instanceof Uint8Array) return { [BYTES]: toBase64(item) };
    if (item instanceof ArrayBuffer) return { [BYTES]: toBase64(new Uint8Array(item)) };
    return item;
  };
  const text = JSON.stringify(value === undefined ? null : value, replace) ?? "null";
  return mark ? text.replace(new RegExp(`"${mark}(-?\\d+)"`, "g"), "$1") : text;
}

/** The bytes of a base64 text. */
export function toBytes(text) {
  const plain = atob(text);
  const bytes = new Uint8Array(plain.length);
  for (let at = 0; at < plain.length; at++) bytes[at] = plain.charCodeAt(at);
  return bytes;
}

/** The base64 text of bytes. */
export function toBase64(bytes) {
  const parts = [];
  for (let at = 0; at < bytes.length; at += CHUNK) {
    parts.push(String.fromCharCode.apply(null, bytes.subarray(at, at + CHUNK)));
  }
  return btoa(parts.join(""));
}
