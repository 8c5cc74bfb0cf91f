"""The request that a redirect asks for.

Source: the redirect steps of the Fetch standard (https://fetch.spec.whatwg.org/#http-redirect-fetch)
and RFC 9110, section 15.4.
"""

from dataclasses import replace

from edge.host.answers import CallError, Code
from edge.host.fetch.request import FetchRequest, Target

REDIRECTS_MAX = 5

_STATUSES = frozenset({301, 302, 303, 307, 308})
_OF_THE_BODY = frozenset(
    {"content-type", "content-encoding", "content-language", "content-location"}
)
_OF_THE_ORIGIN = frozenset({"authorization", "cookie"})


def redirected(request: FetchRequest, status: int, location: str | None) -> FetchRequest | None:
    """The next request; None when the response is no redirect. Raises CallError(unreachable).

    The body goes along with 307 and 308 only, credentials only to the same origin.
    """
    if status not in _STATUSES or location is None:
        return None
    try:
        target = Target.parse(location, base=request.target)
    except CallError as error:
        raise CallError(Code.UNREACHABLE, f"a redirect leads nowhere: {error}") from None
    dropped: frozenset[str] = frozenset()
    method, body = request.method, request.body
    if (status == 303 and method not in ("GET", "HEAD")) or (
        status in (301, 302) and method == "POST"
    ):
        method, body = "GET", b""
        dropped = _OF_THE_BODY
    if target.origin != request.target.origin:
        dropped |= _OF_THE_ORIGIN
    headers = tuple(pair for pair in request.headers if pair[0] not in dropped)
    return replace(request, target=target, method=method, headers=headers, body=body)
