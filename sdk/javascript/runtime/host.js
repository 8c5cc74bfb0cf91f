/**
 * The host's calls. While they wait the guest does, as a component's calls do; the promises that the
 * functions above return are settled already.
 */

import { call as callHost, log as writeLog } from "edge:function/host@1.0.0";

import { stage } from "./stage.js";
import { decode, encode } from "./values.js";

/** A host call that was not done; `code` is one of docs/abi.md, such as `denied`. */
export class HostError extends Error {
  constructor(code, message) {
    super(`${code}: ${message}`);
    this.name = "HostError";
    this.code = code;
  }
}

/** Do one operation of docs/abi.md; members that are undefined are left out. */
export function call(op, request) {
  const asked = encode({ op, ...request });
  const answer = stage.isBuild ? answerPrime(decode(asked)) : decode(callHost(asked));
  if ("error" in answer) throw new HostError(answer.error.code, answer.error.message);
  return answer.ok;
}

/** What a prime was given for a call, by the members that it names; refused without. */
function answerPrime(asked) {
  const isFor = ({ call: named }) =>
    Object.keys(named).every((key) => encode(named[key]) === encode(asked[key]));
  const known = stage.answers?.find(isFor);
  if (known) return known.answer;
  return { error: { code: "denied", message: `the build has no answer to ${asked.op}` } };
}

/** One line of the function's log, 0 trace to 4 error. */
export function write(level, message) {
  if (!stage.isBuild) writeLog(level, message.toWellFormed());
}
