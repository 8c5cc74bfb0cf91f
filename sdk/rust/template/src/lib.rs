//! Greets, with a name from the query or the path.

use edge::{Context, Error, Event, Value};

fn hello(event: Event, context: &Context) -> Result<Value, Error> {
    let path = event.path().unwrap_or_default().trim_start_matches('/');
    let name = event.query("name").unwrap_or(if path.is_empty() { "world" } else { path });
    Ok(Value::map()
        .with("message", format!("Hello, {name}!"))
        .with("function", context.function_name())
        .with("version", context.function_version()))
}

edge::handler!(hello);
