/**
 * One event: decode, call the handler, wait for it, encode what it returned or threw.
 *
 * Neighbours: the entry that `edge/build/javascript.py` writes exports what `serve` returns.
 * Invariant: nothing is thrown out of it.
 */

import { contextOf, describe, handlerOf, PRIME } from "./invocation.js";
import { runUntil } from "./loop.js";
import { watch } from "./promise.js";
import { stage } from "./stage.js";
import { marked } from "./streams.js";
import { decode, encode } from "./values.js";

/**
 * The component's `handle`, for the module of a function, after its primes have run. `name` is that
 * of the handler among the exports, perhaps with dots; empty for the usual ones.
 */
export function serve(module, primes, name) {
  const handler = handlerOf(module, name);
  for (const prime of primes) run(handler, prime);
  return (envelope) => {
    stage.isBuild = false;
    let failure;
    try {
      return encode({ ok: settle(handler, decode(envelope)) });
    } catch (error) {
      failure = describe(error);
    }
    return encode({ error: failure });
  };
}

/** Run one sample event. Should it throw, a request would too: the build goes on. */
function run(handler, { event, answers }) {
  stage.answers = decode(answers);
  try {
    settle(handler, { event: decode(event), context: PRIME });
  } catch {
    // What it warmed until then is kept.
  }
  stage.answers = undefined;
}

function settle(handler, asked) {
  return handler[marked] ? stream(handler, asked) : answer(handler, asked);
}

function answer(handler, { event, context }) {
  let ended = false;
  let value;
  let thrown;
  const end = (settled) => {
    ended = true;
    value = settled;
  };
  const callback = (error, answer) => {
    if (error) thrown = { error };
    end(answer);
  };
  const returned = handler(event, contextOf(context), callback);
  if (typeof returned?.then === "function") {
    watch(returned, end, (error) => {
      thrown = { error };
      end();
    });
  } else if (handler.length < 3) {
    end(returned);
  }
  runUntil(() => ended);
  if (thrown) throw thrown.error;
  return value === undefined ? null : value;
}

/** Run a handler that writes its response; it is over when both it and the stream have ended. */
function stream(handler, { event, context }) {
  const output = new handler[marked]();
  let ended = false;
  let thrown;
  const returned = handler(event, output, contextOf(context));
  if (typeof returned?.then === "function") {
    returned.then(
      () => (ended = true),
      (error) => {
        ended = true;
        thrown = { error };
      },
    );
  } else {
    ended = true;
  }
  runUntil(() => thrown !== undefined || (ended && !output.writable));
  if (thrown) throw thrown.error;
  if (output.errored) throw output.errored;
  output.end();
  return null;
}
