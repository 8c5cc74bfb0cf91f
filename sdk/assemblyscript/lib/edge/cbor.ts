// CBOR (RFC 8949) in both directions, for the plain values that the ABI has.

import { Kind, Value } from "./value";

export const DEPTH_MAX: i32 = 64;
const INDEFINITE: u8 = 31;
const BREAK: u8 = 0xff;

/** Grows by doubling. */
class Writer {
  bytes: Uint8Array = new Uint8Array(256);
  len: i32 = 0;

  room(size: i32): usize {
    if (this.len + size > this.bytes.length) {
      const larger = new Uint8Array(max(this.len + size, 2 * this.bytes.length));
      memory.copy(larger.dataStart, this.bytes.dataStart, this.len);
      this.bytes = larger;
    }
    const place = this.bytes.dataStart + this.len;
    this.len += size;
    return place;
  }

  head(major: u8, argument: u64): void {
    major <<= 5;
    if (argument < 24) {
      store<u8>(this.room(1), major | <u8>argument);
    } else if (argument <= 0xff) {
      store<u8>(this.room(1), major | 24);
      store<u8>(this.room(1), <u8>argument);
    } else if (argument <= 0xffff) {
      store<u8>(this.room(1), major | 25);
      store<u16>(this.room(2), bswap<u16>(<u16>argument));
    } else if (argument <= 0xffff_ffff) {
      store<u8>(this.room(1), major | 26);
      store<u32>(this.room(4), bswap<u32>(<u32>argument));
    } else {
      store<u8>(this.room(1), major | 27);
      store<u64>(this.room(8), bswap<u64>(argument));
    }
  }

  text(text: string): void {
    const len = String.UTF8.byteLength(text);
    this.head(3, len);
    String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, this.room(len));
  }

  value(value: Value): void {
    switch (value.kind) {
      case Kind.Null:
        store<u8>(this.room(1), 0xf6);
        break;
      case Kind.Bool:
        store<u8>(this.room(1), value.bits ? 0xf5 : 0xf4);
        break;
      case Kind.Int:
        if (<i64>value.bits < 0) this.head(1, ~value.bits); // CBOR keeps -1 - value
        else this.head(0, value.bits);
        break;
      case Kind.Uint:
        this.head(0, value.bits);
        break;
      case Kind.Float:
        store<u8>(this.room(1), 0xfb);
        store<u64>(this.room(8), bswap<u64>(reinterpret<u64>(value.number)));
        break;
      case Kind.Text:
        this.text(value.string);
        break;
      case Kind.Bytes: {
        const len = value.buffer.length;
        this.head(2, len);
        memory.copy(this.room(len), value.buffer.dataStart, len);
        break;
      }
      default: {
        const isMap = value.kind == Kind.Map;
        this.head(isMap ? 5 : 4, value.items.length);
        for (let i = 0; i < value.items.length; i++) {
          if (isMap) this.text(value.keys[i]);
          this.value(value.items[i]);
        }
      }
    }
  }
}

export function encode(value: Value): Uint8Array {
  const writer = new Writer();
  writer.value(value);
  return writer.bytes.subarray(0, writer.len);
}

/** The one value in some bytes; JavaScript's null if they are malformed, or nest too deeply. */
export function decode(start: usize, len: usize): Value | null {
  const reader = new Reader(start, start + len);
  const value = reader.value(0);
  return reader.failed || reader.at != reader.end ? null : value;
}

/** Never reads beyond its end: once `failed`, whatever it gives has no meaning. */
class Reader {
  failed: bool = false;
  info: u8 = 0;
  argument: u64 = 0;

  constructor(
    public at: usize,
    public end: usize,
  ) {}

  take(len: u64): usize {
    const place = this.at;
    if (len > <u64>(this.end - this.at)) this.failed = true;
    else this.at += <usize>len;
    return place;
  }

  /** Reads `info` and `argument`; the major type. */
  head(): u8 {
    const place = this.take(1);
    if (this.failed) return 0;
    const first = load<u8>(place);
    this.info = first & 31;
    this.argument = this.info;
    if (this.info > 27 && this.info != INDEFINITE) this.failed = true;
    if (this.info >= 24 && this.info <= 27) {
      const size = 1 << (this.info - 24);
      const from = this.take(size);
      this.argument = 0;
      for (let i = 0; i < size && !this.failed; i++)
        this.argument = (this.argument << 8) | load<u8>(from + i);
    }
    return first >> 5;
  }

  /** Whether a container goes on: by its count, or until the break where it has none. */
  goesOn(isIndefinite: bool, done: u64, count: u64): bool {
    if (this.failed) return false;
    if (!isIndefinite) return done < count;
    if (this.at < this.end && load<u8>(this.at) != BREAK) return true;
    this.take(1);
    return false;
  }

  string(major: u8): Uint8Array {
    if (this.info != INDEFINITE) return this.chunk();
    const joined = new Writer();
    while (this.goesOn(true, 0, 0)) {
      if (this.head() != major || this.info == INDEFINITE) this.failed = true;
      const chunk = this.chunk();
      memory.copy(joined.room(chunk.length), chunk.dataStart, chunk.length);
    }
    return joined.bytes.subarray(0, joined.len);
  }

  chunk(): Uint8Array {
    const len = this.argument;
    const from = this.take(len);
    if (this.failed) return new Uint8Array(0);
    const bytes = new Uint8Array(<i32>len);
    memory.copy(bytes.dataStart, from, <usize>len);
    return bytes;
  }

  text(): string {
    if (this.info != INDEFINITE) {
      const len = this.argument;
      const from = this.take(len);
      return this.failed ? "" : String.UTF8.decodeUnsafe(from, <usize>len);
    }
    const bytes = this.string(3);
    return String.UTF8.decodeUnsafe(bytes.dataStart, bytes.length);
  }

  value(depth: i32): Value {
    if (depth > DEPTH_MAX) this.failed = true;
    if (this.failed) return new Value();
    const major = this.head();
    const argument = this.argument;
    const isIndefinite = this.info == INDEFINITE;
    if (isIndefinite && (major < 2 || major > 5)) this.failed = true;
    switch (major) {
      case 0:
        return Value.uint(argument);
      case 1:
        return Value.int(~argument);
      case 2:
        return Value.bytes(this.string(2));
      case 3:
        return Value.text(this.text());
      case 4: {
        const items: Value[] = [];
        while (this.goesOn(isIndefinite, items.length, argument)) items.push(this.value(depth + 1));
        return Value.array(items);
      }
      case 5: {
        const map = Value.map();
        while (this.goesOn(isIndefinite, map.keys.length, argument)) {
          if (this.head() != 3) this.failed = true;
          const key = this.text();
          map.set(key, this.value(depth + 1));
        }
        return map;
      }
      case 6:
        return this.value(depth + 1);
      default:
        return simple(this.info, argument);
    }
  }
}

function simple(info: u8, argument: u64): Value {
  if (info == 20 || info == 21) return Value.bool(info == 21);
  if (info == 25) return Value.float(half(argument));
  if (info == 26) return Value.float(reinterpret<f32>(<u32>argument));
  if (info == 27) return Value.float(reinterpret<f64>(argument));
  return new Value();
}

/** A half-precision float, rebuilt as a double: only the exponent's bias differs. */
function half(bits: u64): f64 {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  let size = <f64>fraction / 16777216.0;
  if (exponent == 31) size = reinterpret<f64>((<u64>2047 << 52) | (fraction << 42));
  else if (exponent > 0) size = reinterpret<f64>(((exponent + 1008) << 52) | (fraction << 42));
  return bits >> 15 ? -size : size;
}
