"""`edge` as a client of an https control plane: whom it trusts, what it says when it does not."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.certificates import Certificate, make_certificate
from tests.cli.commands import COMMAND_SECONDS_MAX, EDGE, environment
from tests.running import Server


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """What the host serves with."""
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory, certificate: Certificate) -> Iterator[Server]:
    """A host with TLS on its control plane."""
    settings = {"control_tls_cert": certificate.cert, "control_tls_key": certificate.key}
    data = tmp_path_factory.mktemp("tls") / "data"
    with Server(data, settings=settings, trusted=certificate.trusting()) as server:
        yield server


def list_functions(url: str, **more: str) -> subprocess.CompletedProcess[str]:
    """`edge list` with variables of its own."""
    return subprocess.run(
        [*EDGE, "list"],
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS_MAX,
        env=environment(url, **more),
        check=False,
    )


@pytest.mark.parametrize("variable", ["EDGE_CA", "SSL_CERT_FILE"])
def test_a_trusted_certificate_is_enough(
    host: Server, certificate: Certificate, variable: str
) -> None:
    """Our own variable, and the one that other tools have."""
    listed = list_functions(host.control_url, **{variable: str(certificate.cert)})
    assert (listed.returncode, listed.stderr) == (0, "")


def test_what_fails_says_why(host: Server, certificate: Certificate, tmp_path: Path) -> None:
    """A stranger's certificate, a door without TLS, a file that vouches for nobody."""
    http = host.control_url.replace("https", "http")
    plain = host.http_url.replace("http", "https")
    trusted, empty = {"EDGE_CA": str(certificate.cert)}, tmp_path / "empty"
    empty.touch()
    cases: tuple[tuple[str, dict[str, str], str], ...] = (
        (host.control_url, {}, "is not trusted (self-signed certificate): set EDGE_CA"),
        (
            host.control_url.replace("127.0.0.1", "127.0.0.2"),
            trusted,
            "no edge host answers at",
        ),
        (plain, trusted, "does not speak TLS as it should"),
        (http, trusted, "the connection to"),
        (host.control_url, {"EDGE_CA": "/nowhere"}, "/nowhere, which EDGE_CA names: No such file"),
        (host.control_url, {"EDGE_CA": str(empty)}, "it has no certificate in PEM"),
    )
    for url, variables, said in cases:
        listed = list_functions(url, **variables)
        assert (listed.returncode, listed.stdout) == (1, "")
        (line,) = listed.stderr.splitlines()
        assert said in line, line
