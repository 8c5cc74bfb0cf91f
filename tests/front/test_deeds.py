"""Every operation that is served is one that a policy can allow."""

import re

import pytest

from edge.front.deeds import need_of
from edge.front.lambda_api.routes import lambda_rows
from edge.front.services import Bounds
from edge.worker import Worker


async def test_every_operation_has_its_action(worker: Worker) -> None:
    """What is forgotten in the table of actions would be closed to all but who may do anything."""
    actions = []
    for method, path, _ in lambda_rows(worker.services(is_local=True), Bounds(), "http://host"):
        need = need_of(method, re.sub(r"\{\w+\}", "x", path), b"")
        assert need.actions != ("edge:Unknown",), f"{method} {path}"
        actions += need.actions
    assert len(actions) == len(set(actions)) + 1  # both ways to invoke


@pytest.mark.parametrize(
    ("method", "path", "changes"),
    [
        ("POST", "/2015-03-31/event-source-mappings/", True),
        ("GET", "/2015-03-31/event-source-mappings/0a1b2c3d-0000-4000-8000-000000000000", False),
        ("DELETE", "/2015-03-31/event-source-mappings/0a1b2c3d-0000-4000-8000-000000000000", True),
        ("POST", "/2015-03-31/functions/f/invocations", False),
        ("GET", "/2015-03-31/event-source-mappings/a/b", False),
    ],
)
def test_what_goes_to_the_audit_log(method: str, path: str, changes: bool) -> None:
    """Changes do; reading and calling do not."""
    assert need_of(method, path, b"").is_change is changes
