//! An HTTP response in Lambda's shape.

use crate::Value;
use alloc::{string::String, vec::Vec};

/// Built by its methods: `Response::text("made").status(201).cookie("id=7; HttpOnly")`.
#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    status: u16,
    headers: Vec<(String, Value)>,
    cookies: Vec<Value>,
    body: Vec<u8>,
}

impl Response {
    /// A response without a body.
    pub fn new(status: u16) -> Response {
        Response { status, headers: Vec::new(), cookies: Vec::new(), body: Vec::new() }
    }

    /// A body of text.
    pub fn text(body: impl Into<String>) -> Response {
        let response = Response::new(200).header("content-type", "text/plain; charset=utf-8");
        Response { body: body.into().into_bytes(), ..response }
    }

    /// A body of any content type.
    pub fn bytes(content_type: &str, body: impl Into<Vec<u8>>) -> Response {
        let response = Response::new(200).header("content-type", content_type);
        Response { body: body.into(), ..response }
    }

    /// The response with another status.
    #[must_use]
    pub fn status(mut self, status: u16) -> Response {
        self.status = status;
        self
    }

    /// The response with a header; one of the same name is replaced.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Response {
        self.headers.retain(|header| header.0 != name);
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The response with a cookie: a whole `Set-Cookie` value.
    #[must_use]
    pub fn cookie(mut self, cookie: &str) -> Response {
        self.cookies.push(cookie.into());
        self
    }

    /// Status, headers and cookies as a map, and the body.
    pub(crate) fn into_parts(self) -> (Value, Vec<u8>) {
        let head = Value::map()
            .with("statusCode", u32::from(self.status))
            .with("headers", Value::Map(self.headers))
            .with("cookies", self.cookies);
        (head, self.body)
    }
}

impl From<Response> for Value {
    fn from(response: Response) -> Value {
        let (head, body) = response.into_parts();
        head.with("isBase64Encoded", false).with("body", body)
    }
}
