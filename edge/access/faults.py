"""Why someone is not let in: leaves of the tree in `edge/model/errors.py`.

Neighbours: raised here, translated to HTTP and to Lambda's names by `front/answers.py`.
"""

from edge.model.errors import Denied, InvalidRequest


class MissingAuthenticationToken(Denied):
    """The request carries neither a signature nor a bearer token, and needs one."""

    code = "missing_authentication_token"


class IncompleteSignature(InvalidRequest):
    """The Authorization header is there, but cannot be read."""

    code = "incomplete_signature"


class InvalidSignature(Denied):
    """The signature does not fit the request, or has come too late or too early."""

    code = "invalid_signature"


class UnrecognizedClient(Denied):
    """No access key has this id or token."""

    code = "unrecognized_client"
