// A value as it travels: what JSON has, and byte strings.

export enum Kind {
  Null,
  Bool,
  /** An integer of 64 bits with a sign. */
  Int,
  /** An integer that only fits 64 bits without one. */
  Uint,
  Float,
  Text,
  Bytes,
  Array,
  Map,
}

const NO_BYTES = new Uint8Array(0);
const NO_VALUES: Value[] = [];

/** One value. Which fields mean something, its kind says; the readers give a fallback otherwise. */
export class Value {
  kind: Kind = Kind.Null;
  bits: u64 = 0;
  number: f64 = 0;
  string: string = "";
  buffer: Uint8Array = NO_BYTES;
  /** Of an array, or of a map beside its keys. */
  items: Value[] = NO_VALUES;
  keys: string[] = [];

  static null(): Value {
    return new Value();
  }
  static bool(flag: bool): Value {
    const value = new Value();
    value.kind = Kind.Bool;
    value.bits = flag ? 1 : 0;
    return value;
  }
  static int(number: i64): Value {
    const value = new Value();
    value.kind = Kind.Int;
    value.bits = number;
    return value;
  }
  static uint(number: u64): Value {
    const value = Value.int(number);
    if (<i64>number < 0) value.kind = Kind.Uint;
    return value;
  }
  static float(number: f64): Value {
    const value = new Value();
    value.kind = Kind.Float;
    value.number = number;
    return value;
  }
  static text(text: string): Value {
    const value = new Value();
    value.kind = Kind.Text;
    value.string = text;
    return value;
  }
  static bytes(bytes: Uint8Array): Value {
    const value = new Value();
    value.kind = Kind.Bytes;
    value.buffer = bytes;
    return value;
  }
  static array(items: Value[]): Value {
    const value = new Value();
    value.kind = Kind.Array;
    value.items = items;
    return value;
  }
  static map(): Value {
    const value = new Value();
    value.kind = Kind.Map;
    value.items = [];
    return value;
  }

  /** The map with one entry more: `Value.map().set("name", Value.text("Ada"))`. */
  set(key: string, value: Value): Value {
    this.keys.push(key);
    this.items.push(value);
    return this;
  }

  /** The value under a key; null if there is none, or if this is no map, so that lookups chain. */
  get(key: string): Value {
    const place = this.keys.indexOf(key);
    return place < 0 ? new Value() : this.items[place];
  }

  isNull(): bool {
    return this.kind == Kind.Null;
  }
  asBool(): bool {
    return this.kind == Kind.Bool && this.bits != 0;
  }
  asInt(): i64 {
    return this.kind == Kind.Int || this.kind == Kind.Uint ? this.bits : 0;
  }
  asFloat(): f64 {
    if (this.kind == Kind.Int) return <f64>(<i64>this.bits);
    return this.kind == Kind.Uint ? <f64>this.bits : this.number;
  }
  asText(): string {
    return this.string;
  }
  /** A byte string, or text as its bytes. */
  asBytes(): Uint8Array {
    if (this.kind != Kind.Text) return this.buffer;
    return Uint8Array.wrap(String.UTF8.encode(this.string));
  }
}
