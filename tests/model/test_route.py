"""Routes: which patterns there can be, and which of them claim the same requests."""

import pytest

from edge.model.errors import Conflict, InvalidConfiguration, InvalidRequest
from edge.model.route import ROUTES_MAX, Route, check_routes


@pytest.mark.parametrize(
    "route",
    [
        Route("/"),
        Route("/hi"),
        Route("/hi/"),
        Route("/hi/{name}", ("GET", "HEAD", "PROPFIND", "M-SEARCH")),
        Route("/{a}/{b}/c/{d.e-f_1+}", host="api.example.com"),
        Route("/größe/~tilde/a:b@c,d;e=f+g", host="*.example.com", qualifier="live"),
        Route("/x", host="[2001:db8::1]", qualifier="7"),
    ],
    ids=str,
)
def test_good_routes(route: Route) -> None:
    """A function alone may have any of them."""
    check_routes("f", [route])


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("", "is no path"),
        ("hi", "is no path"),
        ("/" + "x" * 512, "is no path"),
        ("//", "empty part"),
        ("/a//b", "empty part"),
        ("/a" * 33, "more than 32 parts"),
        ("/a/../b", "cannot stand in a route"),
        ("/.", "cannot stand in a route"),
        ("/a?b", "cannot stand in a route"),
        ("/a%20b", "cannot stand in a route"),
        ("/a b", "cannot stand in a route"),
        ("/a\nb", "cannot stand in a route"),
        ("/a{b}", "cannot stand in a route"),
        ("/{}", "cannot stand in a route"),
        ("/{a b}", "cannot stand in a route"),
        ("/{a*}", "cannot stand in a route"),
        ("/{a+}/b", "let it stand last"),
        ("/{a}/{a}", "two parameters of one name"),
        ("/{a}/{a+}", "two parameters of one name"),
    ],
)
def test_paths_that_cannot_match_are_refused(path: str, said: str) -> None:
    """The message says what to write instead."""
    with pytest.raises(InvalidConfiguration, match=said):
        Route(path)


@pytest.mark.parametrize(
    "members",
    [
        {"methods": ("get",)},
        {"methods": ("GET", "GET")},
        {"methods": ("",)},
        {"methods": ("GET POST",)},
        {"host": "Example.com"},
        {"host": "example.com:8080"},
        {"host": "*"},
        {"host": "a.*.com"},
        {"host": "https://example.com"},
        {"qualifier": ""},
        {"qualifier": "a b"},
    ],
)
def test_other_members_are_checked(members: dict[str, object]) -> None:
    """Methods in capitals, each once; hosts as they stand in Host, without a port."""
    with pytest.raises(InvalidRequest):
        Route("/x", **members)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        (Route("/a"), Route("/a")),
        (Route("/{x}"), Route("/{y}")),
        (Route("/a/{x+}", ("GET",)), Route("/a/{rest+}", ("POST", "GET"))),
        (Route("/a", host="*.b.c"), Route("/a", host="*.b.c", qualifier="live")),
    ],
    ids=str,
)
def test_the_same_requests_are_claimed_once(mine: Route, theirs: Route) -> None:
    """Whatever the parameters are called; the message names both routes and the other function."""
    with pytest.raises(Conflict, match="of f is taken: g has"):
        check_routes("f", [mine], [("g", (theirs,))])
    with pytest.raises(InvalidConfiguration, match="claim the same requests"):
        check_routes("f", [mine, theirs])


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        (Route("/a"), Route("/a/")),
        (Route("/a"), Route("/{x}")),
        (Route("/{x}"), Route("/{x+}")),
        (Route("/a", ("GET",)), Route("/a", ("POST",))),
        (Route("/a", ("GET",)), Route("/a")),
        (Route("/a"), Route("/a", host="b.c")),
        (Route("/a", host="b.c"), Route("/a", host="*.b.c")),
    ],
    ids=str,
)
def test_one_may_be_more_telling_than_the_other(mine: Route, theirs: Route) -> None:
    """Then it is clear who answers, and both may be there."""
    check_routes("f", [mine], [("g", (theirs,))])


def test_routes_are_bounded() -> None:
    """A function has at most so many."""
    routes = [Route(f"/{number}", ("GET", "PUT")) for number in range(ROUTES_MAX)]
    check_routes("f", routes)
    with pytest.raises(InvalidConfiguration, match="at most"):
        check_routes("f", [*routes, Route("/one-more")])
