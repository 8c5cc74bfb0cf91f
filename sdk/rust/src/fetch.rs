//! Outbound HTTP, to hosts that were granted.

use crate::{call, HostError, Value};
use alloc::{string::String, vec::Vec};

/// A request: `fetch::get(url).header("accept", "text/plain").send()?`.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until it is sent"]
pub struct Request {
    fields: Value,
    headers: Value,
}

/// An answer. A status such as 404 is one, and no error.
#[derive(Clone, Debug, PartialEq)]
pub struct Fetched {
    /// The status.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Vec<u8>,
    /// Where redirects ended.
    pub url: String,
}

/// A GET.
pub fn get(url: &str) -> Request {
    request("GET", url)
}

/// A POST.
pub fn post(url: &str, body: impl Into<Vec<u8>>) -> Request {
    request("POST", url).body(body)
}

/// A request of any method.
pub fn request(method: &str, url: &str) -> Request {
    let fields = Value::map().with("op", "fetch").with("url", url).with("method", method);
    Request { fields, headers: Value::map() }
}

impl Request {
    /// With a header.
    pub fn header(mut self, name: &str, value: &str) -> Request {
        self.headers = self.headers.with(name, value);
        self
    }

    /// With a body.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Request {
        self.fields = self.fields.with("body", body.into());
        self
    }

    /// Within a time of its own; the request's deadline holds in any case.
    pub fn timeout_ms(mut self, timeout_ms: u32) -> Request {
        self.fields = self.fields.with("timeoutMs", timeout_ms);
        self
    }

    /// Sends it, and waits for the whole answer.
    pub fn send(self) -> Result<Fetched, HostError> {
        let answer = call(&self.fields.with("headers", self.headers))?;
        let text = |value: &Value| String::from(value.as_str().unwrap_or_default());
        Ok(Fetched {
            status: answer["status"].as_u64().unwrap_or_default() as u16,
            headers: answer["headers"]
                .entries()
                .iter()
                .map(|(name, value)| (name.clone(), text(value)))
                .collect(),
            body: answer["body"].as_bytes().unwrap_or_default().into(),
            url: text(&answer["url"]),
        })
    }
}

impl Fetched {
    /// A header; `name` in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|header| header.0 == name).map(|header| header.1.as_str())
    }
}
