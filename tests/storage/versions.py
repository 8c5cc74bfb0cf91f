"""Versions for tests: plain ones, and a strategy for every one there can be."""

from hypothesis import strategies as st

from edge.model.function import (
    Artifact,
    GuestKind,
    Package,
    Provision,
    Settings,
    SharedSettings,
    ShownSettings,
    SnapshotReport,
    SnapshotState,
    Version,
)
from edge.model.limits import MEMORY_MB_MAX, TIMEOUT_MS_MAX, Limits
from edge.model.policy import FunctionPolicy
from edge.model.prime import Prime
from edge.model.rate import BURST_MAX, PER_S_MAX, PER_S_MIN, Rate
from edge.model.route import Route
from edge.model.url import AuthType, Cors, InvokeMode, UrlConfig

ROUTES = (Route("/"), Route("/größe/{a}/{b+}", ("GET", "PUT"), "*.a.example", "live"))
ARTIFACT = Artifact("a" * 64, 1_000, "b" * 64, GuestKind.ABI, SnapshotReport(SnapshotState.TAKEN))


def draft(function: str = "hello", revision_id: str = "r1", description: str = "") -> Version:
    """A version as the registry hands it to a store."""
    settings = Settings(description=description)
    return Version(function, ARTIFACT, settings, -1, revision_id, 1_700_000_000_000)


_counts = st.integers(0, 2**53)
_texts = st.lists(st.text(), max_size=3).map(tuple)
_pairs = st.lists(st.tuples(st.text(), st.text()), max_size=3).map(tuple)
_surrogates = st.text(st.characters(exclude_categories=()), max_size=5)

snapshots = st.builds(
    SnapshotReport, st.sampled_from(SnapshotState), st.text(), _texts, _counts, _counts
)
packages = st.none() | st.builds(Package, st.text(), _counts, st.booleans())
artifacts = st.builds(
    Artifact, st.text(), _counts, st.text(), st.sampled_from(GuestKind), snapshots, packages
)
limits = st.builds(Limits, st.integers(1, TIMEOUT_MS_MAX), st.integers(1, MEMORY_MB_MAX))
primes = st.lists(st.builds(Prime, st.text(), st.text(), st.text()), max_size=2).map(tuple)
shown = st.builds(ShownSettings, st.text(), _counts, _pairs, st.text())
settings = st.builds(
    Settings,
    limits,
    _pairs,
    _texts,
    st.booleans(),
    primes,
    _surrogates,
    st.text(),
    st.text(),
    st.text(),
    _texts,
    shown,
)
cors = st.builds(Cors, st.booleans(), _texts, _texts, _texts, _texts, _counts)
urls = st.builds(
    UrlConfig,
    st.text(),
    st.sampled_from(AuthType),
    _counts,
    _counts,
    st.sampled_from(InvokeMode),
    st.none() | cors,
)
rates = st.builds(Rate, st.floats(PER_S_MIN, PER_S_MAX), st.integers(1, BURST_MAX))
shared = st.builds(
    SharedSettings,
    st.none() | st.integers(0, 1_000),
    _pairs,
    st.lists(urls, max_size=2).map(tuple),
    st.lists(st.builds(Provision, st.text(), _counts, _counts), max_size=2).map(tuple),
    st.lists(st.builds(FunctionPolicy, st.text(), st.text(), _pairs), max_size=2).map(tuple),
    st.lists(st.sampled_from(ROUTES), max_size=2).map(tuple),
    st.none() | rates,
)
