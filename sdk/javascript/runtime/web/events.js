/**
 * `EventTarget`, `Event`, `AbortController` and `AbortSignal`.
 *
 * Source: https://dom.spec.whatwg.org/#events and #aborting-ongoing-activities
 */

export class Event {
  #prevented = false;
  target = null;
  stopped = false;
  timeStamp = performance.now();

  constructor(type, { cancelable = false } = {}) {
    this.type = String(type);
    this.cancelable = cancelable;
  }

  get currentTarget() {
    return this.target;
  }

  get defaultPrevented() {
    return this.#prevented;
  }

  preventDefault() {
    this.#prevented = this.cancelable;
  }

  stopImmediatePropagation() {
    this.stopped = true;
  }

  stopPropagation() {}
}

export class CustomEvent extends Event {
  constructor(type, { detail = null, ...options } = {}) {
    super(type, options);
    this.detail = detail;
  }
}

export class EventTarget {
  #listeners = [];

  addEventListener(type, listener, options = {}) {
    const { once = false, signal } = typeof options === "object" ? options : {};
    const known = this.#listeners.some((each) => each.type === type && each.listener === listener);
    if (!listener || known || signal?.aborted) return;
    this.#listeners.push({ type, listener, once });
    signal?.addEventListener("abort", () => this.removeEventListener(type, listener));
  }

  removeEventListener(type, listener) {
    const stays = (each) => each.type !== type || each.listener !== listener;
    this.#listeners = this.#listeners.filter(stays);
  }

  /** A listener that throws does not keep the others from their turn. */
  dispatchEvent(event) {
    event.target = this;
    const call = (listener) =>
      typeof listener === "function" ? listener.call(this, event) : listener.handleEvent(event);
    const own = this[`on${event.type}`];
    for (const { type, listener, once } of [...this.#listeners]) {
      if (type !== event.type || event.stopped) continue;
      if (once) this.removeEventListener(type, listener);
      attempt(() => call(listener));
    }
    if (typeof own === "function" && !event.stopped) attempt(() => call(own));
    return !event.defaultPrevented;
  }
}

function attempt(run) {
  try {
    run();
  } catch (error) {
    console.error(error);
  }
}

const MADE = Symbol("made here");

export class AbortSignal extends EventTarget {
  onabort = null;
  #aborted = false;
  #reason;

  constructor(made) {
    if (made !== MADE) throw new TypeError("use an AbortController");
    super();
  }

  get aborted() {
    return this.#aborted;
  }

  get reason() {
    return this.#reason;
  }

  throwIfAborted() {
    if (this.#aborted) throw this.#reason;
  }

  static abort(reason) {
    return fire(new AbortSignal(MADE), reason);
  }

  static timeout(ms) {
    const signal = new AbortSignal(MADE);
    const late = () => fire(signal, new DOMException("it took too long", "TimeoutError"));
    setTimeout(late, ms);
    return signal;
  }

  static any(signals) {
    const joined = new AbortSignal(MADE);
    for (const signal of signals) {
      if (signal.aborted) return fire(joined, signal.reason);
      signal.addEventListener("abort", () => fire(joined, signal.reason));
    }
    return joined;
  }

  static {
    fire = (signal, reason) => {
      if (signal.#aborted) return signal;
      signal.#aborted = true;
      signal.#reason = reason ?? new DOMException("it was aborted", "AbortError");
      signal.dispatchEvent(new Event("abort"));
      return signal;
    };
  }
}

/** Abort a signal, once. */
var fire;

export class AbortController {
  #signal = new AbortSignal(MADE);

  get signal() {
    return this.#signal;
  }

  abort(reason) {
    fire(this.#signal, reason);
  }
}
