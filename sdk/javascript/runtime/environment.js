/** `process.env`: the build's while it runs, the function's own in a request. */

import { getEnvironment } from "wasi:cli/environment@0.2.0";

import { stage } from "./stage.js";

let environment;

export const process = {
  get env() {
    if (stage.isBuild) return stage.environment;
    environment ??= Object.fromEntries(getEnvironment());
    return environment;
  },
};
