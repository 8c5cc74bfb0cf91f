//! The key-value store: the function's own namespace, or a shared one that was granted.

use crate::{call, HostError, Value};
use alloc::{string::String, vec::Vec};

/// One namespace. A version grows with each write of its key and is never used twice.
#[derive(Clone, Debug, Default)]
pub struct Kv {
    namespace: Option<String>,
}

/// What is stored under a key.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Any value.
    pub value: Value,
    /// For [`Kv::swap`].
    pub version: u64,
    /// Unix time; none if it does not expire.
    pub expires_ms: Option<u64>,
}

/// A page of keys, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// Keys and their versions.
    pub keys: Vec<(String, u64)>,
    /// Where the next page begins; none on the last one.
    pub next: Option<String>,
}

/// How [`Kv::put_with`] writes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Put {
    /// How long the entry lasts; none: until it is deleted.
    pub ttl_ms: Option<u64>,
    /// Only if this version still stands; 0: only if the key is absent.
    pub if_version: Option<u64>,
}

/// The function's own namespace.
pub fn own() -> Kv {
    Kv::default()
}

/// A shared one.
pub fn namespace(name: &str) -> Kv {
    Kv { namespace: Some(name.into()) }
}

impl Kv {
    fn request(&self, op: &str) -> Value {
        let request = Value::map().with("op", op);
        optional(request, "namespace", self.namespace.clone())
    }

    /// The entry of a key; none if it is absent.
    pub fn get(&self, key: &str) -> Result<Option<Entry>, HostError> {
        let answer = call(&self.request("kv.get").with("key", key))?;
        let version = answer["version"].as_u64().unwrap_or_default();
        let expires_ms = answer["expiresMs"].as_u64();
        let entries = match answer {
            Value::Map(entries) => entries,
            _ => return Ok(None),
        };
        let value = entries.into_iter().find(|entry| entry.0 == "value");
        let value = value.map_or(Value::Null, |entry| entry.1);
        Ok(Some(Entry { value, version, expires_ms }))
    }

    /// Writes, whatever was there; the version written.
    pub fn put(&self, key: &str, value: impl Into<Value>) -> Result<u64, HostError> {
        self.put_with(key, value, Put::default())
    }

    /// Compare-and-set: fails with `conflict` unless `version` still stands (0: the key is absent).
    pub fn swap(&self, key: &str, value: impl Into<Value>, version: u64) -> Result<u64, HostError> {
        self.put_with(key, value, Put { if_version: Some(version), ttl_ms: None })
    }

    /// Writes under conditions of its own.
    pub fn put_with(&self, key: &str, value: impl Into<Value>, how: Put) -> Result<u64, HostError> {
        let request = self.request("kv.put").with("key", key).with("value", value);
        let request = optional(request, "ttlMs", how.ttl_ms);
        let answer = call(&optional(request, "ifVersion", how.if_version))?;
        Ok(answer["version"].as_u64().unwrap_or_default())
    }

    /// Adds to an integer in one step that no other request can come between; the sum.
    pub fn increment(&self, key: &str, by: i64) -> Result<i64, HostError> {
        let answer = call(&self.request("kv.increment").with("key", key).with("by", by))?;
        Ok(answer["value"].as_i64().unwrap_or_default())
    }

    /// Deletes; whether there was anything.
    pub fn delete(&self, key: &str) -> Result<bool, HostError> {
        let answer = call(&self.request("kv.delete").with("key", key))?;
        Ok(answer["deleted"].as_bool().unwrap_or_default())
    }

    /// Deletes if `version` still stands; else fails with `conflict`.
    pub fn delete_if(&self, key: &str, version: u64) -> Result<bool, HostError> {
        let request = self.request("kv.delete").with("key", key).with("ifVersion", version);
        Ok(call(&request)?["deleted"].as_bool().unwrap_or_default())
    }

    /// Keys with a prefix, after a cursor, at most `limit` (none: 100; at most 1000).
    pub fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: Option<u32>,
    ) -> Result<Page, HostError> {
        let request = optional(self.request("kv.list").with("prefix", prefix), "after", after);
        let answer = call(&optional(request, "limit", limit))?;
        let key_of = |entry: &Value| {
            Some((entry["key"].as_str()?.into(), entry["version"].as_u64()?))
        };
        Ok(Page {
            keys: answer["entries"].items().iter().filter_map(key_of).collect(),
            next: answer["next"].as_str().map(Into::into),
        })
    }
}

fn optional(request: Value, key: &str, value: Option<impl Into<Value>>) -> Value {
    match value {
        Some(value) => request.with(key, value),
        None => request,
    }
}
