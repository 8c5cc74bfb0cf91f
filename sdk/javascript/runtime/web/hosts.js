/**
 * The host of a URL as it is written: a domain in ASCII, an address, or an opaque name.
 *
 * Source: https://url.spec.whatwg.org/#host-parsing
 * Invariant: null is what no host may be. A domain beyond ASCII is mapped by Unicode's own
 * compatibility forms, not by the whole table of UTS 46, so that no table is in every function.
 */

import { decode as decodePercent, encodeControl } from "./percent.js";
import { decode as decodeLabel, encode as encodeLabel } from "./punycode.js";

const FORBIDDEN = /[\0\t\n\r #/:<>?@[\\\]^|]/;
const FORBIDDEN_IN_DOMAIN = /[\0-\x20#%/:<>?@[\\\]^|\x7f]/;
const IGNORED = /[\u00ad\u034f\u180b-\u180f\u200b\u2060\u2064\ufe00-\ufe0f\ufeff]/gu;
const DOTS = /[\u3002\uff0e\uff61]/g;
const PREFIX = "xn--";
const PIECES = 8;

/** A host's text; null if it is none. Without `special` it stays as it is, escaped. */
export function parseHost(text, special) {
  if (text.startsWith("[")) {
    const pieces = text.endsWith("]") ? parseIpv6(text.slice(1, -1)) : null;
    return pieces && `[${writeIpv6(pieces)}]`;
  }
  if (!special) return FORBIDDEN.test(text) ? null : encodeControl(text);
  const domain = toAscii(decodePercent(text));
  if (!domain || FORBIDDEN_IN_DOMAIN.test(domain)) return null;
  return endsInNumber(domain) ? parseIpv4(domain) : domain;
}

function toAscii(domain) {
  const lower = domain.toLowerCase();
  if (!/[^\0-\x7f]/.test(lower) && !lower.includes(PREFIX)) return lower;
  const mapped = domain.replace(IGNORED, "").replace(DOTS, ".").normalize("NFKC").toLowerCase();
  const labels = mapped.normalize("NFC").split(".").map(labelToAscii);
  return labels.includes(null) ? null : labels.join(".");
}

function labelToAscii(label) {
  if (label.startsWith(PREFIX)) {
    const plain = decodeLabel(label.slice(PREFIX.length));
    const valid = plain !== null && /[^\0-\x7f]/.test(plain) && plain === plain.normalize("NFC");
    return valid ? label : null;
  }
  if (!/[^\0-\x7f]/.test(label)) return label;
  return /^\p{M}|\ufffd/u.test(label) ? null : PREFIX + encodeLabel(label);
}

function endsInNumber(domain) {
  const parts = domain.split(".");
  if (parts.at(-1) === "" && parts.length > 1) parts.pop();
  return /^(\d+|0x[0-9a-f]*)$/.test(parts.at(-1));
}

function parseIpv4(domain) {
  const parts = domain.split(".");
  if (parts.at(-1) === "" && parts.length > 1) parts.pop();
  if (parts.length > 4) return null;
  const numbers = parts.map(parseIpv4Number);
  const last = numbers.pop();
  if (numbers.some((each) => !(each <= 255)) || !(last < 256 ** (4 - numbers.length))) return null;
  const address = numbers.reduce((sum, each, at) => sum + each * 256 ** (3 - at), last);
  return [24, 16, 8, 0].map((bits) => Math.floor(address / 2 ** bits) % 256).join(".");
}

/** Decimal, octal after `0`, hexadecimal after `0x`; NaN for no number. */
function parseIpv4Number(part) {
  if (/^0x[0-9a-f]*$/.test(part)) return Number(part === "0x" ? 0 : part);
  if (/^0[0-7]+$/.test(part)) return Number.parseInt(part, 8);
  return /^(0|[1-9]\d*)$/.test(part) ? Number(part) : Number.NaN;
}

function parseIpv6(text) {
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const [head, tail] = halves.map((half, at) => piecesOf(half, at === halves.length - 1));
  if (head === null || tail === null) return null;
  if (tail === undefined) return head.length === PIECES ? head : null;
  const zeros = PIECES - head.length - tail.length;
  return zeros > 0 ? [...head, ...Array(zeros).fill(0), ...tail] : null;
}

/** 16 bits each; the last two may be written as an address of version 4. */
function piecesOf(half, last) {
  if (half === "") return [];
  const pieces = half.split(":");
  const embedded = last && pieces.at(-1).includes(".") ? embeddedIpv4(pieces.pop()) : [];
  if (embedded === null || !pieces.every((piece) => /^[0-9a-f]{1,4}$/i.test(piece))) return null;
  return [...pieces.map((piece) => Number.parseInt(piece, 16)), ...embedded];
}

function embeddedIpv4(text) {
  const parts = text.split(".");
  const valid = parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part));
  if (!valid || parts.some((part) => Number(part) > 255)) return null;
  const [a, b, c, d] = parts.map(Number);
  return [a * 256 + b, c * 256 + d];
}

/** The longest run of zeros, of two pieces at least, is left out. */
function writeIpv6(pieces) {
  let longest = { at: -1, length: 1 };
  for (let at = 0; at < PIECES; ) {
    let end = at;
    while (pieces[end] === 0) end += 1;
    if (end - at > longest.length) longest = { at, length: end - at };
    at = end + 1;
  }
  const write = (part) => part.map((piece) => piece.toString(16)).join(":");
  if (longest.at < 0) return write(pieces);
  return `${write(pieces.slice(0, longest.at))}::${write(pieces.slice(longest.at + longest.length))}`;
}
