//! CBOR (RFC 8949) in both directions, for the plain values that the ABI has.
//!
//! Written here because it is small, and because a library with its traits and derive macros would
//! be most of a function's module. Invariant: no input makes the reader panic, recurse beyond
//! [`DEPTH_MAX`] or reserve more than the input is long.

use crate::Value;
use alloc::{string::String, vec::Vec};

/// How deep values may nest.
pub const DEPTH_MAX: usize = 64;

const BYTES: u8 = 2;
const TEXT: u8 = 3;
const ARRAY: u8 = 4;
const MAP: u8 = 5;
const TAG: u8 = 6;
const SIMPLE: u8 = 7;
const INDEFINITE: u8 = 31;
const BREAK: u8 = 0xff;

/// The bytes of a value, integers and lengths in their shortest form.
pub fn encode(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out, value);
    out
}

fn write_head(out: &mut Vec<u8>, major: u8, argument: u64) {
    let major = major << 5;
    let bytes = argument.to_be_bytes();
    match argument {
        0..=23 => out.push(major | argument as u8),
        24..=0xff => out.extend_from_slice(&[major | 24, argument as u8]),
        0x100..=0xffff => {
            out.push(major | 25);
            out.extend_from_slice(&bytes[6..]);
        }
        0x1_0000..=0xffff_ffff => {
            out.push(major | 26);
            out.extend_from_slice(&bytes[4..]);
        }
        _ => {
            out.push(major | 27);
            out.extend_from_slice(&bytes);
        }
    }
}

fn write_string(out: &mut Vec<u8>, major: u8, bytes: &[u8]) {
    out.reserve(bytes.len() + 9);
    write_head(out, major, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn write(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => out.push(0xf6),
        Value::Bool(flag) => out.push(0xf4 | u8::from(*flag)),
        Value::Int(number) if *number >= 0 => write_head(out, 0, *number as u64),
        Value::Int(number) => write_head(out, 1, (-1 - number) as u64),
        Value::Float(number) => {
            out.push(0xfb);
            out.extend_from_slice(&number.to_be_bytes());
        }
        Value::Text(text) => write_string(out, TEXT, text.as_bytes()),
        Value::Bytes(bytes) => write_string(out, BYTES, bytes),
        Value::Array(items) => {
            write_head(out, ARRAY, items.len() as u64);
            items.iter().for_each(|item| write(out, item));
        }
        Value::Map(entries) => {
            write_head(out, MAP, entries.len() as u64);
            for (key, item) in entries {
                write_string(out, TEXT, key.as_bytes());
                write(out, item);
            }
        }
    }
}

/// The one value in `bytes`; none if they are malformed, too deep, or followed by more. Tags are
/// skipped.
pub fn decode(bytes: &[u8]) -> Option<Value> {
    let mut reader = Reader { rest: bytes };
    let value = reader.value(0)?;
    reader.rest.is_empty().then_some(value)
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, len: u64) -> Option<&'a [u8]> {
        let len = usize::try_from(len).ok().filter(|len| *len <= self.rest.len())?;
        let (taken, rest) = self.rest.split_at(len);
        self.rest = rest;
        Some(taken)
    }

    /// Major type, additional information and argument of the next item.
    fn head(&mut self) -> Option<(u8, u8, u64)> {
        let first = self.take(1)?[0];
        let info = first & 31;
        let argument = match info {
            0..=23 => info.into(),
            24..=27 => {
                let bytes = self.take(1 << (info - 24))?;
                bytes.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
            }
            INDEFINITE => 0,
            _ => return None,
        };
        Some((first >> 5, info, argument))
    }

    /// Whether the container goes on: by its count, or until the break.
    fn goes_on(&mut self, left: &mut Option<u64>) -> Option<bool> {
        match left {
            Some(0) => Some(false),
            Some(count) => {
                *count -= 1;
                Some(true)
            }
            None if *self.rest.first()? == BREAK => {
                self.take(1)?;
                Some(false)
            }
            None => Some(true),
        }
    }

    fn string(&mut self, major: u8, info: u8, len: u64) -> Option<Vec<u8>> {
        if info != INDEFINITE {
            return Some(self.take(len)?.into());
        }
        let mut joined = Vec::new();
        while self.goes_on(&mut None)? {
            let (chunk, info, len) = self.head()?;
            if chunk != major || info == INDEFINITE {
                return None;
            }
            joined.extend_from_slice(self.take(len)?);
        }
        Some(joined)
    }

    fn text(&mut self, info: u8, len: u64) -> Option<String> {
        String::from_utf8(self.string(TEXT, info, len)?).ok()
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        if depth > DEPTH_MAX {
            return None;
        }
        let (major, info, argument) = self.head()?;
        let mut left = (info != INDEFINITE).then_some(argument);
        Some(match major {
            BYTES => Value::Bytes(self.string(BYTES, info, argument)?),
            TEXT => Value::Text(self.text(info, argument)?),
            ARRAY => {
                let mut items = Vec::new();
                while self.goes_on(&mut left)? {
                    items.push(self.value(depth + 1)?);
                }
                Value::Array(items)
            }
            MAP => {
                let mut entries = Vec::new();
                while self.goes_on(&mut left)? {
                    let (major, info, len) = self.head()?;
                    if major != TEXT {
                        return None;
                    }
                    entries.push((self.text(info, len)?, self.value(depth + 1)?));
                }
                Value::Map(entries)
            }
            _ if info == INDEFINITE => return None,
            TAG => self.value(depth + 1)?,
            SIMPLE => simple(info, argument),
            0 => Value::Int(argument.into()),
            _ => Value::Int(-1 - i128::from(argument)),
        })
    }
}

fn simple(info: u8, argument: u64) -> Value {
    match info {
        20 | 21 => Value::Bool(info == 21),
        25 => Value::Float(half(argument)),
        26 => Value::Float(f32::from_bits(argument as u32).into()),
        27 => Value::Float(f64::from_bits(argument)),
        _ => Value::Null,
    }
}

/// A half-precision float, rebuilt as a double: only the exponent's bias differs.
fn half(bits: u64) -> f64 {
    let (exponent, fraction) = (bits >> 10 & 31, bits & 1023);
    let size = match exponent {
        0 => fraction as f64 / 16_777_216.0,
        31 => f64::from_bits(2047 << 52 | fraction << 42),
        _ => f64::from_bits((exponent + 1008) << 52 | fraction << 42),
    };
    if bits >> 15 == 1 { -size } else { size }
}
