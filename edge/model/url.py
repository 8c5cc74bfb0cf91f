"""The URL of a function: who may call it, and what browsers of other sites are told.

Neighbours: `storage/documents.py` keeps these with their function; `front/cors.py` and the doors
follow them.
Source: https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunctionUrlConfig.html.
"""

from dataclasses import dataclass
from enum import StrEnum


class AuthType(StrEnum):
    """Who may call: anyone, or the holder of a key whose policy, or the function's, allows it.

    AWS_IAM wants a signature, TOKEN a bearer token or a signature; Lambda does not know TOKEN.
    """

    NONE = "NONE"
    AWS_IAM = "AWS_IAM"
    TOKEN = "TOKEN"


class InvokeMode(StrEnum):
    """Whether an answer leaves when it is whole, or as it is written."""

    BUFFERED = "BUFFERED"
    RESPONSE_STREAM = "RESPONSE_STREAM"


@dataclass(frozen=True, slots=True)
class Cors:
    """What browsers let pages of other origins do; each text as it stands in a header."""

    allow_credentials: bool = False
    allow_headers: tuple[str, ...] = ()
    allow_methods: tuple[str, ...] = ()
    allow_origins: tuple[str, ...] = ()
    expose_headers: tuple[str, ...] = ()
    max_age_s: int = 0


@dataclass(frozen=True, slots=True)
class UrlConfig:
    """The settings of one URL: that of a function under one qualifier."""

    qualifier: str
    auth_type: AuthType
    created_ms: int
    modified_ms: int
    invoke_mode: InvokeMode = InvokeMode.BUFFERED
    cors: Cors | None = None
