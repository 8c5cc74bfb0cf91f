/** `URLSearchParams`. Source: https://url.spec.whatwg.org/#interface-urlsearchparams */

import { decode, encodeForm } from "./percent.js";

const unescapeForm = (text) => decode(text.replaceAll("+", " "));

/** The pairs of a query, without its `?`. */
function parse(query) {
  const parts = query.split("&").filter((part) => part !== "");
  return parts.map((part) => {
    const cut = part.indexOf("=");
    const [name, value] = cut < 0 ? [part, ""] : [part.slice(0, cut), part.slice(cut + 1)];
    return [unescapeForm(name), unescapeForm(value)];
  });
}

function pairsOf(init) {
  if (init === null || (typeof init !== "object" && typeof init !== "function")) {
    return parse(String(init).replace(/^\?/, ""));
  }
  const given = Symbol.iterator in init ? [...init].map((pair) => [...pair]) : Object.entries(init);
  if (given.some((pair) => pair.length !== 2)) throw new TypeError("a pair has two members");
  return given.map((pair) => pair.map(toText));
}

const toText = (value) => String(value).toWellFormed();

export class URLSearchParams {
  #pairs;
  #changed;

  /** `changed` is told the query of the URL that these are of. */
  constructor(init = "", changed = undefined) {
    this.#pairs = pairsOf(init);
    this.#changed = changed;
  }

  get size() {
    return this.#pairs.length;
  }

  #update(pairs) {
    this.#pairs = pairs;
    this.#changed?.(this.toString());
  }

  append(name, value) {
    this.#update([...this.#pairs, [toText(name), toText(value)]]);
  }

  delete(name, value) {
    const stays = ([key, held]) => key !== toText(name) || (value !== undefined && held !== toText(value));
    this.#update(this.#pairs.filter(stays));
  }

  get(name) {
    return this.#pairs.find(([key]) => key === toText(name))?.[1] ?? null;
  }

  getAll(name) {
    return this.#pairs.filter(([key]) => key === toText(name)).map(([, value]) => value);
  }

  has(name, value) {
    const held = this.getAll(name);
    return value === undefined ? held.length > 0 : held.includes(toText(value));
  }

  set(name, value) {
    const key = toText(name);
    const first = this.#pairs.findIndex(([known]) => known === key);
    if (first < 0) return this.append(key, value);
    const kept = this.#pairs.filter(([known], at) => known !== key || at === first);
    this.#update(kept.map((pair) => (pair[0] === key ? [key, toText(value)] : pair)));
  }

  sort() {
    this.#update(this.#pairs.toSorted(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0)));
  }

  forEach(callback, self) {
    for (const [name, value] of this) callback.call(self, value, name, this);
  }

  *entries() {
    for (let at = 0; at < this.#pairs.length; at++) yield [...this.#pairs[at]];
  }

  *keys() {
    for (const [name] of this.entries()) yield name;
  }

  *values() {
    for (const [, value] of this.entries()) yield value;
  }

  [Symbol.iterator]() {
    return this.entries();
  }

  toString() {
    return this.#pairs.map((pair) => pair.map(encodeForm).join("=")).join("&");
  }

  get [Symbol.toStringTag]() {
    return "URLSearchParams";
  }
}
