// The conformance guest: does what tests/languages/cases.py asks of every language.

import * as edge from "edge";
import { Context, Level, Response, Store, Value } from "edge";

edge.handler((event: Value, context: Context): Value => {
  const name = event.get("case").asText();
  if (name == "echo") return event.get("value");
  if (name == "error") return edge.fail("TeapotError", event.get("message").asText());
  if (name == "context") return describe(context);
  if (name == "log") return writeLog();
  if (name == "kv") return useKv();
  if (name == "kv.get") return Value.text(new Store().get("key").code);
  if (name == "fetch") return fetch(event);
  if (name == "stream") return stream(event);
  if (name == "sleep") return slept(event.get("ms").asInt());
  if (name == "environment") return variable(event.get("name").asText());
  if (name == "random") return Value.bytes(edge.random(16));
  return respond(event);
});

function describe(context: Context): Value {
  return context.fields.set("remainingMs", Value.int(context.remainingMs));
}

function writeLog(): Value {
  edge.log(Level.Trace, "trace 0");
  edge.log(Level.Debug, "debug 1");
  edge.log(Level.Info, "info 2");
  edge.log(Level.Warn, "warn 3");
  edge.log(Level.Error, "error 4");
  return Value.null();
}

function useKv(): Value {
  const store = new Store();
  const one = Value.text("one");
  const absent = store.get("k");
  const created = store.swap("k", one, 0);
  const taken = store.swap("k", one, 0);
  const first = store.get("k");
  const pair = new Uint8Array(2);
  pair[1] = 255;
  const swapped = store.swap("k", Value.bytes(pair), created.version);
  const stale = store.swap("k", one, created.version);
  const second = store.get("k");
  store.increment("n", 5);
  const sum = store.increment("n", -2);
  const entries = store.list("").ok.get("entries").items;
  const keys = entries.map<Value>((entry: Value): Value => entry.get("key"));
  const deleted = store.delete("k");
  const again = store.delete("k");
  return Value.map()
    .set("absent", Value.bool(absent.version == 0))
    .set("taken", Value.text(taken.code))
    .set("first", first.value)
    .set("grows", Value.bool(swapped.version > created.version))
    .set("stale", Value.text(stale.code))
    .set("second", second.value)
    .set("sum", sum.value)
    .set("keys", Value.array(keys))
    .set("deleted", deleted.ok.get("deleted"))
    .set("again", again.ok.get("deleted"));
}

function fetch(event: Value): Value {
  const headers = Value.map().set("x-ask", Value.text("why"));
  const answer = edge.fetch(event.get("url").asText(), "POST", headers, event.get("body"));
  if (answer.code.length) return Value.text(answer.code);
  return Value.map()
    .set("status", answer.ok.get("status"))
    .set("header", answer.ok.get("headers").get("x-kind"))
    .set("body", answer.ok.get("body"));
}

function stream(event: Value): Value {
  new Response(201, "text/event-stream", Value.text(""))
    .header("x-kind", "streamed")
    .cookie("a=1")
    .start();
  const pieces = event.get("pieces").items;
  for (let i = 0; i < pieces.length; i++) {
    edge.writeResponse(pieces[i].asBytes());
    edge.sleepMs(30);
  }
  const message = event.get("message").asText();
  return message.length ? edge.fail("TeapotError", message) : Value.null();
}

function slept(durationMs: i64): Value {
  const began = edge.nowMs();
  edge.sleepMs(durationMs);
  return Value.int(edge.nowMs() - began);
}

function variable(name: string): Value {
  const value = edge.environment(name);
  return value == null ? Value.null() : Value.text(value);
}

/** An HTTP request's body, header, query and cookies, back as a response. */
function respond(event: Value): Value {
  const body = Value.bytes(edge.body(event));
  const response = new Response(201, "application/octet-stream", body)
    .header("x-answer", edge.header(event, "x-ask"))
    .header("x-query", edge.query(event, "q"));
  const cookies = event.get("cookies").items;
  for (let i = 0; i < cookies.length; i++) response.cookie(cookies[i].asText() + "; HttpOnly");
  return response.value();
}
