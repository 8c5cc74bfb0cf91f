/** `structuredClone`. Source: https://html.spec.whatwg.org/#structuredserializeinternal */

const ERRORS = { EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };
const ArrayOf = Object.getPrototypeOf(Uint8Array);

/** A copy that shares nothing with the value, with its cycles. Nothing is handed over. */
export function structuredClone(value, { transfer = [] } = {}) {
  if (transfer.length > 0) throw refused("nothing can be transferred");
  return copy(value, new Map());
}

function copy(value, seen) {
  if (typeof value === "symbol" || typeof value === "function") throw refused(String(value));
  if (value === null || typeof value !== "object") return value;
  if (seen.has(value)) return seen.get(value);
  const keep = (made) => {
    seen.set(value, made);
    return made;
  };
  const plain = copyPlain(value, seen, keep);
  if (plain !== undefined) return plain;
  if (value instanceof Map) {
    const made = keep(new Map());
    for (const [key, held] of [...value]) made.set(copy(key, seen), copy(held, seen));
    return made;
  }
  if (value instanceof Set) {
    const made = keep(new Set());
    for (const held of [...value]) made.add(copy(held, seen));
    return made;
  }
  if (value instanceof Error) return copyError(value, seen, keep);
  if (/^\[object (Weak|Promise|Generator|Async)/.test(Object.prototype.toString.call(value))) {
    throw refused(Object.prototype.toString.call(value));
  }
  return copyMembers(value, keep(Array.isArray(value) ? Array(value.length) : {}), seen);
}

/** What has no members; undefined for what has. */
function copyPlain(value, seen, keep) {
  if (value instanceof Date) return keep(new Date(value.getTime()));
  if (value instanceof RegExp) return keep(new RegExp(value.source, value.flags));
  if (value instanceof ArrayBuffer) return keep(value.slice());
  if (value instanceof ArrayOf) {
    const buffer = copy(value.buffer, seen);
    return keep(new value.constructor(buffer, value.byteOffset, value.length));
  }
  if (value instanceof DataView) {
    return keep(new DataView(copy(value.buffer, seen), value.byteOffset, value.byteLength));
  }
  const boxed = [Boolean, Number, String, BigInt].some((each) => value instanceof each);
  return boxed ? keep(Object(value.valueOf())) : undefined;
}

function copyError(value, seen, keep) {
  const Kind = ERRORS[value.name] ?? Error;
  const made = keep(new Kind(value.message));
  if ("stack" in value) made.stack = String(value.stack);
  if ("cause" in value) made.cause = copy(value.cause, seen);
  return made;
}

function copyMembers(value, made, seen) {
  for (const key of Object.keys(value)) made[key] = copy(value[key], seen);
  return made;
}

const refused = (what) => new DOMException(`${what} could not be cloned`, "DataCloneError");
