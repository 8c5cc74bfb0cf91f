"""The control plane as the verbs see it: one method per thing it can do, over HTTP.

Neighbours: every verb but `serve` uses it; `front/control.py` answers.
Invariant: whatever goes wrong between here and there is a CommandFailed with one clear line.
"""

import hashlib
import json
import os
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self, cast
from urllib.parse import quote

import cbor2
import httpx

from edge import __version__
from edge.cli.documents import (
    AliasDocument,
    AliasesDocument,
    AuditPageDocument,
    DeadDocument,
    DeadListDocument,
    InfoDocument,
    ListDocument,
    LogsDocument,
    UsageDocument,
    VersionDocument,
    VersionsDocument,
)
from edge.cli.failure import CommandFailed
from edge.cli.shared import SharedChange
from edge.config import Address
from edge.config import Settings as HostSettings
from edge.model.function import Settings
from edge.model.limits import TIMEOUT_MS_MAX

CONTROL_ENVIRONMENT = "EDGE_CONTROL"
TOKEN_ENVIRONMENT = "EDGE_TOKEN"
CA_ENVIRONMENT = "EDGE_CA"
NOT_FOUND = 404
CONNECT_SECONDS = 5
ANSWER_SECONDS = 30
DEPLOY_SECONDS = 300
INVOKE_SECONDS = TIMEOUT_MS_MAX // 1000 + ANSWER_SECONDS
LIST_PAGE = 100
LOG_PAGE = 1_000
LOG_WAIT_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Invocation:
    """What Lambda's Invoke answered. `function_error` is None where the function returned."""

    payload: bytes
    function_error: str | None
    log_tail: str | None


