//! The clock, randomness, sleep and the environment, by WASI's own imports: so they work on
//! `wasm32-unknown-unknown` too, where std has none of them.

use alloc::{string::String, vec, vec::Vec};

#[cfg(target_arch = "wasm32")]
mod import {
    #[link(wasm_import_module = "wasi_snapshot_preview1")]
    extern "C" {
        pub fn clock_time_get(clock: u32, precision_ns: u64, time_ns: *mut u64) -> i32;
        pub fn random_get(ptr: *mut u8, len: usize) -> i32;
        pub fn poll_oneoff(subs: *const u64, events: *mut u64, n: usize, done: *mut usize) -> i32;
        pub fn environ_sizes_get(count: *mut usize, bytes: *mut usize) -> i32;
        pub fn environ_get(entries: *mut *const u8, bytes: *mut u8) -> i32;
    }
}

/// There is no WASI elsewhere (a unit test of a handler).
#[cfg(not(target_arch = "wasm32"))]
mod import {
    const UNSUPPORTED: i32 = 52; // ENOSYS

    pub unsafe fn clock_time_get(_: u32, _: u64, _: *mut u64) -> i32 {
        UNSUPPORTED
    }
    pub unsafe fn random_get(_: *mut u8, _: usize) -> i32 {
        UNSUPPORTED
    }
    pub unsafe fn poll_oneoff(_: *const u64, _: *mut u64, _: usize, _: *mut usize) -> i32 {
        UNSUPPORTED
    }
    pub unsafe fn environ_sizes_get(_: *mut usize, _: *mut usize) -> i32 {
        UNSUPPORTED
    }
    pub unsafe fn environ_get(_: *mut *const u8, _: *mut u8) -> i32 {
        UNSUPPORTED
    }
}

const REALTIME: u32 = 0;
const MONOTONIC: u64 = 1;
const NS_PER_MS: u64 = 1_000_000;

/// The current Unix time.
pub fn now_ms() -> u64 {
    let mut time_ns = 0;
    unsafe { import::clock_time_get(REALTIME, NS_PER_MS, &mut time_ns) };
    time_ns / NS_PER_MS
}

/// Waits without holding anything of the host, at most to the deadline.
pub fn sleep_ms(duration_ms: u64) {
    // A subscription of 48 bytes: user data, the tag 0 for "clock", then the clock's id, the
    // timeout, the precision, and the flags (0: the timeout counts from now).
    let subscription = [0, 0, MONOTONIC, duration_ms.saturating_mul(NS_PER_MS), 0, 0];
    let (mut event, mut done) = ([0_u64; 4], 0);
    unsafe { import::poll_oneoff(subscription.as_ptr(), event.as_mut_ptr(), 1, &mut done) };
}

/// Fresh random bytes, fit for keys. Do not keep what `init` drew: every request would share it.
///
/// # Panics
/// If the host has no randomness.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    let status = unsafe { import::random_get(bytes.as_mut_ptr(), N) };
    assert!(status == 0, "the host has no randomness");
    bytes
}

/// A variable of the function's environment.
pub fn environment(name: &str) -> Option<String> {
    let (mut count, mut size) = (0, 0);
    if unsafe { import::environ_sizes_get(&mut count, &mut size) } != 0 {
        return None;
    }
    let mut entries: Vec<*const u8> = vec![core::ptr::null(); count];
    let mut bytes = vec![0; size];
    if unsafe { import::environ_get(entries.as_mut_ptr(), bytes.as_mut_ptr()) } != 0 {
        return None;
    }
    bytes.split(|byte| *byte == 0).find_map(|entry| {
        let entry = core::str::from_utf8(entry).ok()?;
        let (key, value) = entry.split_once('=')?;
        (key == name).then(|| value.into())
    })
}
