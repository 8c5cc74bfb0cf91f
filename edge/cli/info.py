"""`edge info`: everything about one function."""

from types import MappingProxyType

import click

from edge.cli.client import ControlPlane
from edge.cli.documents import InfoDocument, RateDocument, RouteDocument, SnapshotDocument
from edge.cli.options import json_option
from edge.cli.output import milliseconds, moment, print_json, print_pairs, print_warning, size
from edge.cli.shared import rate_text
from edge.model.ids import LATEST
from edge.model.rate import Rate

_CALLERS = MappingProxyType(
    {
        "none": "everybody",
        "token": "holders of a key, by its token or signing",
        "aws_iam": "holders of a key, signing",
    }
)


@click.command()
@click.argument("name")
@json_option
def info(name: str, as_json: bool) -> None:
    """Show all about the function NAME."""
    with ControlPlane() as control:
        function = control.info(name)
    if as_json:
        print_json(function)
        return
    concurrency = function["concurrency"]
    print_pairs(
        [
            ("name", function["name"]),
            ("description", function["description"]),
            ("version", function["version"]),
            ("modified", moment(function["modifiedMs"])),
            *module_pairs(function),
            ("ready", _ready_text(function)),
            ("memory", f"{function['memoryMb']} MB"),
            ("timeout", milliseconds(function["timeoutMs"])),
            ("concurrency", "up to the host's" if concurrency is None else str(concurrency)),
            ("rate", _rate_text(function["rate"])),
            ("callers", _CALLERS[function["auth"]]),
            ("primed with", ", ".join(function["prime"])),
            ("environment", " ".join(f"{k}={v}" for k, v in function["environment"].items())),
            ("digest", function["digest"]),
        ]
    )
    for warning in function["snapshot"]["warnings"]:
        print_warning(warning)


def _rate_text(rate: RateDocument | None) -> str:
    return rate_text(Rate(rate["perSecond"], rate["burst"])) if rate else ""


def module_pairs(function: InfoDocument) -> list[tuple[str, str]]:
    """What both `info` and `deploy` show of a function."""
    return [
        ("kind", function["kind"]),
        ("size", size(function["sizeBytes"])),
        ("snapshot", _snapshot_text(function["snapshot"])),
        ("grants", ", ".join(function["grants"]) or "none"),
        ("url", function.get("url", "")),
        ("routes", ", ".join(map(route_text, function["routes"]))),
    ]


def route_text(route: RouteDocument) -> str:
    """A route as `GET example.com/hi/{name}`, with its version or alias unless it is the latest."""
    text = f"{','.join(route['methods']) or 'ANY'} {route['host']}{route['path']}"
    return text if route["qualifier"] == LATEST else f"{text} -> {route['qualifier']}"


def _ready_text(function: InfoDocument) -> str:
    """How often a request found its sandbox waiting; nothing where none are started ahead."""
    ready = function.get("ready")
    if ready is None or not (ready["waiting"] or ready["hits"] or ready["misses"]):
        return ""
    return (
        f"{ready['waiting']} waiting ({size(ready['memoryBytes'])}),"
        f" {ready['hits']:,} hits, {ready['misses']:,} misses"
    )


def _snapshot_text(snapshot: SnapshotDocument) -> str:
    """The snapshot's state in a few words, with its cost or the reason there is none."""
    if snapshot["state"] == "taken":
        return (
            f"taken, image {size(snapshot['imageBytes'])},"
            f" initialised with {snapshot['initFuel']:,} fuel"
        )
    reason = snapshot["reason"]
    return f"{snapshot['state']}: {reason}" if reason else snapshot["state"]
