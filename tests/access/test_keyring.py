"""Access keys: usable once made, gone once revoked, useless to who steals the database."""

from contextlib import closing
from pathlib import Path

import pytest

from edge.keyring import HOST_KEY, open_keyring
from edge.model.errors import (
    Conflict,
    InvalidConfiguration,
    InvalidRequest,
    NotFound,
    StorageFailure,
)
from edge.storage.sqlite.keys import SqliteKeys


def test_key_is_found(tmp_path: Path) -> None:
    """A key is found by its id and by its token, and by nothing else."""
    with open_keyring(tmp_path) as keyring:
        assert not keyring.is_closed
        made = keyring.create("ann")
        assert keyring.is_closed
        by_id, by_token = keyring.by_id(made.access_key_id), keyring.by_token(made.token)
        assert by_id == by_token
        assert by_id is not None
        assert by_id.secret == made.secret
        for stranger in ("", "edge_", made.token[:-1], made.secret, "edge_" + "x" * 10_000):
            assert keyring.by_token(stranger) is None


def test_rotation_and_revocation_reach_other_processes(tmp_path: Path) -> None:
    """Another process that has a key in its cache refuses it as soon as it was changed."""
    with open_keyring(tmp_path) as ours, open_keyring(tmp_path) as theirs:
        made = ours.create("ann")
        assert theirs.by_token(made.token) is not None
        rotated = ours.rotate("ann")
        assert rotated.access_key_id == made.access_key_id
        assert theirs.by_token(made.token) is None
        assert theirs.by_token(rotated.token) is not None
        found = theirs.by_id(made.access_key_id)
        assert found is not None
        assert found.secret == rotated.secret != made.secret
        ours.revoke(made.access_key_id)
        assert theirs.by_token(rotated.token) is None
        assert theirs.by_id(made.access_key_id) is None


def test_a_change_that_nobody_told_is_noticed(tmp_path: Path) -> None:
    """A process may die between its commit and the generation's bump: a key it revoked is none."""
    with open_keyring(tmp_path) as keyring, closing(SqliteKeys(tmp_path / "keys.db")) as store:
        made = keyring.create("ann")
        key = keyring.by_token(made.token)
        keyring.refresh()
        assert keyring.by_token(made.token) is not key
        key = keyring.by_token(made.token)
        keyring.refresh()
        assert keyring.by_token(made.token) is key
        keyring.refresh(is_stale=True)
        assert keyring.by_token(made.token) is not key
        store.remove(made.access_key_id)
        keyring.refresh()
        assert keyring.by_token(made.token) is None


def test_closed_stays_closed(tmp_path: Path) -> None:
    """Revoking the last key opens nothing."""
    with open_keyring(tmp_path) as keyring:
        keyring.create("ann")
        keyring.revoke("ann")
        assert keyring.is_closed
    with open_keyring(tmp_path) as keyring:
        assert keyring.is_closed


def test_nothing_usable_is_stored(tmp_path: Path) -> None:
    """No file holds a token or a secret, and the host key is its owner's only."""
    with open_keyring(tmp_path) as keyring:
        made = keyring.create("ann")
        assert made.secret not in repr(made)
        assert made.token not in repr(made)
        for path in tmp_path.iterdir():
            content = path.read_bytes()
            assert made.token.encode() not in content
            assert made.secret.encode() not in content
    assert (tmp_path / HOST_KEY).stat().st_mode & 0o777 == 0o600


def test_another_host_key_opens_no_secret(tmp_path: Path) -> None:
    """A database without its key file is told to be so."""
    with open_keyring(tmp_path) as keyring:
        made = keyring.create("ann")
    (tmp_path / HOST_KEY).unlink()
    with open_keyring(tmp_path) as keyring, pytest.raises(StorageFailure, match="rotate"):
        keyring.by_id(made.access_key_id)


def test_readable_host_key_is_refused(tmp_path: Path) -> None:
    """A key file that others can read protects nothing."""
    with open_keyring(tmp_path):
        pass
    (tmp_path / HOST_KEY).chmod(0o644)
    with pytest.raises(StorageFailure, match="chmod 600"), open_keyring(tmp_path):
        pass


def test_what_is_refused(tmp_path: Path) -> None:
    """A name in use, a bad name, a bad policy and an unknown key are told."""
    with open_keyring(tmp_path) as keyring:
        keyring.create("ann")
        with pytest.raises(Conflict):
            keyring.create("ann")
        with pytest.raises(InvalidRequest):
            keyring.create("an/n")
        with pytest.raises(InvalidConfiguration):
            keyring.create("bob", "{}")
        for change in (keyring.rotate, keyring.revoke):
            with pytest.raises(NotFound):
                change("bob")
        assert [record.name for record in keyring.list()] == ["ann"]
