//! The conformance guest: does what `tests/languages/cases.py` asks of every language.

use edge::{kv, log, wasi, Context, Error, Event, HostError, Response, Value};

fn answer(event: Event, context: &Context) -> Result<Value, Error> {
    match event["case"].as_str() {
        Some("echo") => Ok(event["value"].clone()),
        Some("error") => Err(teapot(event["message"].as_str().unwrap_or_default())),
        Some("context") => Ok(describe(context)),
        Some("log") => Ok(write_log()),
        Some("kv") => Ok(use_kv()?),
        Some("kv.get") => Ok(kv::own().get("key").map_or_else(code, |_| "granted".into())),
        Some("fetch") => Ok(fetch(&event)),
        Some("stream") => stream(&event),
        Some("sleep") => Ok(sleep(event["ms"].as_u64().unwrap_or_default()).into()),
        Some("environment") => {
            Ok(wasi::environment(event["name"].as_str().unwrap_or_default()).into())
        }
        Some("random") => Ok(wasi::random::<16>()[..].into()),
        _ => Ok(respond(&event).into()),
    }
}

const PAUSE_MS: u64 = 30;

fn teapot(message: &str) -> Error {
    Error::new("TeapotError", message)
}

fn code(error: HostError) -> Value {
    error.code.into()
}

fn describe(context: &Context) -> Value {
    Value::map()
        .with("requestId", context.request_id())
        .with("functionName", context.function_name())
        .with("functionVersion", context.function_version())
        .with("invokedFunctionArn", context.invoked_function_arn())
        .with("memoryLimitMb", context.memory_limit_mb())
        .with("deadlineMs", context.deadline_ms())
        .with("remainingMs", context.remaining_ms())
        .with("traceparent", context.traceparent())
        .with("clientContext", context.client_context().clone())
}

fn write_log() -> Value {
    log!(Trace, "trace {}", 0);
    log!(Debug, "debug {}", 1);
    log!(Info, "info {}", 2);
    log!(Warn, "warn {}", 3);
    log!(Error, "error {}", 4);
    Value::Null
}

fn use_kv() -> Result<Value, HostError> {
    let store = kv::own();
    let absent = store.get("k")?.is_none();
    let created = store.swap("k", "one", 0)?;
    let taken = store.swap("k", "two", 0).map_or_else(code, Value::from);
    let first = store.get("k")?.map(|entry| entry.value);
    let swapped = store.swap("k", vec![0_u8, 255], created)?;
    let stale = store.swap("k", "three", created).map_or_else(code, Value::from);
    let second = store.get("k")?.map(|entry| entry.value);
    store.increment("n", 5)?;
    let sum = store.increment("n", -2)?;
    let page = store.list("", None, None)?;
    let keys: Vec<Value> = page.keys.into_iter().map(|key| key.0.into()).collect();
    let deleted = store.delete("k")?;
    let again = store.delete("k")?;
    Ok(Value::map()
        .with("absent", absent)
        .with("taken", taken)
        .with("first", first)
        .with("grows", swapped > created)
        .with("stale", stale)
        .with("second", second)
        .with("sum", sum)
        .with("keys", keys)
        .with("deleted", deleted)
        .with("again", again))
}

fn fetch(event: &Event) -> Value {
    let url = event["url"].as_str().unwrap_or_default();
    let body = event["body"].as_bytes().unwrap_or_default();
    let request = edge::fetch::post(url, body).header("x-ask", "why");
    match request.send() {
        Ok(answer) => Value::map()
            .with("status", u32::from(answer.status))
            .with("header", answer.header("x-kind"))
            .with("body", answer.body),
        Err(error) => code(error),
    }
}

fn stream(event: &Event) -> Result<Value, Error> {
    let head = Response::bytes("text/event-stream", "").status(201).header("x-kind", "streamed");
    let mut stream = head.cookie("a=1").start()?;
    for piece in event["pieces"].items() {
        stream.write(piece.as_bytes().unwrap_or_default())?;
        wasi::sleep_ms(PAUSE_MS);
    }
    match event["message"].as_str() {
        Some(message) => Err(teapot(message)),
        None => Ok(stream.into()),
    }
}

fn sleep(duration_ms: u64) -> u64 {
    let began_ms = wasi::now_ms();
    wasi::sleep_ms(duration_ms);
    wasi::now_ms() - began_ms
}

/// An HTTP request's body, header and cookies, back as a response.
fn respond(event: &Event) -> Response {
    let mut response = Response::bytes("application/octet-stream", event.body())
        .status(201)
        .header("x-answer", event.header("x-ask").unwrap_or_default())
        .header("x-query", event.query("q").unwrap_or_default());
    for cookie in event.cookies() {
        response = response.cookie(&format!("{cookie}; HttpOnly"));
    }
    response
}

edge::handler!(answer);
