// What the host calls; compiled beside the program, as a second entry file.

import { respond } from "edge";

export function edge_alloc(len: i32): usize {
  return changetype<usize>(new ArrayBuffer(max(len, 1)));
}

export function edge_handle(ptr: usize, len: i32): u64 {
  const answer = respond(ptr, len);
  return (<u64>answer.dataStart << 32) | answer.length;
}
