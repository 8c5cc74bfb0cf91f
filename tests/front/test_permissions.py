"""AddPermission, and what it opens on a closed host of two workers."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from edge.access.keyring import NewKey
from edge.access.principals import user_arn
from edge.keyring import open_keyring
from edge.model.ids import function_arn
from tests.front.callers import bearer, client_of
from tests.front.lambda_calls import create, payload, refused
from tests.running import Server

NOTHING = {"Statement": {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}}
NO_CALLS = {"Statement": {"Effect": "Deny", "Action": "lambda:Invoke*", "Resource": "*"}}
INVOKE = "lambda:InvokeFunction"
CONNECTIONS = 12
"""So many that both workers have some of them."""


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory, echo: bytes) -> Iterator[tuple[Server, Any]]:
    """A host with `shop`, its version 1 and its alias `live`, and its keys by name."""
    data: Path = tmp_path_factory.mktemp("permissions") / "data"
    with Server(data, workers=2) as server, open_keyring(data) as keyring:
        made = {
            "admin": keyring.create("admin"),
            "ann": keyring.create("ann", json.dumps(NOTHING)),
            "bob": keyring.create("bob", json.dumps(NO_CALLS)),
        }
        with client_of(server, made["admin"]) as client:
            create(client, "shop", echo, Publish=True)
            client.create_alias(FunctionName="shop", Name="live", FunctionVersion="1")
        yield server, made


@pytest.fixture
def admin(keys: tuple[Server, dict[str, NewKey]]) -> Iterator[Any]:
    """boto3 with the key that may do everything."""
    with client_of(keys[0], keys[1]["admin"]) as client:
        yield client


def allow(client: Any, principal: str, sid: str = "s1", **members: Any) -> dict[str, Any]:
    """AddPermission on `shop`: the statement."""
    told = client.add_permission(
        **{"FunctionName": "shop", "StatementId": sid, "Action": INVOKE, **members},
        Principal=principal,
    )
    statement: dict[str, Any] = json.loads(told["Statement"])
    return statement


def statuses(server: Server, key: NewKey, place: str = "shop") -> set[int]:
    """What a key is answered that calls a function over so many connections."""
    path = f"{server.control_url}/2015-03-31/functions/{place}/invocations"
    return {
        httpx.post(path, headers=bearer(key), content=b"1", trust_env=False).status_code
        for _ in range(CONNECTIONS)
    }


def test_the_life_of_a_permission(keys: tuple[Server, dict[str, NewKey]], admin: Any) -> None:
    """Added, shown, in force on every worker at once, removed, gone at once."""
    server, made = keys
    assert statuses(server, made["ann"]) == {403}
    with pytest.raises(ClientError) as absent:
        admin.get_policy(FunctionName="shop")
    assert refused(absent) == ("ResourceNotFoundException", 404)

    statement = allow(admin, user_arn("ann"))
    assert statement["Resource"] == function_arn("shop")
    assert statuses(server, made["ann"]) == {200}
    told = admin.get_policy(FunctionName="shop")
    assert json.loads(told["Policy"]) == {
        "Version": "2012-10-17",
        "Id": "default",
        "Statement": [statement],
    }
    with pytest.raises(ClientError) as twice:
        allow(admin, "*")
    assert refused(twice) == ("ResourceConflictException", 409)

    admin.remove_permission(FunctionName="shop", StatementId="s1")
    assert statuses(server, made["ann"]) == {403}
    for remove in ({"StatementId": "s1"}, {"StatementId": "never"}):
        with pytest.raises(ClientError) as gone:
            admin.remove_permission(FunctionName="shop", **remove)
        assert refused(gone) == ("ResourceNotFoundException", 404)
    with pytest.raises(ClientError):
        admin.get_policy(FunctionName="shop")


def test_a_key_is_named_by_its_id_too(keys: tuple[Server, dict[str, NewKey]], admin: Any) -> None:
    """What is allowed to one key is allowed to no other; its own Deny is stronger."""
    server, made = keys
    allow(admin, made["ann"].access_key_id)
    assert statuses(server, made["ann"]) == {200}
    assert statuses(server, made["bob"]) == {403}
    allow(admin, made["bob"].access_key_id, "s2")
    assert statuses(server, made["bob"]) == {403}
    for sid in ("s1", "s2"):
        admin.remove_permission(FunctionName="shop", StatementId=sid)


def test_other_actions(keys: tuple[Server, dict[str, NewKey]], admin: Any) -> None:
    """A function's policy lets others read and change it, and no other function."""
    server, made = keys
    allow(admin, user_arn("ann"), Action="lambda:GetFunction")
    with client_of(server, made["ann"]) as ann:
        assert ann.get_function(FunctionName="shop")["Configuration"]["FunctionName"] == "shop"
        for forbidden in (
            lambda: ann.get_function(FunctionName="missing"),
            lambda: ann.delete_function(FunctionName="shop"),
            lambda: ann.list_functions(),
            lambda: ann.get_function(FunctionName="shop", Qualifier="1"),
        ):
            with pytest.raises(ClientError) as error:
                forbidden()
            assert refused(error) == ("AccessDeniedException", 403)
    admin.remove_permission(FunctionName="shop", StatementId="s1")


