"""Finding by routes: the most telling one, its parameters, and which methods there are."""

import pytest

from edge.model.function import Change, Settings, SharedSettings
from edge.model.ids import LATEST
from edge.model.route import Route
from edge.registry.registry import Registry
from edge.registry.routes import Hit, NotAllowed, RouteTable
from tests.storage.versions import ARTIFACT

TABLE = RouteTable(
    (
        ("root", (Route("/"), Route("/{any+}", ("DELETE",)))),
        ("hi", (Route("/hi/{name}", ("GET", "PUT")), Route("/hi/Ada"), Route("/hi/", ("GET",)))),
        ("files", (Route("/files/{path+}", ("GET",)), Route("/files/{name}/raw", ("GET",)))),
        ("order", (Route("/a/{x}/c", ("GET",)), Route("/{y}/b/c", ("GET",), qualifier="live"))),
        ("mail", (Route("/hi/{name}", host="mail.example.com"),)),
        ("below", (Route("/hi/{name}", ("POST",), host="*.example.com"),)),
        ("wide", (Route("/größe", ("GET",)), Route("/six", ("GET",), host="[2001:db8::1]"))),
    )
)


@pytest.mark.parametrize(
    ("method", "url", "function", "key", "parameters"),
    [
        ("GET", "any/", "root", "ANY /", {}),
        ("DELETE", "any/x/y", "root", "DELETE /{any+}", {"any": "x/y"}),
        ("GET", "any/hi/Grace", "hi", "GET /hi/{name}", {"name": "Grace"}),
        ("PUT", "any/hi/Grace%20H%2f%C3%BC", "hi", "PUT /hi/{name}", {"name": "Grace H/ü"}),
        ("GET", "any/hi/%ff", "hi", "GET /hi/{name}", {"name": "\ufffd"}),
        ("HEAD", "any/hi/Grace", "hi", "GET /hi/{name}", {"name": "Grace"}),
        ("GET", "any/hi/Ada", "hi", "ANY /hi/Ada", {}),
        ("GET", "any/hi/%41da", "hi", "ANY /hi/Ada", {}),
        ("GET", "any/hi/", "hi", "GET /hi/", {}),
        ("DELETE", "any/hi/Grace", "root", "DELETE /{any+}", {"any": "hi/Grace"}),
        ("GET", "any/files/a/b/c", "files", "GET /files/{path+}", {"path": "a/b/c"}),
        ("GET", "any/files/a%2Fb//c/", "files", "GET /files/{path+}", {"path": "a/b//c/"}),
        ("GET", "any/files/a/raw", "files", "GET /files/{name}/raw", {"name": "a"}),
        ("GET", "any/a/b/c", "order", "GET /a/{x}/c", {"x": "b"}),
        ("GET", "any/z/b/c", "order", "GET /{y}/b/c", {"y": "z"}),
        ("GET", "mail.example.com/hi/x", "mail", "ANY /hi/{name}", {"name": "x"}),
        ("GET", "MAIL.Example.com.:8080/hi/x", "mail", "ANY /hi/{name}", {"name": "x"}),
        ("POST", "a.b.example.com/hi/x", "below", "POST /hi/{name}", {"name": "x"}),
        ("GET", "a.b.example.com/hi/x", "hi", "GET /hi/{name}", {"name": "x"}),
        ("GET", "any/gr%C3%B6%C3%9fe", "wide", "GET /größe", {}),
        ("POST", f"{'a.' * 150}example.com/hi/Ada", "hi", "ANY /hi/Ada", {}),
        ("GET", "[2001:DB8::1]:80/six", "wide", "GET /six", {}),
    ],
)
def test_the_most_telling_route_is_found(
    method: str, url: str, function: str, key: str, parameters: dict[str, str]
) -> None:
    """By host, then path, then method; a path that has no such method gives way to one that has."""
    host, slash, path = url.partition("/")
    found = TABLE.find(method, host, slash + path)
    qualifier = "live" if key == "GET /{y}/b/c" else LATEST
    assert found == Hit(function, qualifier, key, parameters)


@pytest.mark.parametrize(
    ("method", "url", "methods"),
    [
        ("POST", "any/hi/Grace", ("DELETE", "GET", "HEAD", "PUT")),
        ("POST", "any/elsewhere", ("DELETE",)),
        ("GET", "example.com/six", ("DELETE",)),
    ],
)
def test_another_method_is_told_which_there_are(
    method: str, url: str, methods: tuple[str, ...]
) -> None:
    """HEAD comes with GET."""
    host, slash, path = url.partition("/")
    assert TABLE.find(method, host, slash + path) == NotAllowed(methods)


@pytest.mark.parametrize("path", ["/hi", "/hi/Grace/", "/files/", "/files", "//", "*", ""])
def test_no_route_is_none(path: str) -> None:
    """A parameter is never empty, and a slash at the end is one more part."""
    table = RouteTable((("f", (Route("/hi/{name}"), Route("/files/{path+}"))),))
    assert table.find("GET", "any", path) is None
    assert RouteTable.of(()) is None


def test_finding_is_bounded_by_the_routes() -> None:
    """Patterns that lead astray at every step, and long paths, are looked at once each."""
    routes = tuple(Route("/" + "/".join(f"{{p{j}}}" for j in range(i + 1))) for i in range(31))
    routes += tuple(Route("/a" * (i + 1) + "/{x}/no") for i in range(30))
    table = RouteTable((("f", routes),))
    assert table.find("GET", "any", "/a" * 4_000) is None
    found = table.find("GET", "any", "/a" * 31)
    assert isinstance(found, Hit)


def routed(*routes: Route) -> Change:
    """A change that gives a function these routes."""
    return lambda shared: SharedSettings(shared.concurrency_max, routes=routes)


def test_routes_are_live_in_every_process_at_once(registry: Registry, neighbour: Registry) -> None:
    """When a change was answered, no process finds by what it replaced."""
    assert registry.routes() is None
    neighbour.put("f", ARTIFACT, Settings(), change=routed(Route("/one")))
    table = registry.routes()
    assert table is not None
    assert table.find("GET", "any", "/one") is not None
    assert registry.routes() is table
    neighbour.share("f", routed(Route("/two")))
    table = registry.routes()
    assert table is not None
    assert table.find("GET", "any", "/one") is None
    assert table.find("GET", "any", "/two") is not None
    neighbour.delete("f")
    assert registry.routes() is None
