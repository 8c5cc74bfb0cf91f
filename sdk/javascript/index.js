/** What a function imports from "edge". */

import { call, HostError, write } from "./runtime/host.js";
import { toBytes } from "./runtime/values.js";

export { HostError };

/** A line of the function's log with its level; `console` has the same ones. */
export const log = {
  trace: (message) => write(0, message),
  debug: (message) => write(1, message),
  info: (message) => write(2, message),
  warn: (message) => write(3, message),
  error: (message) => write(4, message),
};

/** Key-value entries of one namespace, the function's own by default. */
export class Store {
  #namespace;

  constructor(namespace) {
    this.#namespace = namespace;
  }

  /** `{value, version, expiresMs?}`, or null. */
  async entry(key) {
    return call("kv.get", { key, namespace: this.#namespace });
  }

  /** The value, or undefined. */
  async get(key) {
    return (await this.entry(key))?.value;
  }

  /** Write; with `ifVersion` only if the key has it (0: is absent). Returns the new version. */
  async put(key, value, { ifVersion, ttlMs } = {}) {
    return call("kv.put", { key, value, ifVersion, ttlMs, namespace: this.#namespace }).version;
  }

  /** Whether there was something to delete. */
  async delete(key, { ifVersion } = {}) {
    return call("kv.delete", { key, ifVersion, namespace: this.#namespace }).deleted;
  }

  /** Add to a whole number, and return the sum. */
  async increment(key, by = 1, { ttlMs } = {}) {
    return call("kv.increment", { key, by, ttlMs, namespace: this.#namespace }).value;
  }

  /** `{keys, next}`; `next` is for `after`, null at the end. */
  async list({ prefix, after, limit } = {}) {
    const page = call("kv.list", { prefix, after, limit, namespace: this.#namespace });
    return { keys: page.entries.map((entry) => entry.key), next: page.next };
  }
}

/** The body of an HTTP event as a Uint8Array. */
export function bodyOf(event) {
  const body = event.body ?? "";
  if (body instanceof Uint8Array) return body;
  return event.isBase64Encoded ? toBytes(body) : new TextEncoder().encode(body);
}

/** A response; a Uint8Array goes out as it is, without base64. */
export function respond(statusCode, body, { headers = {}, cookies = [] } = {}) {
  return { statusCode, headers, cookies, body };
}