@pytest.mark.parametrize("qualifier", ["1", "live"])
def test_qualifiers(keys: tuple[Server, dict[str, NewKey]], admin: Any, qualifier: str) -> None:
    """A version and an alias have policies of their own, for calls by that name only."""
    server, made = keys
    statement = allow(admin, "*", Qualifier=qualifier)
    assert statement["Resource"] == function_arn("shop", qualifier)
    assert statuses(server, made["ann"], f"shop:{qualifier}") == {200}
    assert statuses(server, made["ann"]) == {403}
    with client_of(server, made["ann"]) as ann:
        answered = ann.invoke(FunctionName="shop", Qualifier=qualifier, Payload=b"2")
        assert payload(answered) == 2
    told = admin.get_policy(FunctionName="shop", Qualifier=qualifier)
    assert len(json.loads(told["Policy"])["Statement"]) == 1
    with pytest.raises(ClientError):
        admin.get_policy(FunctionName="shop")
    admin.remove_permission(FunctionName="shop", Qualifier=qualifier, StatementId="s1")
    assert statuses(server, made["ann"], f"shop:{qualifier}") == {403}


def test_a_policy_goes_with_what_it_belongs_to(admin: Any, echo: bytes) -> None:
    """An alias, a version or a function made anew under an old name is closed."""
    create(admin, "passing", echo, Publish=True)
    alias = {"FunctionName": "passing", "Name": "live"}

    def opened(**qualifier: str) -> bool:
        try:
            admin.get_policy(FunctionName="passing", **qualifier)
        except ClientError:
            return False
        return True

    admin.create_alias(**alias, FunctionVersion="1")
    for sid, qualifier in (("a", {"Qualifier": "live"}), ("b", {"Qualifier": "1"}), ("c", {})):
        allow(admin, "*", sid, FunctionName="passing", **qualifier)
    admin.delete_alias(**alias)
    admin.delete_function(FunctionName="passing", Qualifier="1")
    assert not opened(Qualifier="live")
    assert not opened(Qualifier="1")
    assert opened()
    admin.delete_function(FunctionName="passing")
    create(admin, "passing", echo)
    assert not opened()


def test_revisions(admin: Any) -> None:
    """RevisionId must be the one that was read last; what is refused changes nothing."""
    allow(admin, "*", "first")
    read = admin.get_policy(FunctionName="shop")
    allow(admin, "*", "second", RevisionId=read["RevisionId"])
    old = {"FunctionName": "shop", "RevisionId": read["RevisionId"]}
    with pytest.raises(ClientError) as error:
        allow(admin, "*", "third", RevisionId=read["RevisionId"])
    assert refused(error) == ("PreconditionFailedException", 412)
    with pytest.raises(ClientError) as error:
        admin.remove_permission(**old, StatementId="first")
    assert refused(error) == ("PreconditionFailedException", 412)
    policy = json.loads(admin.get_policy(FunctionName="shop")["Policy"])
    assert [statement["Sid"] for statement in policy["Statement"]] == ["first", "second"]
    for sid in ("first", "second"):
        admin.remove_permission(FunctionName="shop", StatementId=sid)


@pytest.mark.parametrize(
    ("name", "members", "code", "status"),
    [
        ("shop", {"StatementId": ""}, "InvalidParameterValueException", 400),
        ("shop", {"Action": "s3:GetObject"}, "InvalidParameterValueException", 400),
        ("shop", {"Principal": "somebody"}, "InvalidParameterValueException", 400),
        ("shop", {"FunctionUrlAuthType": "SOME"}, "InvalidParameterValueException", 400),
        ("shop", {"FunctionUrlAuthType": "NONE"}, "InvalidParameterValueException", 400),
        ("shop", {"InvokedViaFunctionUrl": "yes"}, "InvalidParameterValueException", 400),
        ("shop:$LATEST", {}, "InvalidParameterValueException", 400),
        ("shop:9", {}, "ResourceNotFoundException", 404),
        ("nobody", {}, "ResourceNotFoundException", 404),
    ],
)
def test_what_is_refused(
    keys: tuple[Server, dict[str, NewKey]],
    name: str,
    members: dict[str, str],
    code: str,
    status: int,
) -> None:
    """By name, and before anything is stored: boto3 would stop some of these itself."""
    server, made = keys
    response = server.control.post(
        f"/2015-03-31/functions/{name}/policy",
        json={"StatementId": "s1", "Action": INVOKE, "Principal": "*", **members},
        headers=bearer(made["admin"]),
    )
    assert (response.status_code, response.headers["x-amzn-errortype"]) == (status, code)


def test_a_policy_is_bounded(admin: Any) -> None:
    """What would make it longer than Lambda's own limit is refused by Lambda's name."""

    def fill() -> None:
        for number in range(100):
            allow(admin, "*", f"many{number}", EventSourceToken="t" * 256)

    with pytest.raises(ClientError) as error:
        fill()
    assert refused(error) == ("PolicyLengthExceededException", 400)
    policy = json.loads(admin.get_policy(FunctionName="shop")["Policy"])
    for statement in policy["Statement"]:
        admin.remove_permission(FunctionName="shop", StatementId=statement["Sid"])
