//! What the host calls: the exports that `handler!` makes, and the work behind them.

use crate::{decode, encode, Context, Error, Event, Value};
use alloc::{boxed::Box, vec, vec::Vec};

/// Once in a program: the function that answers events, and what to run at deploy, before the
/// snapshot: `handler!(answer)` or `handler!(answer, init = load_tables)`.
#[macro_export]
macro_rules! handler {
    ($handler:path) => {
        $crate::handler!($handler, init = ::core::default::Default::default);
    };
    ($handler:path, init = $init:path) => {
        #[no_mangle]
        pub extern "C" fn edge_init() {
            $crate::initialise();
            let _: () = $init();
        }
        #[no_mangle]
        pub extern "C" fn edge_alloc(len: usize) -> *mut u8 {
            $crate::alloc_event(len)
        }
        /// # Safety
        /// `ptr` and `len` are those of one `edge_alloc`.
        #[no_mangle]
        pub unsafe extern "C" fn edge_handle(ptr: *mut u8, len: usize) -> u64 {
            $crate::run($handler, ptr, len)
        }
    };
}

/// C's constructors, and panics in the function's log.
#[doc(hidden)]
pub fn initialise() {
    // A cdylib has no `_initialize`. Named here, constructors run once; else the linker would wrap
    // every export so that they run again at each call.
    #[cfg(target_os = "wasi")]
    {
        extern "C" {
            fn __wasm_call_ctors();
        }
        unsafe { __wasm_call_ctors() }
    }
    #[cfg(all(feature = "std", target_arch = "wasm32"))]
    std::panic::set_hook(Box::new(|panic| crate::log!(Error, "{}", panic)));
}

#[doc(hidden)]
pub fn alloc_event(len: usize) -> *mut u8 {
    Box::leak(vec![0; len].into_boxed_slice()).as_mut_ptr()
}

/// # Safety
/// `ptr` and `len` are those of one `alloc_event`.
#[doc(hidden)]
pub unsafe fn run<V: Into<Value>, E: Into<Error>>(
    handler: fn(Event, &Context) -> Result<V, E>,
    ptr: *mut u8,
    len: usize,
) -> u64 {
    let answer = match read(Vec::from_raw_parts(ptr, len, len)) {
        Some((event, context)) => handler(event, &context).map_err(Into::into),
        None => Err(Error::new("Runtime.BadEvent", "the message is not CBOR with an event in it")),
    };
    let answer = match answer {
        Ok(value) => Value::map().with("ok", value),
        Err(error) => Value::map().with("error", error.into_value()),
    };
    let bytes = Box::leak(encode(&answer).into_boxed_slice());
    (bytes.as_ptr() as u64) << 32 | bytes.len() as u64
}

fn read(message: Vec<u8>) -> Option<(Event, Context)> {
    let mut event = None;
    let mut context = Value::Null;
    if let Value::Map(entries) = decode(&message)? {
        for (key, value) in entries {
            match key.as_str() {
                "event" => event = Some(value),
                "context" => context = value,
                _ => {}
            }
        }
    }
    Some((Event(event?), Context(context)))
}
