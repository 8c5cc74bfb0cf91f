/**
 * `URL` and `URLSearchParams`.
 *
 * Neighbours: `address.js` reads and writes the text; `edge/build/javascript.py` bundles this for a
 * function that names one of them.
 * Source: https://url.spec.whatwg.org/#api
 */

import {
  hostOf,
  isOpaque,
  isSpecial,
  parse,
  parsePath,
  pathOf,
  portOf,
  readHostAndPort,
  splitPort,
  withoutBreaks,
  write,
} from "./address.js";
import { encodeFragment, encodeQuery, encodeUserinfo } from "./percent.js";
import { URLSearchParams } from "./query.js";

export { URLSearchParams };

export class URL {
  #parts;
  #params;

  constructor(text, base = undefined) {
    const parts = resolve(text, base);
    if (!parts) throw invalid(text);
    this.#parts = parts;
  }

  static canParse(text, base = undefined) {
    return resolve(text, base) !== null;
  }

  static parse(text, base = undefined) {
    return this.canParse(text, base) ? new this(text, base) : null;
  }

  get href() {
    return write(this.#parts);
  }

  set href(text) {
    const parts = parse(String(text));
    if (!parts) throw invalid(text);
    this.#parts = parts;
    this.#params = undefined;
  }

  get origin() {
    const { protocol } = this.#parts;
    if (protocol === "blob:") {
      const inner = parse(pathOf(this.#parts));
      return /^https?:$/.test(inner?.protocol) ? originOf(inner) : "null";
    }
    return isSpecial(this.#parts) && protocol !== "file:" ? originOf(this.#parts) : "null";
  }

  get protocol() {
    return this.#parts.protocol;
  }

  set protocol(text) {
    const found = /^([a-z][a-z0-9+.-]*)(:|$)/i.exec(withoutBreaks(String(text)));
    const next = { ...this.#parts, protocol: `${found?.[1].toLowerCase()}:` };
    if (!found || isSpecial(next) !== isSpecial(this.#parts)) return;
    if (next.protocol === "file:" && (this.#hasCredentials() || next.port !== null)) return;
    if (this.#parts.protocol === "file:" && !this.#parts.host) return;
    this.#parts.protocol = next.protocol;
    this.#parts.port = portOf(next, next.port);
  }

  #hasCredentials() {
    return Boolean(this.#parts.username || this.#parts.password);
  }

  #takesNoPort() {
    return !this.#parts.host || this.#parts.protocol === "file:";
  }

  get username() {
    return this.#parts.username;
  }

  set username(text) {
    if (!this.#takesNoPort()) this.#parts.username = encodeUserinfo(String(text));
  }

  get password() {
    return this.#parts.password;
  }

  set password(text) {
    if (!this.#takesNoPort()) this.#parts.password = encodeUserinfo(String(text));
  }

  get host() {
    return hostOf(this.#parts);
  }

  set host(text) {
    const [name, port] = this.#authority(text);
    const digits = /^\d*/.exec(port ?? "")[0];
    if (name === "" && port !== null) return;
    this.#place(name, digits === "" || Number(digits) > 65_535 ? undefined : Number(digits));
  }

  get hostname() {
    return this.#parts.host ?? "";
  }

  set hostname(text) {
    const [name, port] = this.#authority(text);
    if (port === null) this.#place(name, undefined);
  }

  #authority(text) {
    const ends = isSpecial(this.#parts) ? /[/\\?#]/ : /[/?#]/;
    const [authority] = withoutBreaks(String(text)).split(ends);
    return this.#parts.protocol === "file:" ? [authority, null] : splitPort(authority);
  }

  #place(name, port) {
    if (isOpaque(this.#parts)) return;
    const isFile = this.#parts.protocol === "file:";
    const bare = name === "" && (isFile || (!isSpecial(this.#parts) && !this.#needsHost()));
    const place = bare ? { host: "" } : readHostAndPort(this.#parts, name);
    if (!place || (name === "" && !bare)) return;
    this.#parts.host = isFile && place.host === "localhost" ? "" : place.host;
    if (port !== undefined && !isFile) this.#parts.port = portOf(this.#parts, port);
  }

  #needsHost() {
    return this.#hasCredentials() || this.#parts.port !== null;
  }

  get port() {
    return this.#parts.port === null ? "" : String(this.#parts.port);
  }

  set port(text) {
    if (this.#takesNoPort()) return;
    const given = withoutBreaks(String(text));
    const digits = /^\d*/.exec(given)[0];
    if (given === "") this.#parts.port = null;
    if (digits !== "" && Number(digits) <= 65_535) {
      this.#parts.port = portOf(this.#parts, Number(digits));
    }
  }

  get pathname() {
    return pathOf(this.#parts);
  }

  set pathname(text) {
    if (isOpaque(this.#parts)) return;
    const special = isSpecial(this.#parts);
    const path = withoutBreaks(String(text));
    this.#parts.path = [];
    if (path === "" && !special && this.#parts.host !== null) return;
    parsePath(this.#parts, path.replace(special ? /^[/\\]/ : /^\//, ""));
  }

  get search() {
    return this.#parts.query ? `?${this.#parts.query}` : "";
  }

  set search(text) {
    const query = withoutBreaks(String(text)).replace(/^\?/, "");
    this.#parts.query = String(text) === "" ? null : encodeQuery(query, isSpecial(this.#parts));
    this.#params = undefined;
  }

  get searchParams() {
    this.#params ??= new URLSearchParams(this.#parts.query ?? "", (query) => {
      this.#parts.query = query === "" ? null : query;
    });
    return this.#params;
  }

  get hash() {
    return this.#parts.fragment ? `#${this.#parts.fragment}` : "";
  }

  set hash(text) {
    const fragment = withoutBreaks(String(text)).replace(/^#/, "");
    this.#parts.fragment = String(text) === "" ? null : encodeFragment(fragment);
  }

  toString() {
    return this.href;
  }

  toJSON() {
    return this.href;
  }

  get [Symbol.toStringTag]() {
    return "URL";
  }
}

const originOf = (parts) => `${parts.protocol}//${hostOf(parts)}`;
const invalid = (text) => Object.assign(new TypeError(`${text} is no URL`), { code: "ERR_INVALID_URL" });

function resolve(text, base) {
  if (base === undefined) return parse(String(text));
  const against = parse(String(base));
  return against && parse(String(text), against);
}
