"""Platform failures: one tree, each with a stable code and a message safe to show.

What a *guest* does wrong is not here: that is an `Outcome` (see `outcome.py`).
Doors translate this tree once, through the table in `edge/front/answers.py`.

    EdgeError                     internal            something of ours broke
    ├── InvalidRequest            invalid_request     the caller's input is wrong
    │   ├── InvalidContent        invalid_content     the body or event is malformed
    │   ├── InvalidModule         invalid_module      the wasm cannot run here
    │   │   └── InitFailed        init_failed         its initialiser trapped or overran
    │   ├── InvalidConfiguration  invalid_configuration   settings, manifest, grants
    │   └── PayloadTooLarge       payload_too_large   over a stated limit
    ├── NotFound                  not_found           no such function, version, file
    ├── Conflict                  conflict            it exists, or changed meanwhile
    ├── Denied                    denied              not granted
    ├── SnapshotRefused           snapshot_refused    runs from a plain start instead
    ├── BuildFailed               build_failed        a source did not compile
    │   └── MissingToolchain      missing_toolchain   its compiler is not installed
    ├── DeployTimeout             deploy_timeout      snapshot or compile overran its bound
    ├── StorageFailure            storage_failure     disk full, database broken
    ├── TooManyEvents             too_many_events     async events wait up to their limit
    ├── RateExceeded              rate_exceeded       a key asks more often than it may
    └── Unsupported               unsupported         this machine or wasmtime cannot
"""

from typing import ClassVar


class EdgeError(Exception):
    """Root of every platform failure; `str(error)` is safe to show to a caller."""

    code: ClassVar[str] = "internal"

    @property
    def message(self) -> str:
        """The text for the caller: what is wrong and what to do."""
        return str(self)


class InvalidRequest(EdgeError):
    """The caller's input is wrong; sending it again unchanged cannot help."""

    code = "invalid_request"


class InvalidContent(InvalidRequest):
    """The body or event is not the JSON, CBOR or form it should be."""

    code = "invalid_content"


class InvalidModule(InvalidRequest):
    """The module is not WebAssembly, or lacks what a function must have."""

    code = "invalid_module"


class InitFailed(InvalidModule):
    """The guest's own initialiser trapped, exited, or ran out of fuel or memory."""

    code = "init_failed"


class InvalidConfiguration(InvalidRequest):
    """A setting, manifest key, grant or limit is unknown or out of its bounds."""

    code = "invalid_configuration"


class PayloadTooLarge(InvalidRequest):
    """A body, module or environment is over its stated limit."""

    code = "payload_too_large"


class InvalidZipFile(InvalidRequest):
    """The archive is corrupt, encrypted, or holds no module to pick."""

    code = "invalid_zip_file"


class NotFound(EdgeError):
    """The named function, version or artifact does not exist."""

    code = "not_found"


class Conflict(EdgeError):
    """The thing exists already, or changed since the caller last looked."""

    code = "conflict"


class Denied(EdgeError):
    """The caller or guest was not granted this."""

    code = "denied"


class SnapshotRefused(EdgeError):
    """The module cannot be snapshotted; it still runs, from a plain start."""

    code = "snapshot_refused"


class BuildFailed(EdgeError):
    """A source did not compile; the message ends with the compiler's own text."""

    code = "build_failed"


class MissingToolchain(BuildFailed):
    """The compiler is not installed; the message has the command that installs it."""

    code = "missing_toolchain"


class DeployTimeout(EdgeError):
    """Snapshot or compile overran its bound in time or memory."""

    code = "deploy_timeout"


class StorageFailure(EdgeError):
    """Storage did not take or give what was asked: disk full, database broken."""

    code = "storage_failure"


class TooManyEvents(EdgeError):
    """The host keeps as many async events, or bytes of them, as it may; later there is room."""

    code = "too_many_events"


class RateExceeded(EdgeError):
    """A key asks more often than it may; `retry_after_s` later it may again."""

    code = "rate_exceeded"

    def __init__(self, message: str, retry_after_s: int = 1) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Unsupported(EdgeError):
    """This machine, platform or wasmtime version cannot do what was asked."""

    code = "unsupported"
