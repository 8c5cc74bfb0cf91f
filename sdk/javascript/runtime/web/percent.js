/**
 * Percent-encoding: what each part of a URL keeps as it is.
 *
 * Source: https://url.spec.whatwg.org/#percent-encoded-bytes
 */

const CONTROL = /[^\x20-\x7e]/gu;
const FRAGMENT = /[^\x21\x23-\x3b\x3d\x3f-\x5f\x61-\x7e]/gu;
const QUERY = /[^\x21\x24-\x3b\x3d\x3f-\x7e]/gu;
const SPECIAL_QUERY = /[^\x21\x24-\x26\x28-\x3b\x3d\x3f-\x7e]/gu;
const PATH = /[^\x21\x24-\x3b\x3d\x40-\x5d\x5f\x61-\x7a\x7c\x7e]/gu;
const USERINFO = /[^\x21\x24-\x2e\x30-\x39\x41-\x5a\x5f\x61-\x7a\x7e]/gu;
const FORM = /[^*\-.0-9A-Z_a-z]/gu;

const encodeWith = (refused) => (text) => text.toWellFormed().replace(refused, escapeOne);

function escapeOne(character) {
  const code = character.charCodeAt(0);
  if (code > 0x7e) return encodeURIComponent(character);
  return `%${code.toString(16).toUpperCase().padStart(2, "0")}`;
}

export const encodeControl = encodeWith(CONTROL);
export const encodeFragment = encodeWith(FRAGMENT);
export const encodePath = encodeWith(PATH);
export const encodeUserinfo = encodeWith(USERINFO);
const encodePlainQuery = encodeWith(QUERY);
const encodeSpecialQuery = encodeWith(SPECIAL_QUERY);
const encodeRest = encodeWith(FORM);

export const encodeQuery = (text, special) =>
  (special ? encodeSpecialQuery : encodePlainQuery)(text);

/** As a form's names and values are. */
export const encodeForm = (text) => encodeRest(text).replaceAll("%20", "+");

/** The text of what may be escaped; bytes that are no UTF-8 become U+FFFD. */
export function decode(text) {
  const well = text.toWellFormed();
  if (!well.includes("%")) return well;
  try {
    // Refuses a '%' that escapes nothing, and what is no UTF-8.
    return decodeURIComponent(well);
  } catch {
    const bytes = unescape(encodeURIComponent(well).replace(/%25([0-9a-f]{2})/gi, "%$1"));
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    return decoder.decode(Uint8Array.from(bytes, (byte) => byte.charCodeAt(0)));
  }
}
