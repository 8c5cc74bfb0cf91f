/**
 * Promises whose jobs this runtime runs itself.
 *
 * A component's export answers when it returns, and the engine runs its own jobs only after that. So
 * promises are these, the bundler turns `async` functions into generators over them, and `loop.js`
 * runs the jobs until the handler's promise is settled.
 *
 * Source: ECMA-262, 27.2. Invariant: a reaction runs from the queue, never from `resolve`.
 */

const jobs = [];
let next = 0;

/** Put a job at the end of the queue. */
export function enqueue(job) {
  jobs.push(job);
}

/** Run jobs until there is none. */
export function drain() {
  while (next < jobs.length) {
    const job = jobs[next];
    jobs[next++] = undefined;
    job();
  }
  jobs.length = next = 0;
}

const PENDING = 0;
const FULFILLED = 1;
const REJECTED = 2;

/** Call one of two with what a promise comes to: as `then`, without a promise of what follows. */
export let watch;

export class Promise {
  #state = PENDING;
  #value;
  #reactions = [];

  static {
    watch = (promise, onFulfilled, onRejected) => {
      if (!(#state in promise)) {
        promise.then(onFulfilled, onRejected);
        return;
      }
      const react = () => (promise.#state === FULFILLED ? onFulfilled : onRejected)(promise.#value);
      if (promise.#state === PENDING) promise.#reactions.push(react);
      else enqueue(react);
    };
  }

  constructor(executor) {
    if (typeof executor !== "function") throw new TypeError("Promise resolver is not a function");
    const { resolve, reject } = this.#resolvers();
    try {
      executor(resolve, reject);
    } catch (error) {
      reject(error);
    }
  }

  static get [Symbol.species]() {
    return this;
  }

  get [Symbol.toStringTag]() {
    return "Promise";
  }

  #resolvers() {
    let isCalled = false;
    return {
      resolve: (value) => {
        if (isCalled) return;
        isCalled = true;
        this.#resolve(value);
      },
      reject: (error) => {
        if (isCalled) return;
        isCalled = true;
        this.#settle(REJECTED, error);
      },
    };
  }

  #resolve(value) {
    if (value === this) {
      this.#settle(REJECTED, new TypeError("a promise cannot be resolved with itself"));
      return;
    }
    if (value === null || (typeof value !== "object" && typeof value !== "function")) {
      this.#settle(FULFILLED, value);
      return;
    }
    let then;
    try {
      then = value.then;
    } catch (error) {
      this.#settle(REJECTED, error);
      return;
    }
    if (typeof then !== "function") {
      this.#settle(FULFILLED, value);
      return;
    }
    enqueue(() => {
      const { resolve, reject } = this.#resolvers();
      try {
        then.call(value, resolve, reject);
      } catch (error) {
        reject(error);
      }
    });
  }

  #settle(state, value) {
    if (this.#state !== PENDING) return;
    this.#state = state;
    this.#value = value;
    const reactions = this.#reactions;
    this.#reactions = undefined;
    for (const react of reactions) enqueue(react);
  }

  then(onFulfilled, onRejected) {
    const Species = this.constructor?.[Symbol.species] ?? Promise;
    return new Species((resolve, reject) => {
      const react = () => {
        const fulfilled = this.#state === FULFILLED;
        const handler = fulfilled ? onFulfilled : onRejected;
        if (typeof handler !== "function") {
          (fulfilled ? resolve : reject)(this.#value);
          return;
        }
        try {
          resolve(handler(this.#value));
        } catch (error) {
          reject(error);
        }
      };
      if (this.#state === PENDING) this.#reactions.push(react);
      else enqueue(react);
    });
  }

  catch(onRejected) {
    return this.then(undefined, onRejected);
  }

  finally(onFinally) {
    if (typeof onFinally !== "function") return this.then(onFinally, onFinally);
    const Species = this.constructor?.[Symbol.species] ?? Promise;
    return this.then(
      (value) => Species.resolve(onFinally()).then(() => value),
      (error) =>
        Species.resolve(onFinally()).then(() => {
          throw error;
        }),
    );
  }

  static resolve(value) {
    if (value instanceof Promise && value.constructor === this) return value;
    return new this((resolve) => resolve(value));
  }

  static reject(error) {
    return new this((_, reject) => reject(error));
  }

  static withResolvers() {
    const made = {};
    made.promise = new this((resolve, reject) => Object.assign(made, { resolve, reject }));
    return made;
  }

  static try(callback, ...given) {
    return new this((resolve) => resolve(callback(...given)));
  }

  static all(iterable) {
    return collect(this, iterable, (promise, keep, reject) => promise.then(keep, reject));
  }

  static allSettled(iterable) {
    return collect(this, iterable, (promise, keep) =>
      promise.then(
        (value) => keep({ status: "fulfilled", value }),
        (reason) => keep({ status: "rejected", reason }),
      ),
    );
  }

  static race(iterable) {
    return new this((resolve, reject) => {
      for (const item of iterable) this.resolve(item).then(resolve, reject);
    });
  }

  static any(iterable) {
    return new this((resolve, reject) => {
      const errors = [];
      let left = 1;
      const refuse = () => {
        if (--left === 0) reject(new AggregateError(errors, "All promises were rejected"));
      };
      let index = 0;
      for (const item of iterable) {
        const at = index++;
        left += 1;
        this.resolve(item).then(resolve, (error) => {
          errors[at] = error;
          refuse();
        });
      }
      refuse();
    });
  }
}

/** All values of an iterable, each kept as `wait` says. */
function collect(Species, iterable, wait) {
  return new Species((resolve, reject) => {
    const values = [];
    let left = 1;
    const arrive = () => {
      if (--left === 0) resolve(values);
    };
    let index = 0;
    for (const item of iterable) {
      const at = index++;
      left += 1;
      const keep = (value) => {
        values[at] = value;
        arrive();
      };
      wait(Species.resolve(item), keep, reject);
    }
    arrive();
  });
}
