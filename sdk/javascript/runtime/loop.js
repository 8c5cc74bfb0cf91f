/**
 * The event loop: jobs first, then the timer that is due next.
 *
 * Neighbours: `promise.js` has the jobs, `serve.js` runs the loop until the handler has answered.
 * Invariant: while nothing can be done the guest waits in the host, which holds no thread for it.
 */

import { subscribeDuration } from "wasi:clocks/monotonic-clock@0.2.0";

import { drain } from "./promise.js";
import { stage } from "./stage.js";

const TIMERS_MAX = 10_000;
const NS_PER_MS = 1_000_000;

const timers = new Map();
let last = 0;

/** Call `callback` after `ms`, and again each `ms` if it repeats; returns what `cancel` takes. */
export function start(callback, ms, given, repeats) {
  if (timers.size >= TIMERS_MAX) throw new RangeError(`at most ${TIMERS_MAX} timers`);
  const wait = Math.max(1, Number(ms) || 0);
  last += 1;
  timers.set(last, { id: last, due: performance.now() + wait, wait, callback, given, repeats });
  return last;
}

/** Forget a timer. */
export function cancel(id) {
  timers.delete(id);
}

/** Run until `isDone()`, or until there is nothing left to wait for. */
export function runUntil(isDone) {
  for (;;) {
    drain();
    if (isDone() || timers.size === 0) return;
    fire(earliest());
  }
}

function earliest() {
  let first;
  for (const timer of timers.values()) {
    if (first === undefined || timer.due < first.due) first = timer;
  }
  return first;
}

function fire(timer) {
  const left = timer.due - performance.now();
  if (left > 0 && !stage.isBuild) subscribeDuration(Math.ceil(left * NS_PER_MS)).block();
  if (timer.repeats) timer.due = performance.now() + timer.wait;
  else timers.delete(timer.id);
  timer.callback(...timer.given);
}
