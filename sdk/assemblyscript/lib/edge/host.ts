// Host calls: the log, the key-value store, outbound HTTP, and what WASI has.

import { decode, encode } from "./cbor";
import { Value } from "./value";

// @ts-ignore: decorator
@external("edge", "log")
declare function hostLog(level: i32, ptr: usize, len: usize): void;
// @ts-ignore: decorator
@external("edge", "call")
declare function hostCall(ptr: usize, len: usize): i32;
// @ts-ignore: decorator
@external("edge", "take")
declare function hostTake(ptr: usize): void;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "clock_time_get")
declare function clockTimeGet(clock: i32, precision: u64, time: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "random_get")
declare function randomGet(ptr: usize, len: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "poll_oneoff")
declare function pollOneoff(subscriptions: usize, events: usize, count: i32, done: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "environ_sizes_get")
declare function environSizesGet(count: usize, size: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "environ_get")
declare function environGet(entries: usize, bytes: usize): i32;

export enum Level {
  Trace,
  Debug,
  Info,
  Warn,
  Error,
}

/** One line in the function's log. */
export function log(level: Level, line: string): void {
  const bytes = String.UTF8.encode(line);
  hostLog(level, changetype<usize>(bytes), bytes.byteLength);
}

/** What a host call came to: `code` is empty where it went well, else one of docs/abi.md's. */
export class Answer {
  constructor(
    public ok: Value,
    public code: string = "",
    public message: string = "",
  ) {}
}

/** Makes any host call: the request is a map with a text `op`. The typed calls are made of it. */
export function call(request: Value): Answer {
  const encoded = encode(request);
  return answerOf(hostCall(encoded.dataStart, encoded.length));
}

/** The answer that the host has ready, of so many bytes. */
function answerOf(len: i32): Answer {
  const bytes = new Uint8Array(max(len, 0));
  hostTake(bytes.dataStart);
  const answer = decode(bytes.dataStart, bytes.length);
  if (answer == null) return new Answer(Value.null(), "unavailable", "the answer is malformed");
  const error = answer.get("error");
  if (error.isNull()) return new Answer(answer.get("ok"));
  return new Answer(Value.null(), error.get("code").asText(), error.get("message").asText());
}

/** What a key holds; version 0 stands for an absent key. */
export class Entry {
  constructor(
    public code: string,
    public value: Value,
    public version: u64,
  ) {}
}

/** A namespace of the key-value store: empty is the function's own. */
export class Store {
  constructor(public namespace: string = "") {}

  private request(op: string): Value {
    const request = Value.map().set("op", Value.text(op));
    return this.namespace.length ? request.set("namespace", Value.text(this.namespace)) : request;
  }
  private keyed(op: string, key: string): Value {
    return this.request(op).set("key", Value.text(key));
  }
  private entry(request: Value): Entry {
    const answer = call(request);
    const version = answer.ok.get("version").asInt();
    return new Entry(answer.code, answer.ok.get("value"), version);
  }

  get(key: string): Entry {
    return this.entry(this.keyed("kv.get", key));
  }
  /** Writes, whatever was there; `ttlMs` 0 means for ever. */
  put(key: string, value: Value, ttlMs: i64 = 0): Entry {
    const request = this.keyed("kv.put", key).set("value", value);
    return this.entry(ttlMs ? request.set("ttlMs", Value.int(ttlMs)) : request);
  }
  /** Compare-and-set: the code `conflict` unless the version still stands (0: the key is absent). */
  swap(key: string, value: Value, version: u64): Entry {
    const request = this.keyed("kv.put", key).set("value", value);
    return this.entry(request.set("ifVersion", Value.uint(version)));
  }
  /** Adds to an integer in one step that no other request can come between; `value` is the sum. */
  increment(key: string, by: i64): Entry {
    return this.entry(this.keyed("kv.increment", key).set("by", Value.int(by)));
  }
  /** `ok` is a map with `deleted`. */
  delete(key: string): Answer {
    return call(this.keyed("kv.delete", key));
  }
  deleteIf(key: string, version: u64): Answer {
    return call(this.keyed("kv.delete", key).set("ifVersion", Value.uint(version)));
  }
  /** `ok` is a map with `entries`, maps of `key` and `version`, and `next`, a cursor or null. */
  list(prefix: string, after: string = "", limit: i32 = 100): Answer {
    const request = this.request("kv.list").set("prefix", Value.text(prefix));
    if (after.length) request.set("after", Value.text(after));
    return call(request.set("limit", Value.int(limit)));
  }
}

