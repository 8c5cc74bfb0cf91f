/**
 * What StarlingMonkey's globals lack or do otherwise: the log, the environment, a build that has no
 * randomness, and fetch by the host, the same as on QuickJS.
 *
 * Neighbours: the entry imports it before the function. Streams, URL, timers, TextDecoder and
 * SubtleCrypto are the engine's own.
 */

import { console } from "../console.js";
import { process } from "../environment.js";
import { fetch, Headers, Request, Response } from "../fetch.js";
import { stage } from "../stage.js";

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

Object.assign(globalThis, { Headers, Request, Response, console, fetch, global: globalThis, process });
