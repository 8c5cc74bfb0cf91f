"""Greets the name in the query or the path, and says which function and version it is."""


def handler(event, context):
    name = "world"
    if isinstance(event, dict):
        query = event.get("queryStringParameters") or {}
        name = query.get("name") or event.get("rawPath", "").strip("/") or name
    return {
        "message": f"Hello, {name}!",
        "function": context.function_name,
        "version": context.function_version,
    }
