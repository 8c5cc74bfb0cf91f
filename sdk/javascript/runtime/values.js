/**
 * Values as the JSON that crosses: a Uint8Array is `{"$bytes": "<base64>"}`, an integer that a number
 * cannot hold is a BigInt.
 */

const BYTES = "$bytes";
const LONG_DIGITS = 16;
const LONG = /"(?:[^"\\]|\\.)*"|-?\d{16,}(?![\d.eE])/g;
const CHUNK = 8_192;

/** The value of a JSON text. The host has looked already at one that begins with a space. */
export function decode(text) {
  if (text[0] === " ") return JSON.parse(text);
  const long = holdsLong(text);
  if (!long && !text.includes(BYTES)) return JSON.parse(text);
  return JSON.parse(long ? text.replace(LONG, keep) : text, revive);
}

/** Whether there are sixteen figures in a row; each run of so many passes a place that is looked at. */
function holdsLong(text) {
  for (let at = LONG_DIGITS - 1; at < text.length; at += LONG_DIGITS) {
    const code = text.charCodeAt(at);
    if (code < 0x30 || code > 0x39) continue;
    if (/\d{16}/.test(text.slice(at - LONG_DIGITS + 1, at + LONG_DIGITS))) return true;
  }
  return false;
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

/** What JSON has no word for. The methods are there during `encode` only: a replacer would be called
 * for every value. */
const LENT = [
  [Uint8Array.prototype, bytesToJson],
  [ArrayBuffer.prototype, bufferToJson],
  [BigInt.prototype, longToJson],
];
let mark = "";

/** The JSON text of a value; `undefined` is null. Throws for what JSON cannot say. */
export function encode(value) {
  for (const [prototype, toJson] of LENT) prototype.toJSON = toJson;
  try {
    const text = JSON.stringify(value === undefined ? null : value) ?? "null";
    return mark ? text.replace(new RegExp(`"${mark}(-?\\d+)"`, "g"), "$1") : text;
  } finally {
    for (const [prototype] of LENT) delete prototype.toJSON;
    mark = "";
  }
}

function bytesToJson() {
  return { [BYTES]: toBase64(this) };
}

function bufferToJson() {
  return { [BYTES]: toBase64(new Uint8Array(this)) };
}

function longToJson() {
  mark ||= `int${Math.random()}:`;
  return `${mark}${this}`;
}

/** The bytes of a base64 text. */
export function toBytes(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const plain = atob(text);
  const bytes = new Uint8Array(plain.length);
  for (let at = 0; at < plain.length; at++) bytes[at] = plain.charCodeAt(at);
  return bytes;
}

/** The base64 text of bytes. */
export function toBase64(bytes) {
  if (bytes.toBase64) return bytes.toBase64();
  const parts = [];
  for (let at = 0; at < bytes.length; at += CHUNK) {
    parts.push(String.fromCharCode.apply(null, bytes.subarray(at, at + CHUNK)));
  }
  return btoa(parts.join(""));
}