/** Outbound HTTP to a host that was granted. `ok` is a map: status, headers, body, url. */
export function fetch(
  url: string,
  method: string = "GET",
  headers: Value = Value.map(),
  body: Value = Value.null(),
): Answer {
  const request = Value.map().set("op", Value.text("fetch")).set("url", Value.text(url));
  request.set("method", Value.text(method)).set("headers", headers);
  return call(body.isNull() ? request : request.set("body", body));
}

/**
 * A piece of a response that was started; returns when the host has it. The code is empty where it
 * went well. The runtime frees nothing, so what is written passes through memory that is used again:
 * a response may be longer than the function has memory for.
 */
export function writeResponse(piece: Uint8Array): string {
  memory.copy(roomFor(piece.length), piece.dataStart, piece.length);
  return sendPiece(piece.length);
}

/** A piece of text. */
export function writeText(text: string): string {
  const len = String.UTF8.byteLength(text);
  String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, roomFor(len));
  return sendPiece(len);
}

/** Where a piece of this length goes. */
function roomFor(len: i32): usize {
  const size = len + PIECE_HEAD.length;
  if (size > pieceRoom.length) pieceRoom = new StaticArray<u8>(size);
  return changetype<usize>(pieceRoom) + PIECE_HEAD.length;
}

function sendPiece(len: i32): string {
  const start = changetype<usize>(pieceRoom);
  memory.copy(start, changetype<usize>(PIECE_HEAD), PIECE_HEAD.length);
  store<u32>(start + PIECE_HEAD.length - 4, bswap<u32>(len));
  const said = hostCall(start, len + PIECE_HEAD.length);
  return said == PIECE_DONE ? "" : answerOf(said).code;
}

/** `{"op": "response.write", "data": bytes}` up to the bytes, with four bytes for their length. */
const PIECE_HEAD: StaticArray<u8> = [
  0xa2, 0x62, 0x6f, 0x70, 0x6e, 0x72, 0x65, 0x73, 0x70, 0x6f, 0x6e, 0x73, 0x65, 0x2e, 0x77, 0x72,
  0x69, 0x74, 0x65, 0x64, 0x64, 0x61, 0x74, 0x61, 0x5a, 0, 0, 0, 0,
];
/** The length of `{"ok": null}`, which no error's answer has. */
const PIECE_DONE = 5;
let pieceRoom = new StaticArray<u8>(0);

const NS_PER_MS: u64 = 1_000_000;

/** Unix time. */
export function nowMs(): i64 {
  const time = memory.data(8, 8);
  clockTimeGet(0, NS_PER_MS, time);
  return load<u64>(time) / NS_PER_MS;
}

/** Waits without holding anything of the host, at most to the deadline. */
export function sleepMs(durationMs: u64): void {
  // A subscription: user data, the tag 0 for "clock", the clock, the timeout, precision, flags.
  const subscription = memory.data(48, 8);
  memory.fill(subscription, 0, 48);
  store<u32>(subscription, 1, 16);
  store<u64>(subscription, durationMs * NS_PER_MS, 24);
  pollOneoff(subscription, memory.data(32, 8), 1, memory.data(4, 4));
}

/** Fresh random bytes, fit for keys. */
export function random(len: i32): Uint8Array {
  const bytes = new Uint8Array(len);
  randomGet(bytes.dataStart, len);
  return bytes;
}

/** A variable of the function's environment; JavaScript's null if there is none. */
export function environment(name: string): string | null {
  const sizes = memory.data(8, 4);
  environSizesGet(sizes, sizes + 4);
  const count = load<u32>(sizes);
  const entries = new StaticArray<usize>(count);
  const bytes = new Uint8Array(load<u32>(sizes, 4));
  environGet(changetype<usize>(entries), bytes.dataStart);
  for (let i: u32 = 0; i < count; i++) {
    let end = entries[i];
    while (load<u8>(end)) end++;
    const entry = String.UTF8.decodeUnsafe(entries[i], end - entries[i]);
    if (entry.startsWith(name + "=")) return entry.substring(name.length + 1);
  }
  return null;
}
