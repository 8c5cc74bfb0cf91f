//! The error a function answers with, in Lambda's shape.

use crate::Value;
use alloc::{
    format,
    string::{String, ToString},
    vec,
    vec::Vec,
};
use core::{fmt, panic::Location};

/// `errorType`, `errorMessage` and `stackTrace`. Any `std::error::Error` becomes one through `?`,
/// of its own type's name; the stack holds the place where that happened.
#[derive(Clone, PartialEq)]
pub struct Error {
    kind: String,
    message: String,
    stack: Vec<String>,
}

impl Error {
    /// An error of a type that callers may match, and a message for people.
    #[track_caller]
    pub fn new(kind: &str, message: impl Into<String>) -> Error {
        Error { kind: kind.into(), message: message.into(), stack: vec![place(Location::caller())] }
    }

    /// The type.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The error with one line more of where it came from.
    #[must_use]
    #[track_caller]
    pub fn context(mut self, message: &str) -> Error {
        self.message = format!("{}: {}", message, self.message);
        self.stack.push(place(Location::caller()));
        self
    }

    pub(crate) fn into_value(self) -> Value {
        let stack = self.stack.into_iter().map(Value::Text).collect::<Vec<_>>();
        Value::map()
            .with("errorType", self.kind)
            .with("errorMessage", self.message)
            .with("stackTrace", stack)
    }
}

fn place(location: &Location<'_>) -> String {
    location.to_string()
}

impl fmt::Debug for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {} ({})", self.kind, self.message, self.stack.join(", "))
    }
}

/// `Error` itself is no `std::error::Error`, or this would overlap with `From<Error>`.
#[cfg(feature = "std")]
impl<E: std::error::Error> From<E> for Error {
    #[track_caller]
    fn from(error: E) -> Error {
        let path = core::any::type_name::<E>();
        let generic = path.find('<').unwrap_or(path.len());
        let name = path[..generic].rsplit("::").next().unwrap_or(path);
        Error::new(name, error.to_string())
    }
}
