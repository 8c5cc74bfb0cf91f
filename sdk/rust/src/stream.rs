//! A response that leaves while it is written.

use crate::{call, HostError, Response, Value};
use alloc::vec::Vec;
use core::fmt;

/// What is written here is on its way to the client, who may make the function wait by reading
/// slowly. It ends when the handler returns; an error that it returns cuts the response off.
///
/// ```ignore
/// let mut stream = Response::text("so far: ").start()?;
/// writeln!(stream, "{} done", count)?;
/// Ok(stream)
/// ```
#[derive(Debug)]
pub struct Stream(());

impl Response {
    /// Sends the head now, and the body there is as a first piece.
    pub fn start(self) -> Result<Stream, HostError> {
        let (head, body) = self.into_parts();
        call(&head.with("op", "response.start"))?;
        let mut stream = Stream(());
        if !body.is_empty() {
            stream.write(body)?;
        }
        Ok(stream)
    }
}

impl Stream {
    /// Writes a piece; returns when the host has it.
    pub fn write(&mut self, piece: impl Into<Vec<u8>>) -> Result<(), HostError> {
        let request = Value::map().with("op", "response.write").with("data", piece.into());
        call(&request).map(drop)
    }
}

/// What a handler returns that has written its response.
impl From<Stream> for Value {
    fn from(_: Stream) -> Value {
        Value::Null
    }
}

impl fmt::Write for Stream {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.write(text).map_err(|_| fmt::Error)
    }
}

#[cfg(feature = "std")]
impl std::io::Write for Stream {
    fn write(&mut self, piece: &[u8]) -> std::io::Result<usize> {
        let refused = |error| std::io::Error::new(std::io::ErrorKind::Other, format!("{}", error));
        Stream::write(self, piece).map_err(refused)?;
        Ok(piece.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
