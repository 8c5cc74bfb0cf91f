// Functions for edge in AssemblyScript.
//
//     import { Context, Value, handler, query } from "edge";
//
//     handler((event: Value, context: Context): Value => {
//       return Value.text("Hello, " + query(event, "name") + "!\n");
//     });
//
// Every event has a fresh instance that is thrown away afterwards. What the top level of a program
// does is done once, at deploy, and is part of the snapshot each starts from.

import { decode, encode } from "./cbor";
import { Answer, Level, Store, call, log, nowMs, writeResponse } from "./host";
import { Kind, Value } from "./value";

export { Answer, Entry, Level, Store, call, environment, fetch, log, nowMs, random, sleepMs } from "./host";
export { writeResponse, writeText } from "./host";
export { Kind, Value } from "./value";
export { decode, encode } from "./cbor";

/** What the host says about the request beside its event. */
export class Context {
  constructor(public fields: Value) {}

  text(key: string): string {
    return this.fields.get(key).asText();
  }
  get requestId(): string {
    return this.text("requestId");
  }
  get functionName(): string {
    return this.text("functionName");
  }
  get deadlineMs(): i64 {
    return this.fields.get("deadlineMs").asInt();
  }
  /** How long the request may still take; 0 when its time is up. */
  get remainingMs(): i64 {
    return max(this.deadlineMs - nowMs(), 0);
  }
}

// Readers of an HTTP event (API Gateway payload 2.0); empty where it has none, on any event.

export function method(event: Value): string {
  return event.get("requestContext").get("http").get("method").asText();
}
export function path(event: Value): string {
  return event.get("rawPath").asText();
}
export function query(event: Value, name: string): string {
  return event.get("queryStringParameters").get(name).asText();
}
/** `name` in lower case. */
export function header(event: Value, name: string): string {
  return event.get("headers").get(name).asText();
}
/** The body's bytes, decoded where the event says that it is base64. */
export function body(event: Value): Uint8Array {
  const sent = event.get("body").asBytes();
  return event.get("isBase64Encoded").asBool() ? base64(sent) : sent;
}

function base64(text: Uint8Array): Uint8Array {
  const bytes = new Uint8Array((text.length / 4) * 3 + 3);
  let bits: u32 = 0;
  let len = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".indexOf(
      String.fromCharCode(text[i]),
    );
    if (digit < 0) break;
    bits = (bits << 6) | digit;
    if (i % 4 != 0) bytes[len++] = <u8>(bits >> (2 * (3 - (i % 4))));
  }
  return bytes.subarray(0, len);
}

/** An HTTP response. Each cookie is a whole Set-Cookie value. */
export class Response {
  headers: Value = Value.map();
  cookies: Value[] = [];

  constructor(
    public status: i32,
    contentType: string,
    public body: Value,
  ) {
    this.header("content-type", contentType);
  }
  static text(status: i32, text: string): Response {
    return new Response(status, "text/plain; charset=utf-8", Value.text(text));
  }
  header(name: string, value: string): Response {
    this.headers.set(name, Value.text(value));
    return this;
  }
  cookie(cookie: string): Response {
    this.cookies.push(Value.text(cookie));
    return this;
  }
  value(): Value {
    return this.head().set("isBase64Encoded", Value.bool(false)).set("body", this.body);
  }
  /**
   * Sends the head now, and the body as a first piece. What `writeResponse` is given follows, until
   * the handler returns; `fail` cuts the response off then. The code is empty where it went well.
   */
  start(): string {
    const started = call(this.head().set("op", Value.text("response.start")));
    if (started.code.length) return started.code;
    const piece = this.body.asBytes();
    return piece.length ? writeResponse(piece) : "";
  }
  private head(): Value {
    return Value.map()
      .set("statusCode", Value.int(this.status))
      .set("headers", this.headers)
      .set("cookies", Value.array(this.cookies));
  }
}

let failure: Value | null = null;

/** `return fail("TeapotError", "no coffee")`: the answer is an error of that type. */
export function fail(kind: string, message: string): Value {
  failure = Value.map()
    .set("errorType", Value.text(kind))
    .set("errorMessage", Value.text(message))
    .set("stackTrace", Value.array([]));
  return Value.null();
}

/** A host call's error as the function's own, of type `edge.denied` and so on. */
export function failWith(answer: Answer): Value {
  return fail("edge." + answer.code, answer.message);
}

export type Handler = (event: Value, context: Context) => Value;
let answering: Handler = (_event: Value, _context: Context): Value =>
  fail("Runtime.NoHandler", "the program did not call handler()");

/** Once, at the top level of a program: the function that answers events. */
export function handler(answer: Handler): void {
  answering = answer;
}

export function respond(start: usize, len: usize): Uint8Array {
  const envelope = decode(start, len);
  const value =
    envelope == null
      ? fail("Runtime.BadEvent", "the message is not CBOR with an event in it")
      : answering(envelope.get("event"), new Context(envelope.get("context")));
  const answer = Value.map();
  const failed = failure;
  if (failed != null) answer.set("error", failed);
  else answer.set("ok", value);
  return encode(answer);
}

/** What `throw` does: a line of the log, then a trap. Answer with `fail` where a caller should know. */
export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  const told = message == null ? "aborted" : message;
  const place = file == null ? "" : file;
  log(Level.Error, told + " (" + place + ":" + line.toString() + ":" + column.toString() + ")");
  unreachable();
}