class ControlPlane:
    """A client of one control plane; raises CommandFailed from every method."""

    def __init__(self, url: str | None = None) -> None:
        """`url` defaults to EDGE_CONTROL, then to where `edge serve` listens.

        EDGE_TOKEN, where it is set, is sent with every request; EDGE_CA names a file of
        certificates to trust instead of the usual ones.
        """
        named = url or os.environ.get(CONTROL_ENVIRONMENT) or HostSettings().control.url
        parsed = _parsed(named)
        self.url = named.rstrip("/")
        self._http = httpx.Client(
            base_url=self.url,
            headers=_headers(),
            timeout=httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
            verify=_trust() if parsed.scheme == "https" else False,  # reading those takes 30 ms
            trust_env=not Address(parsed.host, 0).is_loopback,  # no proxy leads to this machine
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    def deploy(
        self, name: str, module: bytes, settings: Settings, shared: SharedChange
    ) -> InfoDocument:
        """Create or update a function; `changed` tells whether anything changed.

        A module that is the function's already is named by its digest and not sent again.
        """
        digest = hashlib.sha256(module).hexdigest()
        document = _settings_document(settings) | shared.document()
        if self._digest(name) == digest:
            return self._put(name, {"digest": digest, "settings": document})
        return self._put(name, {"module": module, "settings": document})

    def _digest(self, name: str) -> str | None:
        """The digest of a function's module; None where there is no such function."""
        response = self._send("GET", _function_path(name), missing_ok=True)
        if response.status_code == NOT_FOUND:
            return None
        return cast(InfoDocument, self._document(response))["digest"]

    def _put(self, name: str, document: Mapping[str, object]) -> InfoDocument:
        response = self._send(
            "PUT",
            _function_path(name),
            content=cbor2.dumps(document),
            headers={"content-type": "application/cbor"},
            seconds=DEPLOY_SECONDS,
        )
        return cast(InfoDocument, self._document(response))

    def functions(self) -> Iterator[InfoDocument]:
        """Every deployed function, by name, a page at a time."""
        after = ""
        while True:
            query = {"after": after, "limit": str(LIST_PAGE)}
            page = cast(ListDocument, self._get("/v1/functions", query))
            yield from page["functions"]
            if not page["next"]:
                return
            after = page["next"]

    def info(self, name: str) -> InfoDocument:
        """One deployed function."""
        return cast(InfoDocument, self._get(_function_path(name)))

    def versions(self, name: str) -> Iterator[VersionDocument]:
        """The latest version of a function, then the numbered ones, a page at a time."""
        query: dict[str, str] = {}
        while True:
            page = cast(VersionsDocument, self._get(f"{_lambda_path(name)}/versions", query))
            yield from page["Versions"]
            if "NextMarker" not in page:
                return
            query = {"Marker": page["NextMarker"]}

    def publish(self, name: str, description: str | None) -> VersionDocument:
        """Number the latest version of a function."""
        document = {} if description is None else {"Description": description}
        response = self._send(
            "POST", f"{_lambda_path(name)}/versions", content=json.dumps(document).encode()
        )
        return cast(VersionDocument, self._document(response))

    def set_alias(self, name: str, alias: str, document: Mapping[str, object]) -> AliasDocument:
        """Create an alias of a function, or change it; `document` is UpdateAlias's."""
        path = _alias_path(name, alias)
        exists = self._send("GET", path, missing_ok=True).status_code != NOT_FOUND
        if not exists:
            document, path = {**document, "Name": alias}, f"{_lambda_path(name)}/aliases"
        response = self._send(
            "PUT" if exists else "POST", path, content=json.dumps(document).encode()
        )
        return cast(AliasDocument, self._document(response))

    def aliases(self, name: str) -> Iterator[AliasDocument]:
        """The aliases of a function, by name, a page at a time."""
        query: dict[str, str] = {}
        while True:
            page = cast(AliasesDocument, self._get(f"{_lambda_path(name)}/aliases", query))
            yield from page["Aliases"]
            if "NextMarker" not in page:
                return
            query = {"Marker": page["NextMarker"]}

    def delete_alias(self, name: str, alias: str) -> None:
        """Remove an alias; what it stood for stays."""
        self._send("DELETE", _alias_path(name, alias))

    def delete(self, name: str) -> None:
        """Remove a function."""
        self._send("DELETE", _function_path(name))

    def logs(self, name: str, after: str, wait_s: int = 0) -> LogsDocument:
        """Log lines after a cursor (empty: from the oldest); waits for one up to `wait_s`."""
        query = {"after": after, "limit": str(LOG_PAGE), "wait": str(wait_s)}
        return cast(LogsDocument, self._get(f"{_function_path(name)}/logs", query))

    def usage(self, query: Mapping[str, str]) -> UsageDocument:
        """Totals; `query` may hold function, by, since and until."""
        return cast(UsageDocument, self._get("/v1/usage", query))

    def invoke(self, name: str, event: bytes, qualifier: str | None) -> Invocation:
        """Run a function once through Lambda's Invoke, and wait for its result."""
        response = self._send(
            "POST",
            f"{_lambda_path(name)}/invocations",
            params={"Qualifier": qualifier} if qualifier else {},
            content=event,
            headers={
                "x-amz-invocation-type": "RequestResponse",
                "x-amz-log-type": "Tail",
                "content-type": "application/json",
            },
            seconds=INVOKE_SECONDS,
        )
        return Invocation(
            payload=response.content,
            function_error=response.headers.get("x-amz-function-error"),
            log_tail=response.headers.get("x-amz-log-result"),
        )

    def invoke_later(self, name: str, event: bytes, qualifier: str | None) -> str:
        """Have a function run once, later; the request id."""
        response = self._send(
            "POST",
            f"/2015-03-31/functions/{quote(name, safe='')}/invocations",
            params={"Qualifier": qualifier} if qualifier else {},
            content=event,
            headers={"x-amz-invocation-type": "Event", "content-type": "application/json"},
        )
        return str(response.headers["x-amzn-requestid"])

    def audit(self, limit: int, before: str | None) -> AuditPageDocument:
        """The newest records of the audit log, or those older than a cursor."""
        query = {"limit": str(limit)} | ({"before": before} if before else {})
        return cast(AuditPageDocument, self._get("/v1/audit", query))

    def dead(self, function: str | None) -> Iterator[DeadDocument]:
        """Dead letters by request id, a page at a time."""
        query = {"limit": str(LIST_PAGE)} | ({"function": function} if function else {})
        while True:
            page = cast(DeadListDocument, self._get("/v1/dead", query))
            yield from page["dead"]
            if not page["next"]:
                return
            query["after"] = page["next"]

    def dead_letter(self, request_id: str) -> object:
        """One dead letter with its record."""
        return self._get(_dead_path(request_id))

    def redrive(self, request_id: str) -> None:
        """Run a dead letter again."""
        self._send("POST", f"{_dead_path(request_id)}/redrive")

    def remove_dead(self, request_id: str) -> None:
        """Remove a dead letter."""
        self._send("DELETE", _dead_path(request_id))

    def _get(self, path: str, params: Mapping[str, str] | None = None) -> object:
        return self._document(self._send("GET", path, params=params))

    def _send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: int = ANSWER_SECONDS,
        missing_ok: bool = False,
    ) -> httpx.Response:
        timeout = httpx.Timeout(seconds, connect=CONNECT_SECONDS)
        try:
            response = self._http.request(
                method, path, params=params, content=content, headers=headers, timeout=timeout
            )
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise CommandFailed(_no_connection(self.url, error)) from None
        except httpx.TimeoutException:
            raise CommandFailed(f"{self.url} did not answer {method} within {seconds} s") from None
        except httpx.TransportError as error:
            raise CommandFailed(f"the connection to {self.url} broke: {error}") from None
        if response.is_error and not (missing_ok and response.status_code == NOT_FOUND):
            raise CommandFailed(_failure_message(response, self.url))
        return response

    def _document(self, response: httpx.Response) -> object:
        try:
            return response.json()
        except ValueError:
            raise CommandFailed(_stranger(self.url, response.status_code)) from None


