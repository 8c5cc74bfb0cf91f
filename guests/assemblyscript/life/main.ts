// life: Conway's game of life on a torus, some generations on.
//
//     curl --data-binary $'.#.\n.#.\n.#.\n' 'localhost:8080/assemblyscript-life?generations=3'

import { Context, Response, Value, body, fail, handler, query } from "edge";

const GENERATIONS_MAX = 10_000;
const ALIVE: u8 = 0x23; // '#'
const NEWLINE: u8 = 0x0a;

handler((event: Value, _context: Context): Value => {
  const asked = query(event, "generations");
  const generations = asked.length ? I32.parseInt(asked) : 1;
  if (generations < 0 || generations > GENERATIONS_MAX)
    return fail("RangeError", "generations must be 0 to " + GENERATIONS_MAX.toString());
  const board = body(event);
  const width = board.indexOf(NEWLINE);
  if (width < 1 || board.length % (width + 1) != 0)
    return Response.text(400, "the body must be lines of one length, of . and #\n").value();
  let cells = board;
  for (let i = 0; i < generations; i++) cells = next(cells, width, board.length / (width + 1));
  return Response.text(200, String.UTF8.decode(cells.slice(0).buffer)).value();
});

function next(cells: Uint8Array, width: i32, height: i32): Uint8Array {
  const stride = width + 1;
  const after = cells.slice(0);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const count = neighbours(cells, x, y, width, height);
      const lives = count == 3 || (count == 2 && cells[y * stride + x] == ALIVE);
      after[y * stride + x] = lives ? ALIVE : 0x2e;
    }
  }
  return after;
}

function neighbours(cells: Uint8Array, x: i32, y: i32, width: i32, height: i32): i32 {
  let count = 0;
  for (let dy = -1; dy <= 1; dy++) {
    for (let dx = -1; dx <= 1; dx++) {
      const at = ((y + dy + height) % height) * (width + 1) + ((x + dx + width) % width);
      if ((dx != 0 || dy != 0) && cells[at] == ALIVE) count++;
    }
  }
  return count;
}
