"""Keeps web pages away from the control plane, which may be open to this machine.

Neighbours: `control.py` puts it outermost; `access/` closes a plane that others can reach.
A page on any site can make its reader's browser send requests to 127.0.0.1, directly (then
`Origin` or `Sec-Fetch-Site` tells) or under a name of its own that resolves here (then `Host`
tells). The data plane's port is another site too: functions may serve pages there.
Invariant: a request that passes came from no page but the plane's own, and named this machine,
where that is all that the plane is bound to; elsewhere, where a key is needed, any name will do.
"""

from ipaddress import ip_address

from edge.front.answers import error_answer
from edge.front.asgi import App, Message, Receive, Scope, Send, send_answer, source_of
from edge.front.failures import LOGGED_CHARS_MAX, log_refusal
from edge.front.faults import ForeignOrigin
from edge.model.ids import new_request_id

_SECURITY_HEADERS = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)
_USUAL_NAMES = frozenset(("127.0.0.1", "localhost", "::1"))
"""Known at sight: to read an address costs 8 µs."""
_OWN_SITES = ("same-origin", "none")


class Guard:
    """ASGI middleware: refuses foreign requests, marks every response as not for other sites."""

    def __init__(self, app: App, *, is_local: bool) -> None:
        """Guard `app`; `is_local` says that it is bound to loopback."""
        self._app = app
        self._is_local = is_local

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def marked_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                named = {name for name, _ in message["headers"]}
                marks = [mark for mark in _SECURITY_HEADERS if mark[0] not in named]
                message = {**message, "headers": [*message["headers"], *marks]}
            await send(message)

        refusal = foreign(scope["headers"], scope["scheme"], is_local=self._is_local)
        if refusal:
            path = scope["path"][:LOGGED_CHARS_MAX]
            source = source_of(scope)
            method = scope["method"]
            log_refusal("control", source=source, method=method, path=path, reason=refusal)
            answer = error_answer(ForeignOrigin(refusal), new_request_id())
            await send_answer(marked_send, answer, head=scope["method"] == "HEAD")
            return
        await self._app(scope, receive, marked_send)


def foreign(headers: list[tuple[bytes, bytes]], scheme: str, *, is_local: bool) -> str:
    """Why a request with these header fields is refused; empty when it is not."""
    hosts = _values(headers, b"host")
    if len(hosts) != 1:
        return "the Host header must be there once"
    if is_local and not is_loopback(hosts[0]):
        return "the Host header must name this machine: use localhost or 127.0.0.1"
    if any(origin != f"{scheme}://{hosts[0]}" for origin in _values(headers, b"origin")):
        return "the Origin header names another site"
    if any(site not in _OWN_SITES for site in _values(headers, b"sec-fetch-site")):
        return "the Sec-Fetch-Site header says that another site sent this request"
    return ""


def is_loopback(host: str) -> bool:
    """Whether `NAME[:PORT]` is this machine's own name or a loopback address."""
    bracketed = host.startswith("[")
    name = host[1:].partition("]")[0] if bracketed else host.partition(":")[0]
    if name in _USUAL_NAMES:
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name.lower() == "localhost"


def _values(headers: list[tuple[bytes, bytes]], wanted: bytes) -> list[str]:
    return [value.decode("latin-1") for name, value in headers if name == wanted]
