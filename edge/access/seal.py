"""Secrets at rest: encrypted with a key that only the host's user can read.

Neighbours: `keyring.py` seals what it stores. The key file lies beside the database, so that it may
be left out of backups: a stolen database alone opens nothing.
Invariant: the file has 32 random bytes and mode 0600, or it is refused.
"""

import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from edge.model.errors import StorageFailure

_KEY_BYTES = 32
_NONCE_BYTES = 12
_FORBIDDEN_MODE = 0o077


class Seal:
    """AES-256-GCM under the host's key; what is sealed for one owner opens for no other."""

    def __init__(self, path: Path) -> None:
        """The key in `path`, made if there is none yet. Raises StorageFailure."""
        self._cipher = AESGCM(_host_key(path))

    def close_up(self, secret: str, owner: str) -> bytes:
        """`secret` encrypted, with its nonce in front."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret.encode(), owner.encode())

    def open(self, sealed: bytes, owner: str) -> str:
        """The secret. Raises StorageFailure when it is damaged or under another host's key."""
        nonce, text = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, text, owner.encode()).decode()
        except (InvalidTag, ValueError):
            raise StorageFailure(
                f"the secret of {owner} does not open with this host's key file: rotate the key"
            ) from None


def _host_key(path: Path) -> bytes:
    try:
        if not path.exists():
            _make(path)
        mode = path.stat().st_mode
        key = path.read_bytes()
    except OSError as error:
        raise StorageFailure(f"{path}: {error.strerror}: check its owner") from error
    if mode & _FORBIDDEN_MODE:
        raise StorageFailure(f"{path} can be read by others: chmod 600 it, and rotate all keys")
    if len(key) != _KEY_BYTES:
        raise StorageFailure(f"{path} is damaged: restore it, or remove it and rotate all keys")
    return key


def _make(path: Path) -> None:
    """Written whole under another name, then linked: of two processes one wins, both read it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(_KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return
    finally:
        draft.unlink()