def _headers() -> Mapping[str, str]:
    token = os.environ.get(TOKEN_ENVIRONMENT)
    named = {"authorization": f"Bearer {token}"} if token else {}
    return {"user-agent": f"edge/{__version__}", **named}


def _settings_document(settings: Settings) -> dict[str, object]:
    """A version's settings as `/v1` takes them: a deploy states all of them."""
    return {
        "memoryMb": settings.limits.memory_mb,
        "timeoutMs": settings.limits.timeout_ms,
        "environment": dict(settings.environment),
        "grants": list(settings.grants),
        "snapshot": settings.snapshot,
        "prime": [
            {"name": prime.name, "event": prime.event, "answers": prime.answers}
            for prime in settings.primes
        ],
    }


def _dead_path(request_id: str) -> str:
    return f"/v1/dead/{quote(request_id, safe='')}"


def _function_path(name: str) -> str:
    return f"/v1/functions/{quote(name, safe='')}"


def _alias_path(name: str, alias: str) -> str:
    return f"{_lambda_path(name)}/aliases/{quote(alias, safe='')}"


def _lambda_path(name: str) -> str:
    return f"/2015-03-31/functions/{quote(name, safe='')}"


def _parsed(url: str) -> httpx.URL:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        parsed = httpx.URL()
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise CommandFailed(
            f"{CONTROL_ENVIRONMENT} is {url!r}: give it a URL such as {HostSettings().control.url}"
        )
    return parsed


def _trust() -> ssl.SSLContext:
    """Whose certificates are taken: EDGE_CA's, or those of SSL_CERT_FILE, SSL_CERT_DIR, Mozilla."""
    file = os.environ.get(CA_ENVIRONMENT)
    if not file:
        return httpx.create_ssl_context()
    try:
        return ssl.create_default_context(cafile=file)
    except OSError as error:
        why = "it has no certificate in PEM" if isinstance(error, ssl.SSLError) else error.strerror
        raise CommandFailed(f"cannot use {file}, which {CA_ENVIRONMENT} names: {why}") from None


def _no_connection(url: str, error: BaseException) -> str:
    """Why there is no connection, and what to do: TLS's reasons stand deep in an error's causes."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLError):
        cause = cause.__cause__ or cause.__context__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return (
            f"the certificate of {url} is not trusted ({cause.verify_message}):"
            f" set {CA_ENVIRONMENT} to the file of the certificate that vouches for it"
        )
    if cause is not None:
        return f"{url} does not speak TLS as it should ({cause.reason}): is it a http:// address?"
    return (
        f"no edge host answers at {url}: start one with 'edge serve', or set {CONTROL_ENVIRONMENT}"
    )


def _failure_message(response: httpx.Response, url: str) -> str:
    """The message of an error answer: `/v1`'s shape, Lambda's, or that of something else."""
    try:
        document = response.json()
        message = document["error"]["message"] if "error" in document else document["Message"]
    except (ValueError, KeyError, TypeError):
        return _stranger(url, response.status_code)
    return " ".join(str(message).split())


def _stranger(url: str, status: int) -> str:
    return (
        f"{url} answered {status} in a shape that is not edge's:"
        f" set {CONTROL_ENVIRONMENT} to the control plane of an edge host"
    )
