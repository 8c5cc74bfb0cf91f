/**
 * The globals that functions expect beside the language's own.
 *
 * Neighbours: the entry imports it before the function, so that all of it is there at the build;
 * `web/` has what only a function that names it gets.
 * Invariant: what is random or of the environment is asked of the host when it is used, since the
 * memory of the build is in every instance.
 */

import { getRandomBytes } from "wasi:random/random@0.2.0";

import { console } from "./console.js";
import { process } from "./environment.js";
import { fetch, Headers, Request, Response } from "./fetch.js";
import { cancel, start } from "./loop.js";
import { enqueue, Promise } from "./promise.js";
import { stage } from "./stage.js";
import { TextDecoder, TextEncoder } from "./text.js";

const RANDOM_BYTES_MAX = 65_536;

const crypto = {
  getRandomValues(array) {
    if (array.byteLength > RANDOM_BYTES_MAX) {
      throw new RangeError(`at most ${RANDOM_BYTES_MAX} random bytes at once`);
    }
    if (stage.isBuild) {
      throw new Error("nothing is random at the build: draw it in the handler");
    }
    const view = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    view.set(getRandomBytes(view.length));
    return array;
  },

  randomUUID() {
    const bytes = this.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  },
};

/** The engine's own generator goes on from the build, in every instance the same. */
const { random } = Math;
Math.random = () => {
  if (stage.isBuild) return random();
  const [high, low] = crypto.getRandomValues(new Uint32Array(2));
  return ((high >>> 5) * 2 ** 26 + (low >>> 6)) / 2 ** 53;
};

Object.assign(globalThis, {
  Headers,
  Promise,
  Request,
  Response,
  TextDecoder,
  TextEncoder,
  clearInterval: cancel,
  clearTimeout: cancel,
  console,
  crypto,
  fetch,
  global: globalThis,
  process,
  queueMicrotask: enqueue,
  self: globalThis,
  setInterval: (callback, ms, ...given) => start(callback, ms, given, true),
  setTimeout: (callback, ms, ...given) => start(callback, ms, given, false),
});
