"""Greets the name in the query or the path."""


def handler(event, context):
    name = "world"
    if isinstance(event, dict):
        query = event.get("queryStringParameters") or {}
        name = query.get("name") or event.get("rawPath", "").strip("/") or name
    print(f"greeting {name}")
    return {"message": f"Hello, {name}!"}
