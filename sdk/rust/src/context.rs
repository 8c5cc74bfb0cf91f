//! What the host says about the request beside its event.

use crate::{wasi, Value};

/// The context of `docs/abi.md`, with its fields by name and as they came.
pub struct Context(pub(crate) Value);

impl Context {
    fn text(&self, key: &str) -> &str {
        self.0[key].as_str().unwrap_or_default()
    }

    /// A UUID.
    pub fn request_id(&self) -> &str {
        self.text("requestId")
    }

    /// The function's name.
    pub fn function_name(&self) -> &str {
        self.text("functionName")
    }

    /// `$LATEST` or a number.
    pub fn function_version(&self) -> &str {
        self.text("functionVersion")
    }

    /// The ARN it was invoked by.
    pub fn invoked_function_arn(&self) -> &str {
        self.text("invokedFunctionArn")
    }

    /// How much memory it may use.
    pub fn memory_limit_mb(&self) -> u64 {
        self.0["memoryLimitMb"].as_u64().unwrap_or_default()
    }

    /// When it is ended, as Unix time.
    pub fn deadline_ms(&self) -> u64 {
        self.0["deadlineMs"].as_u64().unwrap_or_default()
    }

    /// How long it may still take; 0 when its time is up.
    pub fn remaining_ms(&self) -> u64 {
        self.deadline_ms().saturating_sub(wasi::now_ms())
    }

    /// The W3C trace context of the caller.
    pub fn traceparent(&self) -> Option<&str> {
        self.0["traceparent"].as_str()
    }

    /// What the caller of the invoke API gave; null if nothing.
    pub fn client_context(&self) -> &Value {
        &self.0["clientContext"]
    }
}
