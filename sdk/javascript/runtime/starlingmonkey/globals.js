/**
 * What StarlingMonkey's globals lack or do otherwise: the log, the environment, fetch by the host, and
 * a build that has no randomness.
 *
 * Neighbours: the entry imports it before the function. Streams, URL, timers, TextDecoder and
 * SubtleCrypto are the engine's own.
 */

import { getEnvironment } from "wasi:cli/environment@0.2.0";

import { console } from "../console.js";
import { call, HostError } from "../host.js";
import { stage } from "../stage.js";

let environment;
const process = {
  get env() {
    if (stage.isBuild) return stage.environment;
    environment ??= Object.fromEntries(getEnvironment());
    return environment;
  },
};

/** At the build the engine would trap for want of entropy; there it is the same sequence each time. */
const { random } = Math;
let state = 1;
Math.random = () => {
  if (!stage.isBuild) return random();
  state = (Math.imul(state, 48271) >>> 0) % 0x7fffffff;
  return state / 0x7fffffff;
};

for (const name of ["getRandomValues", "randomUUID"]) {
  const draw = crypto[name].bind(crypto);
  crypto[name] = (...given) => {
    if (stage.isBuild) throw new Error("nothing is random at the build: draw it in the handler");
    return draw(...given);
  };
}

/** As on QuickJS: under the function's grants, with whole bodies, and a HostError as the cause. */
async function fetch(target, init) {
  const request = new Request(target, init);
  request.signal?.throwIfAborted();
  const body = new Uint8Array(await request.arrayBuffer());
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

Object.assign(globalThis, { console, fetch, global: globalThis, process });
