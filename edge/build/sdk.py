"""Where the SDKs' sources are, in a checkout as in an installed wheel.

`edge/sdk` is a link to the checkout's `sdk/`; the wheel has its files in that place as package
data. Neighbours: every language of this room.
"""

from pathlib import Path

TEMPLATE = "template"
_ROOT = Path(__file__).parent.parent / "sdk"


def sdk_directory(language: str) -> Path:
    """The folder of one language's SDK, absolute."""
    return (_ROOT / language).resolve()


def template_directory(language: str) -> Path:
    """What `edge new LANGUAGE` copies."""
    return sdk_directory(language) / TEMPLATE


def wit_directory() -> Path:
    """The worlds that components are made for."""
    return sdk_directory("wit")
