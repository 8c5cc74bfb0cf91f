/** `fetch` by the host, under the function's grants; bodies are whole. */

import { call, HostError } from "./host.js";
import { TextDecoder, TextEncoder } from "./text.js";

export class Headers {
  #fields = new Map();

  constructor(init = []) {
    const given = init ?? [];
    const pairs = Symbol.iterator in Object(given) ? given : Object.entries(given);
    for (const [name, value] of pairs) this.append(name, value);
  }

  append(name, value) {
    const known = this.get(name);
    this.set(name, known === null ? value : `${known}, ${value}`);
  }

  set(name, value) {
    this.#fields.set(String(name).toLowerCase(), String(value).trim());
  }

  get(name) {
    return this.#fields.get(String(name).toLowerCase()) ?? null;
  }

  has(name) {
    return this.#fields.has(String(name).toLowerCase());
  }

  /** The lines of `set-cookie`; the host joins them with a comma, as it does others. */
  getSetCookie() {
    const joined = this.get("set-cookie");
    // A comma inside a date has no '=' before the next ';'.
    return joined === null ? [] : joined.split(/,\s*(?=[^;,\s=]+=)/);
  }

  delete(name) {
    this.#fields.delete(String(name).toLowerCase());
  }

  forEach(callback) {
    for (const [name, value] of this) callback(value, name, this);
  }

  *[Symbol.iterator]() {
    yield* [...this.#fields].sort(([one], [other]) => (one < other ? -1 : 1));
  }

  entries() {
    return this[Symbol.iterator]();
  }

  keys() {
    return [...this].map(([name]) => name)[Symbol.iterator]();
  }

  values() {
    return [...this].map(([, value]) => value)[Symbol.iterator]();
  }
}

/** What `Request` and `Response` have in common: a body, read once. */
class Message {
  #bytes;
  bodyUsed = false;

  constructor(body, headers) {
    this.#bytes = toBytes(body) ?? new Uint8Array();
    this.headers = new Headers(headers);
    const type = typeOf(body);
    if (type && !this.headers.has("content-type")) this.headers.set("content-type", type);
  }

  #take() {
    if (this.bodyUsed) throw new TypeError("the body was read already");
    this.bodyUsed = true;
    return this.#bytes;
  }

  /** For a copy, which leaves this one unread. */
  get bytesUnread() {
    if (this.bodyUsed) throw new TypeError("the body was read already");
    return this.#bytes;
  }

  async bytes() {
    return this.#take();
  }

  async arrayBuffer() {
    return this.#take().slice().buffer;
  }

  async text() {
    return new TextDecoder().decode(this.#take());
  }

  async json() {
    return JSON.parse(await this.text());
  }
}

export class Request extends Message {
  constructor(target, { method, headers, body, signal } = {}) {
    const from = target instanceof Request ? target : undefined;
    super(body ?? from?.bytesUnread, headers ?? from?.headers);
    this.url = from?.url ?? String(target);
    this.method = (method ?? from?.method ?? "GET").toUpperCase();
    this.signal = signal ?? from?.signal ?? null;
  }

  clone() {
    return new Request(this);
  }
}

export class Response extends Message {
  constructor(body = null, { status = 200, statusText = "", headers = {}, url = "" } = {}) {
    super(body, headers);
    this.status = status;
    this.statusText = statusText;
    this.url = url;
    this.type = "default";
    this.redirected = false;
  }

  get ok() {
    return this.status >= 200 && this.status < 300;
  }

  clone() {
    return new Response(this.bytesUnread, this);
  }

  static json(value, { headers = {}, ...init } = {}) {
    const typed = new Headers(headers);
    if (!typed.has("content-type")) typed.set("content-type", "application/json");
    return new Response(JSON.stringify(value), { ...init, headers: typed });
  }

  static redirect(target, status = 302) {
    return new Response(null, { status, headers: { location: String(target) } });
  }
}

const isQuery = (body) => body?.[Symbol.toStringTag] === "URLSearchParams";

function toBytes(body) {
  if (body === null || body === undefined) return undefined;
  if (body instanceof ArrayBuffer) return new Uint8Array(body);
  if (ArrayBuffer.isView(body)) {
    return new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
  }
  return new TextEncoder().encode(String(body));
}

/** The type that a body brings along, where none is named. */
function typeOf(body) {
  if (isQuery(body)) return "application/x-www-form-urlencoded;charset=UTF-8";
  return typeof body === "string" ? "text/plain;charset=UTF-8" : undefined;
}

/**
 * As in a browser; a refusal of the host is a TypeError whose cause is the HostError. The function
 * waits for the answer, so a signal ends a request only before it begins.
 */
export async function fetch(target, init = {}) {
  const request = new Request(target, init);
  request.signal?.throwIfAborted();
  const body = request.bytesUnread;
  try {
    const answer = call("fetch", {
      url: request.url,
      method: request.method,
      headers: Object.fromEntries(request.headers),
      body: body.length > 0 ? body : undefined,
    });
    return new Response(answer.body, answer);
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    throw new TypeError(`fetch failed: ${error.message}`, { cause: error });
  }
}
