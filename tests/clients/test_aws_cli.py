"""The AWS CLI, signing, drives a function's life on a closed host."""

import base64
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import Access

AWS = shutil.which("aws", path=os.pathsep.join((str(Path(sys.executable).parent), os.defpath)))
pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        AWS is None and os.environ.get("CI") != "true", reason="'pip install awscli' was not run"
    ),
]
ROLE = "arn:aws:iam::000000000000:role/any"


class Cli:
    """`aws lambda` with a key, in a directory."""

    def __init__(self, access: Access, directory: Path) -> None:
        self._environment = dict(access.environment)
        self._directory = directory

    def run(self, verb: str, *arguments: str) -> Any:
        """What a command prints as JSON; None where it prints nothing."""
        done = self._run(verb, *arguments)
        assert done.returncode == 0, f"{verb}: {done.stderr}"
        return json.loads(done.stdout) if done.stdout.strip() else None

    def fail(self, verb: str, *arguments: str) -> str:
        """What a command that must fail says."""
        done = self._run(verb, *arguments)
        assert done.returncode != 0, f"{verb}: {done.stdout}"
        return done.stderr

    def invoke(self, *arguments: str) -> tuple[Any, Any]:
        """(what is printed, the payload) of an invocation of `life`."""
        payload = self._directory / "payload.json"
        payload.unlink(missing_ok=True)
        said = self.run("invoke", "--function-name", "life", *arguments, str(payload))
        content = payload.read_text()
        return said, json.loads(content) if content else None

    def _run(self, verb: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        assert AWS is not None
        return subprocess.run(
            [AWS, "lambda", verb, *arguments],
            cwd=self._directory,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )


def test_the_life_of_a_function(access: Access, packages: Path) -> None:
    """From creation to deletion, each step's effect seen by the next."""
    cli, name = Cli(access, packages), ("--function-name", "life")
    made = cli.run(
        "create-function",
        *name,
        *("--runtime", "provided.al2023", "--handler", "bootstrap", "--role", ROLE),
        *("--zip-file", "fileb://echo.zip", "--tags", "team=a"),
    )
    cli.run("wait", "function-active-v2", *name)
    said, payload = cli.invoke("--payload", '{"n": 1}')
    assert (said["StatusCode"], said["ExecutedVersion"], payload) == (200, "$LATEST", {"n": 1})
    said, _ = cli.invoke("--invocation-type", "Event", "--payload", "{}")
    assert said["StatusCode"] == 202
    said, _ = cli.invoke("--invocation-type", "DryRun")
    assert said["StatusCode"] == 204
    told = base64.b64encode(b'{"custom": {"a": 1}}').decode()
    _, context = cli.invoke("--payload", '{"echo": "context"}', "--client-context", told)
    assert context["clientContext"] == {"custom": {"a": 1}}

    assert cli.run("publish-version", *name)["Version"] == "1"

    cli.run("update-function-code", *name, "--zip-file", "fileb://actor.zip")
    cli.run("wait", "function-updated-v2", *name)
    said, payload = cli.invoke("--payload", '{"rawPath": "/fail"}', "--log-type", "Tail")
    assert (said["FunctionError"], payload["errorType"]) == ("Unhandled", "SecretError")
    assert said["LogResult"]
    cli.run("update-function-configuration", *name, "--timeout", "5")
    cli.run("wait", "function-updated-v2", *name)
    assert cli.run("publish-version", *name)["Version"] == "2"
    alias = (*name, "--name", "live", "--function-version")
    cli.run("create-alias", *alias, "1")
    assert cli.invoke("--qualifier", "live")[0]["ExecutedVersion"] == "1"
    cli.run("update-alias", *alias, "1", "--routing-config", "AdditionalVersionWeights={2=1}")
    assert cli.invoke("--qualifier", "live")[0]["ExecutedVersion"] == "2"
    cli.run("update-alias", *alias, "2", "--routing-config", "AdditionalVersionWeights={}")
    assert cli.run("get-alias", *name, "--name", "live")["FunctionVersion"] == "2"

    cli.run("put-function-concurrency", *name, "--reserved-concurrent-executions", "0")
    assert "TooManyRequestsException" in cli.fail("invoke", *name, "out.json")
    cli.run("delete-function-concurrency", *name)

    url = cli.run("create-function-url-config", *name, "--auth-type", "NONE")["FunctionUrl"]
    assert url == f"{access.server.http_url}/life/"
    principal = ("--principal", "s3.amazonaws.com", "--action", "lambda:InvokeFunction")
    cli.run("add-permission", *name, "--statement-id", "inbox", *principal)
    policy = json.loads(cli.run("get-policy", *name)["Policy"])
    assert policy["Statement"][0]["Principal"] == {"Service": "s3.amazonaws.com"}
    cli.run("remove-permission", *name, "--statement-id", "inbox")
    assert "ResourceNotFoundException" in cli.fail("get-policy", *name)
    cli.run("tag-resource", "--resource", made["FunctionArn"], "--tags", "stage=test")
    cli.run("untag-resource", "--resource", made["FunctionArn"], "--tag-keys", "team")
    tags = cli.run("list-tags", "--resource", made["FunctionArn"])["Tags"]
    assert tags == {"stage": "test"}
    cli.run("delete-function", *name)
    assert "ResourceNotFoundException" in cli.fail("get-function", *name)
