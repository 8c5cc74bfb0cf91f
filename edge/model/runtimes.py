"""Lambda's names of runtimes, and what each means here.

Neighbours: `front/lambda_api/settings.py` refuses others; `deploy/packages.py` builds by them.
Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html.
"""

import re

from edge.model.errors import InvalidConfiguration

PLAIN = ("provided.al2023", "provided.al2", "provided", "wasm")
"""The package holds the module that runs."""
_MANAGED = (
    (re.compile(r"python3\.[0-9]{1,2}"), "python"),
    (re.compile(r"nodejs[1-9][0-9]\.x"), "javascript"),
)


def language_of(runtime: str) -> str | None:
    """The language that a package of this runtime is built from; None where it holds the module.

    The version in the name is for Lambda's clients: edge builds with the one toolchain it has.
    Raises InvalidConfiguration for a runtime that is neither.
    """
    if runtime in PLAIN:
        return None
    for pattern, language in _MANAGED:
        if pattern.fullmatch(runtime):
            return language
    raise InvalidConfiguration(
        f"Runtime {runtime[:40]!r} is not available here: use {', '.join(PLAIN)} for a module,"
        " python3.N or nodejsN.x for source that is built here"
    )
