/**
 * One event on StarlingMonkey, which awaits what an export returns: promises are the engine's own.
 *
 * Neighbours: `../serve.js` does it on QuickJS. Invariant: what `serve` returns never rejects.
 */

import { contextOf, describe, handlerOf, PRIME } from "../invocation.js";
import { stage } from "../stage.js";
import { decode, encode } from "../values.js";

/** The component's `handle`, for the module of a function, once its primes have run. */
export async function serve(module, primes, name) {
  const handler = handlerOf(module, name);
  for (const prime of primes) await run(handler, prime);
  return async (envelope) => {
    stage.isBuild = false;
    let failure;
    try {
      return encode({ ok: await settle(handler, decode(envelope)) });
    } catch (error) {
      failure = describe(error);
    }
    return encode({ error: failure });
  };
}

/** Run one sample event. Should it throw, a request would too: the build goes on. */
async function run(handler, { event, answers }) {
  stage.answers = decode(answers);
  try {
    await settle(handler, { event: decode(event), context: PRIME });
  } catch {
    // What it warmed until then is kept.
  }
  stage.answers = undefined;
}

function settle(handler, { event, context }) {
  return new Promise((resolve, reject) => {
    const callback = (error, answer) => (error ? reject(error) : resolve(answer));
    const returned = handler(event, contextOf(context), callback);
    if (typeof returned?.then === "function" || handler.length < 3) resolve(returned);
  }).then((value) => (value === undefined ? null : value));
}
