// The nth Fibonacci number, exact as far as 128 bits go, by as-bignum.
import { u128 } from "as-bignum/assembly";
import { Context, Response, Value, fail, handler, query } from "edge";

const LAST: i32 = 186; // the largest that fits
const numbers = new Array<u128>(LAST + 1);

numbers[1] = u128.One;
numbers[0] = u128.Zero;
for (let n = 2; n <= LAST; n++) numbers[n] = numbers[n - 1] + numbers[n - 2];

handler((event: Value, context: Context): Value => {
  const n = I32.parseInt(query(event, "n"));
  if (n < 0 || n > LAST) return fail("RangeError", `n is from 0 to ${LAST}`);
  return Response.text(200, numbers[n].toString() + "\n").value();
});
