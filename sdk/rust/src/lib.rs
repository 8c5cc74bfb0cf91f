//! Functions for edge in Rust. Works on `wasm32-wasip1` and `wasm32-unknown-unknown`, from Rust 1.63.
//!
//! ```ignore
//! use edge::{Context, Error, Event};
//!
//! fn greet(event: Event, _: &Context) -> Result<String, Error> {
//!     Ok(format!("Hello, {}!\n", event.query("name").unwrap_or("world")))
//! }
//!
//! edge::handler!(greet);
//! ```
//!
//! Every event has a fresh instance that is thrown away afterwards, so statics hold nothing from
//! one event to the next. What `init` leaves in them is part of the snapshot, and each starts with it.
#![cfg_attr(not(feature = "std"), no_std)]
#![warn(missing_docs)]

extern crate alloc;

mod cbor;
mod context;
mod error;
mod event;
mod exports;
pub mod fetch;
mod host;
pub mod kv;
mod response;
mod stream;
mod value;
pub mod wasi;

pub use cbor::{decode, encode, DEPTH_MAX};
pub use context::Context;
pub use error::Error;
pub use event::Event;
#[doc(hidden)]
pub use exports::{alloc_event, initialise, run};
#[doc(hidden)]
pub use host::log_arguments;
pub use host::{call, log, HostError, Level};
pub use response::Response;
pub use stream::Stream;
pub use value::Value;
