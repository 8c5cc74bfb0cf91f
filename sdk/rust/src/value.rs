//! A value as it travels: what JSON has, and byte strings.

use alloc::{string::String, vec::Vec};
use core::ops::Index;

/// A CBOR value without tags. Maps keep the order they came in.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Value {
    Null,
    Bool(bool),
    /// -2^64 to 2^64 - 1, which is what CBOR has; the host takes 64-bit integers.
    Int(i128),
    Float(f64),
    Text(String),
    Bytes(Vec<u8>),
    Array(Vec<Value>),
    Map(Vec<(String, Value)>),
}

static NULL: Value = Value::Null;

impl Value {
    /// An empty map, for [`Value::with`].
    pub fn map() -> Value {
        Value::Map(Vec::new())
    }

    /// The map with one entry more: `Value::map().with("name", "Ada").with("age", 36)`.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Value {
        if let Value::Map(entries) = &mut self {
            entries.push((key.into(), value.into()));
        }
        self
    }

    /// The value under a key; none if there is none, or if this is no map.
    pub fn get(&self, key: &str) -> Option<&Value> {
        match self {
            Value::Map(entries) => entries.iter().find(|entry| entry.0 == key).map(|entry| &entry.1),
            _ => None,
        }
    }

    /// Whether this is null, as a lookup of an absent key is too.
    pub fn is_null(&self) -> bool {
        *self == Value::Null
    }

    /// A text string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A byte string, or a text string as its bytes.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Value::Bytes(bytes) => Some(bytes),
            Value::Text(text) => Some(text.as_bytes()),
            _ => None,
        }
    }

    /// An integer that fits.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Value::Int(number) => i64::try_from(*number).ok(),
            _ => None,
        }
    }

    /// An integer that fits and is not negative.
    pub fn as_u64(&self) -> Option<u64> {
        match self {
            Value::Int(number) => u64::try_from(*number).ok(),
            _ => None,
        }
    }

    /// A float, or an integer as one.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Value::Float(number) => Some(*number),
            Value::Int(number) => Some(*number as f64),
            _ => None,
        }
    }

    /// A boolean.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(flag) => Some(*flag),
            _ => None,
        }
    }

    /// The items of an array; none of any other kind.
    pub fn items(&self) -> &[Value] {
        match self {
            Value::Array(items) => items,
            _ => &[],
        }
    }

    /// The entries of a map; none of any other kind.
    pub fn entries(&self) -> &[(String, Value)] {
        match self {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }
}

/// `value["key"]`: null where there is no such key, so that lookups chain.
impl Index<&str> for Value {
    type Output = Value;

    fn index(&self, key: &str) -> &Value {
        self.get(key).unwrap_or(&NULL)
    }
}

macro_rules! from {
    ($($kind:ty => |$name:ident| $value:expr;)*) => {$(
        impl From<$kind> for Value {
            fn from($name: $kind) -> Value {
                $value
            }
        }
    )*};
}

from! {
    () => |_nothing| Value::Null;
    bool => |flag| Value::Bool(flag);
    i32 => |number| Value::Int(number.into());
    u32 => |number| Value::Int(number.into());
    i64 => |number| Value::Int(number.into());
    u64 => |number| Value::Int(number.into());
    usize => |number| Value::Int(number as i128);
    f64 => |number| Value::Float(number);
    &str => |text| Value::Text(text.into());
    String => |text| Value::Text(text);
    Vec<u8> => |bytes| Value::Bytes(bytes);
    &[u8] => |bytes| Value::Bytes(bytes.into());
    Vec<Value> => |items| Value::Array(items);
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Value {
        value.map_or(Value::Null, Into::into)
    }
}
