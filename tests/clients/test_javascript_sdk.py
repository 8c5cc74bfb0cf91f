"""@aws-sdk/client-lambda, signing, drives a function's life on a closed host: `life.mjs`."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.clients.conftest import Access

SDK = "@aws-sdk/client-lambda"
SCRIPT = Path(__file__).parent / "life.mjs"
NODE_TIMEOUT_S = 120


@pytest.fixture(scope="module")
def modules() -> Path:
    """The `node_modules` with the SDK: EDGE_TEST_NODE_MODULES, or npm's global one."""
    named = os.environ.get("EDGE_TEST_NODE_MODULES")
    npm = shutil.which("npm")
    if named is None and npm is not None:
        asked = subprocess.run(
            [npm, "root", "--global"], capture_output=True, text=True, check=True
        )
        named = asked.stdout.strip()
    if named is None or not Path(named, SDK).is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail(f"{SDK} is not installed")
        pytest.skip(f"'npm install --global {SDK}' was not run")
    return Path(named)


def test_the_life_of_a_function(access: Access, packages: Path, modules: Path) -> None:
    """From creation to deletion; the script checks each step."""
    # Node looks for modules beside the script only.
    shutil.copy(SCRIPT, packages)
    (packages / "node_modules").symlink_to(modules, target_is_directory=True)
    done = subprocess.run(
        ["node", SCRIPT.name, "echo.zip", "actor.zip"],
        cwd=packages,
        env=dict(access.environment),
        capture_output=True,
        text=True,
        timeout=NODE_TIMEOUT_S,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "done"), done.stderr
