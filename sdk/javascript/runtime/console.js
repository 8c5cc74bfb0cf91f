/** `console`: each method a level of the function's log. */

import { write } from "./host.js";

const DEPTH_MAX = 4;

const at = (level) => (...given) => write(level, given.map((item) => show(item)).join(" "));

export const console = {
  trace: at(0),
  debug: at(1),
  log: at(2),
  info: at(2),
  warn: at(3),
  error: at(4),
};

/** A value as text: strings as they are, errors with their stack, the rest as JSON where it goes. */
export function show(value) {
  if (typeof value === "string") return value;
  if (value instanceof Error) return `${value.name}: ${value.message}\n${value.stack ?? ""}`.trim();
  if (typeof value === "function") return `[function ${value.name}]`;
  if (value === null || typeof value !== "object") return String(value);
  try {
    return JSON.stringify(value, guard()) ?? String(value);
  } catch {
    return Object.prototype.toString.call(value);
  }
}

function guard() {
  const above = [];
  return function (_, item) {
    if (typeof item === "bigint") return `${item}n`;
    if (item === null || typeof item !== "object") return item;
    while (above.length > 0 && above.at(-1) !== this) above.pop();
    if (above.includes(item) || above.length > DEPTH_MAX) return "…";
    above.push(item);
    return item;
  };
}
