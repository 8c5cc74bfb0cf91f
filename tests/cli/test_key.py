"""`edge key`: what it prints, and that it prints secrets once."""

import json
from pathlib import Path

from click.testing import CliRunner, Result

from edge.cli.program import program


def run(data: Path, *arguments: str) -> Result:
    """One `edge key` verb on a data directory."""
    return CliRunner().invoke(program, ["key", *arguments, "--data", str(data)])


def test_life_of_a_key(tmp_path: Path) -> None:
    """A key is made, listed without its secrets, rotated and revoked."""
    policy = tmp_path / "policy.json"
    statement = {"Effect": "Allow", "Action": "lambda:Get*", "Resource": "*"}
    policy.write_text(json.dumps({"Statement": statement}))
    made = json.loads(
        run(
            *(tmp_path, "create", "--name", "ci", "--policy", str(policy)),
            *("--rate", "5", "--burst", "9", "--json"),
        ).stdout
    )
    assert set(made) == {"accessKeyId", "secretAccessKey", "token"}
    listed = run(tmp_path, "list", "--json").stdout
    assert made["token"] not in listed
    assert made["secretAccessKey"] not in listed
    [shown] = json.loads(listed)["keys"]
    assert (shown["name"], shown["policy"]) == ("ci", {"Statement": statement})
    assert shown["rate"] == {"perSecond": 5.0, "burst": 9}
    assert "5 a second, 9 at once" in run(tmp_path, "list").stdout
    rotated = json.loads(run(tmp_path, "rotate", "ci", "--json").stdout)
    assert rotated["accessKeyId"] == made["accessKeyId"]
    assert rotated["token"] != made["token"]
    assert run(tmp_path, "revoke", made["accessKeyId"]).exit_code == 0
    assert json.loads(run(tmp_path, "list", "--json").stdout) == {"keys": []}


def test_refusals(tmp_path: Path) -> None:
    """An unknown key and a policy that is none end with exit code 1."""
    assert run(tmp_path, "revoke", "nobody").exit_code == 1
    policy = tmp_path / "policy.json"
    policy.write_text("{}")
    assert run(tmp_path, "create", "--policy", str(policy)).exit_code == 1
    assert run(tmp_path, "create", "--rate", "0").exit_code == 1
    assert run(tmp_path, "create", "--burst", "5").exit_code == 2
