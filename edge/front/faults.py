"""Platform failures only an HTTP door can have: leaves of the tree in `edge/model/errors.py`.

Neighbours: raised across this room, translated by the table in `answers.py`.
"""

from edge.model.errors import Conflict, Denied, EdgeError, InvalidRequest, NotFound


class MethodNotAllowed(InvalidRequest):
    """The path exists, but not for this method; `allowed` are those it is for, where known."""

    code = "method_not_allowed"

    def __init__(self, message: str, allowed: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.allowed = allowed


class BodyTooLate(InvalidRequest):
    """The peer sends its body slower than it may."""

    code = "request_timeout"


class NoRoomForBody(EdgeError):
    """As many bodies are being read as the host has memory for."""

    code = "overloaded"


class NoSuchPath(NotFound):
    """The control plane has no such path."""

    code = "no_such_path"


class NoProvision(NotFound):
    """Nothing is provisioned for a version or alias."""

    code = "no_provision"


class PreconditionFailed(Conflict):
    """The function's revision is not the one the caller last saw."""

    code = "precondition_failed"


class PolicyTooLong(InvalidRequest):
    """The policies of a function would be over their limit."""

    code = "policy_too_long"


class ForeignOrigin(Denied):
    """Another site, or a name that is not this machine's, sent a browser here."""

    code = "foreign_origin"
