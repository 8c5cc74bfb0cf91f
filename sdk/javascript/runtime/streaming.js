/**
 * Responses that leave as they are written, as Lambda's Node.js runtime has them:
 * `awslambda.streamifyResponse(async (event, responseStream, context) => …)`.
 *
 * Neighbours: `serve.js` runs what `streamifyResponse` marked; the entry puts `awslambda` into the
 * globals of functions that name it.
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/config-rs-write-functions.html
 * Invariant: the head is sent before the first piece, and once; at the build nothing is sent.
 */

import { call } from "./host.js";
import { stage } from "./stage.js";
import { marked } from "./streams.js";

const PIECE_CHARS_MAX = 1 << 20;

/** What a function writes its response to: of a Node.js stream, what writing takes. */
export class ResponseStream {
  #listeners = new Map();
  #head;
  #isStarted = false;
  writableEnded = false;
  destroyed = false;
  errored = null;

  get writable() {
    return !this.writableEnded && !this.destroyed;
  }

  get writableFinished() {
    return this.writableEnded;
  }

  /** The content type, before the first piece. */
  setContentType(type) {
    this.#head = { ...this.#head, headers: { ...this.#head?.headers, "content-type": type } };
  }

  /** Status, headers and cookies, before the first piece. */
  setHead({ statusCode = 200, headers = {}, cookies = [] } = {}) {
    const texts = Object.entries(headers).map(([name, value]) => [name, String(value)]);
    this.#head = { statusCode, headers: Object.fromEntries(texts), cookies };
  }

  /** Send a piece. It is with the host when this returns, so there is never a `drain` to wait for. */
  write(piece, encoding, callback) {
    if (!this.writable) throw new Error("the response stream has ended");
    this.#start();
    for (const data of pieces(piece)) send("response.write", { data });
    const told = typeof encoding === "function" ? encoding : callback;
    told?.();
    return true;
  }

  /** Send a last piece, if there is one; then the response ends with the handler. */
  end(piece, encoding, callback) {
    if (!this.writable) return this;
    if (typeof piece === "function") [callback, piece] = [piece, undefined];
    if (piece !== undefined && piece !== null) this.write(piece);
    this.#start();
    this.writableEnded = true;
    const told = typeof encoding === "function" ? encoding : callback;
    told?.();
    this.#emit("finish");
    this.#emit("close");
    return this;
  }

  /** Give up: the response is cut off, with this error. */
  destroy(error) {
    if (this.destroyed || this.writableEnded) return this;
    this.destroyed = true;
    this.errored = error ?? new Error("the response stream was destroyed");
    if (error) this.#emit("error", error);
    this.#emit("close");
    return this;
  }

  on(name, listener) {
    this.#listeners.set(name, [...(this.#listeners.get(name) ?? []), listener]);
    return this;
  }

  once(name, listener) {
    const once = (...given) => {
      this.off(name, once);
      listener.apply(this, given);
    };
    return this.on(name, once);
  }

  off(name, listener) {
    const kept = (this.#listeners.get(name) ?? []).filter((each) => each !== listener);
    this.#listeners.set(name, kept);
    return this;
  }

  addListener(name, listener) {
    return this.on(name, listener);
  }

  removeListener(name, listener) {
    return this.off(name, listener);
  }

  emit(name, ...given) {
    return this.#emit(name, ...given);
  }

  cork() {}

  uncork() {}

  #emit(name, ...given) {
    const listeners = this.#listeners.get(name) ?? [];
    for (const listener of listeners) listener.apply(this, given);
    return listeners.length > 0;
  }

  #start() {
    if (this.#isStarted) return;
    this.#isStarted = true;
    if (this.#head !== undefined) send("response.start", this.#head);
  }
}

function* pieces(piece) {
  if (typeof piece !== "string") {
    yield piece instanceof ArrayBuffer ? new Uint8Array(piece) : viewed(piece);
    return;
  }
  const text = piece.toWellFormed();
  for (let at = 0; at < text.length; at += PIECE_CHARS_MAX) yield text.slice(at, at + PIECE_CHARS_MAX);
}

function viewed(piece) {
  if (piece instanceof Uint8Array) return piece;
  if (!ArrayBuffer.isView(piece)) throw new TypeError("a piece is a string, a view or a buffer");
  return new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength);
}

function send(op, request) {
  if (!stage.isBuild) call(op, request);
}

/** Lambda's own global. */
export const awslambda = {
  streamifyResponse(handler) {
    handler[marked] = ResponseStream;
    return handler;
  },

  HttpResponseStream: {
    from(stream, head) {
      stream.setHead(head);
      return stream;
    },
  },
};
