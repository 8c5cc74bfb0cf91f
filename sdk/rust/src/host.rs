//! What every host call goes through: `edge.log`, and `edge.call` with its `edge.take`.

use crate::{decode, encode, Error, Value};
use alloc::{format, string::String, vec::Vec};
use core::fmt;

#[cfg(target_arch = "wasm32")]
mod import {
    #[link(wasm_import_module = "edge")]
    extern "C" {
        pub fn log(level: i32, ptr: *const u8, len: usize);
        pub fn call(ptr: *const u8, len: usize) -> i32;
        pub fn take(ptr: *mut u8);
    }
}

/// There is no host but edge: elsewhere (a unit test of a handler) calls are refused.
#[cfg(not(target_arch = "wasm32"))]
mod import {
    pub unsafe fn log(_: i32, _: *const u8, _: usize) {}
    pub unsafe fn call(_: *const u8, _: usize) -> i32 {
        0
    }
    pub unsafe fn take(_: *mut u8) {}
}

/// How grave a line of the log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
}

/// One line in the function's log.
pub fn log(level: Level, line: &str) {
    unsafe { import::log(level as i32, line.as_ptr(), line.len()) }
}

/// One line in the function's log: `edge::log!(Info, "{} left", count)`.
#[macro_export]
macro_rules! log {
    ($level:ident, $($argument:tt)*) => {
        $crate::log_arguments($crate::Level::$level, ::core::format_args!($($argument)*))
    };
}

#[doc(hidden)]
pub fn log_arguments(level: Level, line: fmt::Arguments<'_>) {
    log(level, &format!("{}", line));
}

/// Why a host call failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostError {
    /// `denied`, `conflict`, `timeout` and so on, as the ABI lists them.
    pub code: String,
    /// For people.
    pub message: String,
}

impl fmt::Display for HostError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.code, self.message)
    }
}

/// A host call's error as the function's own, of type `edge.denied` and so on.
impl From<HostError> for Error {
    #[track_caller]
    fn from(error: HostError) -> Error {
        Error::new(&format!("edge.{}", error.code), error.message)
    }
}

fn unavailable(message: &str) -> HostError {
    HostError { code: "unavailable".into(), message: message.into() }
}

/// Makes any host call: `request` is a map with a text `op`. The typed calls are made of it.
pub fn call(request: &Value) -> Result<Value, HostError> {
    let request = encode(request);
    let len = unsafe { import::call(request.as_ptr(), request.len()) };
    let len = usize::try_from(len).map_err(|_| unavailable("the host gave no answer"))?;
    let mut answer = Vec::with_capacity(len);
    unsafe {
        import::take(answer.as_mut_ptr());
        answer.set_len(len);
    }
    let answer = decode(&answer).ok_or_else(|| unavailable("the host's answer is malformed"))?;
    if let Some(error) = answer.get("error") {
        let text = |key| error[key].as_str().unwrap_or_default().into();
        return Err(HostError { code: text("code"), message: text("message") });
    }
    match answer {
        Value::Map(entries) => entries.into_iter().find(|entry| entry.0 == "ok").map(|entry| entry.1),
        _ => None,
    }
    .ok_or_else(|| unavailable("the host's answer is malformed"))
}
