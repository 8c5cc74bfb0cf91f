"""The events that a manifest's `prime` names: a file of JSON each, its answers beside it.

Neighbours: `manifest.py` reads them with the rest.
Invariant: what is kept is JSON in its shortest form, so that layout does not make a new version.
"""

from pathlib import Path

from edge.model import json
from edge.model.errors import InvalidConfiguration
from edge.model.prime import PRIME_BYTES_MAX, Prime

ANSWERS_SUFFIX = ".answers.json"


def read_prime(path: Path, name: str) -> Prime:
    """The event of `events/hello.json`, and the host's answers of `events/hello.answers.json`.

    Raises InvalidConfiguration.
    """
    answers = path.with_suffix(ANSWERS_SUFFIX)
    event = _read(path)
    return Prime(name, event, _read(answers)) if answers.is_file() else Prime(name, event)


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(PRIME_BYTES_MAX + 1)
    except OSError as error:
        raise InvalidConfiguration(f"prime: cannot read {path}: {error.strerror}") from None
    if len(content) > PRIME_BYTES_MAX:
        raise InvalidConfiguration(f"prime: {path} is over {PRIME_BYTES_MAX} bytes")
    try:
        return json.encode(json.decode(content))
    except json.JsonError as error:
        raise InvalidConfiguration(f"prime: {path}: {error}") from None
