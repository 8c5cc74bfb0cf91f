"""What a door says of certificate files before it serves with them."""

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from structlog.testing import capture_logs

from edge.config import DoorSettings, KeyPair, load
from edge.front.door.certificates import check_pair
from edge.front.door.terms import hypercorn_config
from edge.model.errors import InvalidConfiguration
from tests.certificates import Certificate, make_certificate


@pytest.fixture
def made(tmp_path: Path) -> Certificate:
    """A certificate and its key."""
    return make_certificate(tmp_path)


def pair_of(made: Certificate) -> KeyPair:
    """Its files, as the settings name them."""
    return KeyPair(str(made.cert), str(made.key))


def test_a_good_pair_is_taken_without_a_word(made: Certificate) -> None:
    """Nothing to warn of."""
    with capture_logs() as logs:
        assert hypercorn_config(DoorSettings(), 30, pair_of(made)).ssl_enabled
    assert logs == []


def _other_key(made: Certificate) -> None:
    make_certificate(made.cert.parent, "other").key.rename(made.key)


def _encrypted(made: Certificate) -> None:
    key = load_pem_private_key(made.key.read_bytes(), None)
    encryption = BestAvailableEncryption(b"secret")
    made.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda made: made.cert.unlink(), "cannot read the certificate {cert}: No such file"),
        (lambda made: made.key.unlink(), "cannot read the key {key}: No such file"),
        (lambda made: made.cert.write_text("no PEM"), "{cert} has no certificate in PEM"),
        (lambda made: made.key.write_text("no PEM"), "{key} has no private key in PEM"),
        (lambda made: made.key.write_bytes(made.cert.read_bytes()), "{key} has no private key"),
        (lambda made: made.cert.write_bytes(made.key.read_bytes()), "{cert} has no certificate"),
        (_other_key, "the key in {key} is not that of the first certificate in {cert}"),
        (_encrypted, "the key in {key} is encrypted"),
    ],
)
def test_a_pair_that_cannot_serve_is_refused_by_name(
    made: Certificate, spoil: Callable[[Certificate], object], said: str
) -> None:
    """The message names the file and its fault; nobody is asked for a password."""
    spoil(made)
    with pytest.raises(InvalidConfiguration) as caught:
        check_pair(pair_of(made))
    assert said.format(cert=made.cert, key=made.key) in caught.value.message


def test_unwise_pairs_serve_with_a_warning(tmp_path: Path) -> None:
    """A key that others can read, a certificate that has expired."""
    made = make_certificate(tmp_path, days=-1)
    made.key.chmod(0o644)
    with capture_logs() as logs:
        check_pair(pair_of(made))
    assert {log["event"] for log in logs} == {"certificate_expired", "key_readable_by_others"}


def test_each_plane_has_its_pair() -> None:
    """One for both, one for each, or none for the control plane."""
    one = load({"tls_cert": "/a.crt", "tls_key": "/a.key"}).tls
    assert one.http == one.control == KeyPair("/a.crt", "/a.key")
    own = {"control_tls_cert": "/b.crt", "control_tls_key": "/b.key"}
    both = load({"tls_cert": "/a.crt", "tls_key": "/a.key", **own}).tls
    assert (both.http, both.control) == (one.http, KeyPair("/b.crt", "/b.key"))
    assert load({"tls_cert": "/a.crt", "tls_key": "/a.key", "control_tls": 0}).tls.control is None
    assert load(own).tls.http is None
    assert load().tls.control is None


@pytest.mark.parametrize("prefix", ["", "control_"])
def test_half_a_pair_is_refused(prefix: str) -> None:
    """Half of one would serve without TLS, and nobody would notice."""
    for given, missing in (("tls_cert", "tls_key"), ("tls_key", "tls_cert")):
        with pytest.raises(InvalidConfiguration, match=f"give {prefix}{missing}, too"):
            load({f"{prefix}{given}": "/a"})


def test_paths_are_made_whole(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A worker that starts later finds the files, and messages name them whole."""
    monkeypatch.chdir(tmp_path)
    assert load({"tls_cert": "a.crt", "tls_key": "a.key"}).tls.tls_cert == str(tmp_path / "a.crt")
