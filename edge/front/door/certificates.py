"""The certificate and key of a door, looked at before TLS is spoken with them.

OpenSSL says of a bad pair `PEM lib`, and asks a terminal for the password of an encrypted key; here
it is said which file it is, and what is wrong with it.

Neighbours: `terms.py` asks, when a worker starts; Hypercorn's Config makes the TLS context.
Invariant: a pair that passes is read again by nobody else's rules than OpenSSL's own.
"""

import stat
from datetime import UTC, datetime
from pathlib import Path

import structlog
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import Certificate, load_pem_x509_certificates

from edge.config import KeyPair
from edge.model.errors import InvalidConfiguration

_log = structlog.get_logger(__name__)


def check_pair(pair: KeyPair) -> None:
    """Raise InvalidConfiguration unless the pair can be served with; log what is unwise of it."""
    certificate = _certificate(pair.cert)
    if certificate.public_key() != _key(pair.key).public_key():
        raise InvalidConfiguration(
            f"the key in {pair.key} is not that of the first certificate in {pair.cert}"
        )
    if certificate.not_valid_after_utc < datetime.now(UTC):
        _log.warning(
            "certificate_expired",
            file=pair.cert,
            since=certificate.not_valid_after_utc.isoformat(),
            advice="put a new one in its place, and send the host SIGHUP",
        )
    if Path(pair.key).stat().st_mode & stat.S_IROTH:
        _log.warning("key_readable_by_others", file=pair.key, advice=f"chmod o-r {pair.key}")


def _certificate(path: str) -> Certificate:
    """The first certificate in a file: the door's own."""
    try:
        return load_pem_x509_certificates(_read(path, "certificate"))[0]
    except ValueError:
        raise InvalidConfiguration(f"{path} has no certificate in PEM") from None


def _key(path: str) -> PrivateKeyTypes:
    try:
        return load_pem_private_key(_read(path, "key"), None)
    except TypeError:
        raise InvalidConfiguration(
            f"the key in {path} is encrypted: write it without a password, for the host's eyes only"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise InvalidConfiguration(f"{path} has no private key in PEM") from None


def _read(path: str, what: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise InvalidConfiguration(f"cannot read the {what} {path}: {error.strerror}") from None
