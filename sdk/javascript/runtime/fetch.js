/** `fetch` by the host, under the function's grants; bodies are whole. */

import { call, HostError } from "./host.js";
import { TextDecoder, TextEncoder } from "./text.js";

export class Headers {
  #fields = new Map();

  constructor(init = []) {
    const pairs = Symbol.iterator in Object(init) ? init : Object.entries(init);
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

export class Response {
  #bytes;

  constructor(body = null, { status = 200, headers = {}, url = "" } = {}) {
    this.#bytes = toBytes(body) ?? new Uint8Array();
    this.status = status;
    this.statusText = "";
    this.headers = new Headers(headers);
    this.url = url;
    this.bodyUsed = false;
  }

  get ok() {
    return this.status >= 200 && this.status < 300;
  }

  #take() {
    if (this.bodyUsed) throw new TypeError("the body was read already");
    this.bodyUsed = true;
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

function toBytes(body) {
  if (body === null || body === undefined) return undefined;
  if (body instanceof Uint8Array) return body;
  if (body instanceof ArrayBuffer) return new Uint8Array(body);
  return new TextEncoder().encode(String(body));
}

/** As in a browser; a refusal of the host is a TypeError whose cause is the HostError. */
export async function fetch(target, { method = "GET", headers = {}, body } = {}) {
  try {
    const answer = call("fetch", {
      url: String(target),
      method: method.toUpperCase(),
      headers: Object.fromEntries(new Headers(headers)),
      body: toBytes(body),
    });
    return new Response(answer.body, answer);
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    throw new TypeError(`fetch failed: ${error.message}`, { cause: error });
  }
}
