// The conformance guest: does what tests/languages/cases.py asks of every language.
import { bodyOf, log, respond, Store } from "edge";

class TeapotError extends Error {
  name = "TeapotError";
}

const CASES = {
  echo: async (event) => event.value,
  error: async (event) => {
    throw new TeapotError(event.message);
  },
  context: describe,
  log: writeLog,
  kv: useStore,
  "kv.get": () => codeOf(new Store().get("key")),
  fetch: useFetch,
  sleep,
  environment: (event) => process.env[event.name] ?? null,
  random: () => crypto.getRandomValues(new Uint8Array(16)),
};

export async function handler(event, context) {
  const run = Object.hasOwn(CASES, event.case ?? "") ? CASES[event.case] : answerHttp;
  return run(event, context);
}

function describe(event, context) {
  return {
    requestId: context.awsRequestId,
    functionName: context.functionName,
    functionVersion: context.functionVersion,
    invokedFunctionArn: context.invokedFunctionArn,
    memoryLimitMb: Number(context.memoryLimitInMB),
    deadlineMs: context.deadlineMs,
    remainingMs: context.getRemainingTimeInMillis(),
    traceparent: context.traceparent,
    clientContext: context.clientContext ?? null,
  };
}

function writeLog() {
  log.trace("trace 0");
  console.debug("debug", 1);
  console.log("info", 2);
  console.warn("warn", 3);
  console.error("error", 4);
}

async function useStore() {
  const store = new Store();
  const absent = await store.entry("k");
  const created = await store.put("k", "one", { ifVersion: 0 });
  const taken = await codeOf(store.put("k", "two", { ifVersion: 0 }));
  const first = await store.get("k");
  const bytes = new Uint8Array([0, 255]);
  const swapped = await store.put("k", bytes, { ifVersion: created });
  const stale = await codeOf(store.put("k", "three", { ifVersion: created }));
  const second = await store.get("k");
  await store.increment("n", 5);
  return {
    absent: absent === null,
    taken,
    first,
    grows: swapped > created,
    stale,
    second,
    sum: await store.increment("n", -2),
    keys: (await store.list()).keys,
    deleted: await store.delete("k"),
    again: await store.delete("k"),
  };
}

async function codeOf(promise) {
  try {
    await promise;
    return null;
  } catch (error) {
    return error.code;
  }
}

async function useFetch(event) {
  try {
    const headers = { "x-ask": "why" };
    const answer = await fetch(event.url, { method: "POST", headers, body: event.body });
    return {
      status: answer.status,
      header: answer.headers.get("x-kind"),
      body: await answer.bytes(),
    };
  } catch (error) {
    return error.cause.code;
  }
}

async function sleep(event) {
  const began = performance.now();
  await new Promise((resolve) => setTimeout(resolve, event.ms));
  return Math.floor(performance.now() - began);
}

function answerHttp(event) {
  return respond(201, bodyOf(event), {
    headers: {
      "content-type": "application/octet-stream",
      "x-answer": event.headers?.["x-ask"] ?? "",
      "x-query": event.queryStringParameters?.q ?? "",
    },
    cookies: (event.cookies ?? []).map((cookie) => `${cookie}; HttpOnly`),
  });
}
