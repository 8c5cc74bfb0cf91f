"""Artifacts and settings as JSON: nothing is lost, and nothing unknown is let through."""

import json
from collections.abc import Callable
from dataclasses import fields, replace

import pytest
from hypothesis import given

from edge.model.errors import StorageFailure
from edge.model.function import (
    Artifact,
    Package,
    Provision,
    Settings,
    SharedSettings,
    ShownSettings,
    SnapshotReport,
)
from edge.model.ids import LATEST
from edge.model.limits import Limits
from edge.model.policy import FunctionPolicy
from edge.model.rate import Rate
from edge.model.route import Route
from edge.model.url import AuthType, Cors, UrlConfig
from edge.storage.documents import (
    decode_artifact,
    decode_settings,
    decode_shared,
    encode_artifact,
    encode_settings,
    encode_shared,
)
from edge.storage.members import FORMAT
from tests.storage.versions import ARTIFACT, artifacts, settings, shared

ARTIFACT_TEXT = encode_artifact(replace(ARTIFACT, package=Package("c" * 64, 9)))
SETTINGS_TEXT = encode_settings(Settings())
URL = UrlConfig(LATEST, AuthType.NONE, 1, 2, cors=Cors())
POLICY = FunctionPolicy("1", "r1", (("s1", "{}"),))
SHARED_TEXT = encode_shared(
    SharedSettings(
        urls=(URL,),
        provisions=(Provision("1", 2, 3),),
        policies=(POLICY,),
        routes=(Route("/hi/{name}", ("GET",), "a.example", "live"),),
        rate=Rate(2, 3),
    )
)
ALL = pytest.mark.parametrize(
    ("decode", "text"),
    [
        (decode_artifact, ARTIFACT_TEXT),
        (decode_settings, SETTINGS_TEXT),
        (decode_shared, SHARED_TEXT),
    ],
)


@given(artifacts)
def test_every_artifact_comes_back(artifact: Artifact) -> None:
    """Decoding gives back the artifact that was encoded."""
    assert decode_artifact(encode_artifact(artifact)) == artifact


@given(settings)
def test_all_settings_come_back(stored: Settings) -> None:
    """Decoding gives back the settings that were encoded, lone surrogates and all."""
    assert decode_settings(encode_settings(stored)) == stored


@given(shared)
def test_all_shared_settings_come_back(stored: SharedSettings) -> None:
    """Decoding gives back what a function's versions share, URLs and their CORS too."""
    assert decode_shared(encode_shared(stored)) == stored


@pytest.mark.parametrize(
    ("kind", "document"),
    [
        (Artifact, json.loads(ARTIFACT_TEXT)),
        (Package, json.loads(ARTIFACT_TEXT)["package"][0]),
        (SnapshotReport, json.loads(ARTIFACT_TEXT)["snapshot"]),
        (Settings, json.loads(SETTINGS_TEXT)),
        (Limits, json.loads(SETTINGS_TEXT)["limits"]),
        (ShownSettings, json.loads(SETTINGS_TEXT)["shown"]),
        (SharedSettings, json.loads(SHARED_TEXT)),
        (UrlConfig, json.loads(SHARED_TEXT)["urls"][0]),
        (Provision, json.loads(SHARED_TEXT)["provisions"][0]),
        (FunctionPolicy, json.loads(SHARED_TEXT)["policies"][0]),
        (Rate, json.loads(SHARED_TEXT)["rate"][0]),
        (Cors, json.loads(SHARED_TEXT)["urls"][0]["cors"][0]),
    ],
)
def test_every_field_has_its_member(kind: type, document: dict[str, object]) -> None:
    """A field added to the model cannot be forgotten here: it would be lost at a restart."""
    members = len(document) - ("format" in document)
    assert members == len(fields(kind))


@ALL
def test_a_newer_format_is_refused(decode: Callable[[str], object], text: str) -> None:
    """After a downgrade the old edge says so, instead of misreading."""
    newer = json.dumps({**json.loads(text), "format": FORMAT + 1})
    with pytest.raises(StorageFailure, match="upgrade edge"):
        decode(newer)


@ALL
@pytest.mark.parametrize("inner", [False, True])
def test_an_unknown_member_is_refused(
    decode: Callable[[str], object], text: str, inner: bool
) -> None:
    """What this edge does not know would be dropped at the next write, so it is not read."""
    document = json.loads(text)
    inside = document.get("limits") or document.get("snapshot") or document["urls"][0]
    target = inside if inner else document
    target["colour"] = "blue"
    with pytest.raises(StorageFailure, match="colour"):
        decode(json.dumps(document))


@ALL
def test_a_missing_member_is_refused(decode: Callable[[str], object], text: str) -> None:
    """No default stands in for a member that should be there."""
    for name in json.loads(text):
        document = json.loads(text)
        del document[name]
        with pytest.raises(StorageFailure, match=name):
            decode(json.dumps(document))


@ALL
@pytest.mark.parametrize("wrong", [None, 1.5, True, "x", [1], [["only one"]], {}])
def test_a_member_of_another_type_is_refused(
    decode: Callable[[str], object], text: str, wrong: object
) -> None:
    """A damaged member is a StorageFailure, or as good as what was there; nothing else escapes."""
    document = json.loads(text)
    for name in document:
        try:
            decode(json.dumps({**document, name: wrong}))
        except StorageFailure:
            continue
        assert isinstance(wrong, type(document[name])), name


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"text"'])
def test_what_is_no_document_is_refused(text: str) -> None:
    """A column that holds no JSON object is a StorageFailure."""
    with pytest.raises(StorageFailure):
        decode_artifact(text)


def test_limits_this_edge_does_not_allow_are_refused() -> None:
    """Settings stored under wider limits are a StorageFailure, not the caller's mistake."""
    document = json.loads(SETTINGS_TEXT)
    document["limits"]["timeoutMs"] = 10**9
    with pytest.raises(StorageFailure, match="timeout"):
        decode_settings(json.dumps(document))


def test_settings_from_before_primes_have_none() -> None:
    """A host that is upgraded keeps its functions."""
    document = json.loads(SETTINGS_TEXT)
    del document["primes"]
    assert decode_settings(json.dumps({**document, "format": 1})) == Settings()


def test_settings_from_before_functions_had_their_own_are_read() -> None:
    """What they said of the function is passed over: the function's row has it by now."""
    document = json.loads(SETTINGS_TEXT)
    document["limits"]["concurrencyMax"] = 7
    older = json.dumps({**document, "tags": [["team", "a"]], "format": 2})
    assert decode_settings(older) == Settings()


def test_settings_from_before_some_were_only_shown_have_lambdas_defaults() -> None:
    """What was never kept is as it was told then."""
    document = json.loads(SETTINGS_TEXT)
    del document["shown"]
    assert decode_settings(json.dumps({**document, "format": 8})) == Settings()


def test_artifacts_from_before_packages_have_none() -> None:
    """A host that is upgraded keeps its modules."""
    document = json.loads(ARTIFACT_TEXT)
    del document["package"]
    assert decode_artifact(json.dumps({**document, "format": 3})) == ARTIFACT
