"""Notes in Markdown, shown by a Jinja2 template, routed by Werkzeug."""

import os

import markdown
from jinja2 import Environment, FileSystemLoader
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule

HERE = os.path.dirname(__file__)
ROUTES = Map([Rule("/", endpoint="index"), Rule("/notes/<int:number>", endpoint="note")])
NOTES = {
    1: "# Bread\n\n500 g *flour*, 340 g water, 10 g salt, and [time](https://example.com/).",
    2: "# Prices\n\n| item | cents |\n|---|---|\n| tea | 250 |\n| cake | 420 |\n",
}

templates = Environment(
    loader=FileSystemLoader(os.path.join(HERE, "templates")), autoescape=True, auto_reload=False
)


def show(endpoint, arguments):
    if endpoint == "index":
        return 200, templates.get_template("index.html").render(numbers=sorted(NOTES))
    note = NOTES.get(arguments["number"])
    if note is None:
        return 404, templates.get_template("missing.html").render(**arguments)
    body = markdown.markdown(note, extensions=["tables"])
    return 200, templates.get_template("note.html").render(body=body, **arguments)


def handler(event, context):
    method = event["requestContext"]["http"]["method"]
    try:
        matched = ROUTES.bind("notes").match(event["rawPath"], method)
    except HTTPException as refused:
        return {"statusCode": refused.code, "body": refused.description}
    status, page = show(*matched)
    headers = {"content-type": "text/html; charset=utf-8"}
    return {"statusCode": status, "headers": headers, "body": page}
