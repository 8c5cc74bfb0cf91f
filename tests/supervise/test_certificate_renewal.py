"""A certificate is renewed in place: SIGHUP takes the new files, under load, without a failure."""

import signal
import ssl
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests import wat
from tests.certificates import make_certificate
from tests.running import Server
from tests.supervise.hosts import TIMEOUT_S, replace_workers, worker_pids
from tests.supervise.load import Load


def presented(server: Server) -> str:
    """The certificate that the data plane presents now, in PEM."""
    parts = urlsplit(server.http_url)
    assert parts.hostname is not None
    assert parts.port is not None
    return ssl.get_server_certificate((parts.hostname, parts.port))


def test_sighup_takes_new_files_and_a_bad_one_changes_nothing(tmp_path: Path) -> None:
    """No request fails; files that cannot serve are told of, and the workers go on as they are."""
    first, second = make_certificate(tmp_path), make_certificate(tmp_path, "renewed")
    trusted = first.trusting()
    trusted.load_verify_locations(second.cert)
    with Server(tmp_path / "data", workers=2, settings=first.settings, trusted=trusted) as server:
        server.deploy("hello", wat.HELLO)
        assert presented(server) == first.cert.read_text()
        with Load(server.http_url, "/hello", kept=2, fresh=2, trusted=trusted) as load:
            load.await_answers(50)
            second.key.rename(first.key)
            before = worker_pids(server)
            server.process.send_signal(signal.SIGHUP)
            until = time.monotonic() + TIMEOUT_S
            while "is not that of the first certificate" not in server.stderr_path.read_text():
                assert time.monotonic() < until
                load.await_answers(5)
            assert worker_pids(server) == before
            new = second.cert.read_text()
            second.cert.rename(first.cert)
            replace_workers(server, signal.SIGHUP, 2)
            load.await_answers(50)
        assert load.failures == {}
        assert presented(server) == new
        assert server.stop() == 0


def test_a_host_with_a_bad_pair_does_not_start(tmp_path: Path) -> None:
    """One line says which file, and nothing listens."""
    made = make_certificate(tmp_path)
    made.key.unlink()
    said = f"Error: cannot read the key {made.key}: No such file or directory"
    server = Server(tmp_path / "data", settings=made.settings)
    with pytest.raises(RuntimeError, match=said):
        server.__enter__()
