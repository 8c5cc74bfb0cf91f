//! The event, with readers for an HTTP one (API Gateway payload 2.0).

use crate::Value;
use alloc::{borrow::Cow, vec::Vec};
use core::ops::Deref;

/// Any value; `event["key"]` and all of [`Value`] work on it. The HTTP readers give none where the
/// event has none, so they are safe on any event.
#[derive(Clone, Debug, PartialEq)]
pub struct Event(pub Value);

impl Deref for Event {
    type Target = Value;

    fn deref(&self) -> &Value {
        &self.0
    }
}

impl From<Event> for Value {
    fn from(event: Event) -> Value {
        event.0
    }
}

impl Event {
    /// The request's method, in capitals.
    pub fn method(&self) -> Option<&str> {
        self["requestContext"]["http"]["method"].as_str()
    }

    /// The path below the function's name, as the client sent it.
    pub fn path(&self) -> Option<&str> {
        self["rawPath"].as_str()
    }

    /// A parameter of the query.
    pub fn query(&self, name: &str) -> Option<&str> {
        self["queryStringParameters"][name].as_str()
    }

    /// A header; `name` in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self["headers"][name].as_str()
    }

    /// The request's cookies, each `name=value`.
    pub fn cookies(&self) -> impl Iterator<Item = &str> {
        self["cookies"].items().iter().filter_map(Value::as_str)
    }

    /// The body's bytes, decoded where the event says that it is base64; empty if there is none.
    pub fn body(&self) -> Cow<'_, [u8]> {
        let body = self["body"].as_bytes().unwrap_or_default();
        match self["isBase64Encoded"].as_bool() {
            Some(true) => Cow::Owned(base64(body)),
            _ => Cow::Borrowed(body),
        }
    }
}

/// Base64 (RFC 4648, section 4), padded or not, up to the first byte that is no digit of it.
fn base64(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    let mut bits = 0;
    for (place, byte) in text.iter().enumerate() {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => break,
        };
        bits = bits << 6 | u32::from(digit);
        if place % 4 != 0 {
            bytes.push((bits >> (2 * (3 - place % 4))) as u8);
        }
    }
    bytes
}
