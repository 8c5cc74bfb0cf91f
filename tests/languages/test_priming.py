"""Priming a component: what it warms is kept, and no answer tells that it was.

Neighbours: `tests/sandbox/snapshot/test_prime.py` holds core modules to the same.
"""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.build.javascript import JavaScript
from edge.build.python import Python
from edge.cli.manifest import read_manifest
from edge.config import load
from edge.model.event import Event
from edge.model.function import Settings
from edge.model.limits import Limits
from edge.model.prime import Prime
from edge.worker import Worker, open_worker
from tests.languages.languages import Language, build_or_skip, guest

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]
PYTHON, JAVASCRIPT = Language(Python()), Language(JavaScript())
PRIMED, PLAIN = "primed", "plain"
FEED = '<feed><title>a</title><entry><title>b</title><link href="c"/></entry></feed>'
ROOMY = Settings(limits=Limits(timeout_ms=10_000))
PATHS = st.sampled_from(["/", "/notes/1", "/notes/2", "/notes/3", "/notes/x", "//"]) | st.text(
    max_size=8
).map(lambda text: f"/{text}")
PAGES = st.builds(
    lambda path, method: {"rawPath": path, "requestContext": {"http": {"method": method}}},
    PATHS,
    st.sampled_from(["GET", "HEAD", "POST"]),
)
FEEDS = st.builds(
    lambda body, limit: {"body": body, "queryStringParameters": {"limit": limit}},
    st.sampled_from(["", "<rss/>", FEED, f"{FEED} "]) | st.text(max_size=40),
    st.sampled_from(["0", "1", "x", "-1"]),
)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def worker(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Worker]:
    """One worker with both samples, primed and not."""
    data = tmp_path_factory.mktemp("priming")
    feed = data / "feed"
    shutil.copytree(guest(JAVASCRIPT, "feed"), feed, ignore=shutil.ignore_patterns("node_modules"))
    pages = guest(PYTHON, "pages")
    (declared,) = read_manifest(pages / "edge.toml")
    primed_feed = replace(ROOMY, primes=(Prime("feed", json.dumps({"body": FEED})),))
    async with open_worker(load({"data": data / "data", "build_timeout_s": 300}), 0) as opened:
        for name, language, folder, primed in (
            ("pages", PYTHON, pages, replace(ROOMY, primes=declared.settings.primes)),
            ("feed", JAVASCRIPT, feed, primed_feed),
        ):
            for state, wanted in ((PRIMED, primed), (PLAIN, ROOMY)):
                await _deploy(opened, f"{name}-{state}", language, folder, wanted)
        yield opened


async def _deploy(
    worker: Worker, name: str, language: Language, folder: Path, wanted: Settings
) -> None:
    module = await asyncio.to_thread(build_or_skip, language, folder, wanted)
    await worker.deployer.deploy(name, module, wanted)


@pytest.mark.parametrize(("name", "events"), [("pages", PAGES), ("feed", FEEDS)])
@given(data=st.data())
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
async def test_the_same_request_gets_the_same_answer_primed_and_unprimed(
    worker: Worker, name: str, events: st.SearchStrategy[object], data: st.DataObject
) -> None:
    """Whatever warmed the image, a request is answered as if nothing had."""
    event = data.draw(events)
    answers = [
        await worker.invoker.invoke(Event(f"{name}-{state}", event, "r"))
        for state in (PRIMED, PLAIN)
    ]
    assert answers[0].outcome is answers[1].outcome
    assert answers[0].value == answers[1].value
    assert answers[0].failure == answers[1].failure


async def test_python_pages(worker: Worker) -> None:
    """Jinja2, Markdown and Werkzeug, primed; what priming never saw works all the same."""
    for path, status, content in (
        ("/", 200, '<a href="notes/2">note 2</a>'),
        ("/notes/1", 200, '<a href="https://example.com/">time</a>'),
        ("/notes/2", 200, "<td>420</td>"),
        ("/notes/3", 404, "There is no note 3."),
    ):
        event = {"rawPath": path, "requestContext": {"http": {"method": "GET"}}}
        page = (await worker.invoker.invoke(Event(f"pages-{PRIMED}", event, "r"))).value
        assert isinstance(page, dict)
        assert page["statusCode"] == status
        assert content in page["body"]
