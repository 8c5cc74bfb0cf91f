"""AddPermission, GetPolicy and RemovePermission: who but its owner may use a function.

A policy belongs to one ARN: that of the function, of a numbered version, or of an alias. It is in
force on all workers when the change is answered, and goes with what it belongs to.

Neighbours: `access/permission.py` writes statements; `registry/` keeps them with the function;
`gate.py` and the doors of the data plane judge by them.
Source: https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html.
"""

from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response

from edge.access.permission import Permission, statement_of
from edge.access.policy import FUNCTION_POLICY_BYTES_MAX
from edge.front.documents import parse_object
from edge.front.endpoints import body_of, json_response
from edge.front.faults import PolicyTooLong, PreconditionFailed
from edge.front.lambda_api.inputs import (
    Document,
    Reference,
    flag,
    optional_text,
    reference,
    text,
)
from edge.front.services import Registry
from edge.model.errors import InvalidRequest, NotFound
from edge.model.function import SharedSettings
from edge.model.ids import LATEST, function_arn
from edge.model.limits import KIB
from edge.model.policy import FunctionPolicy
from edge.model.url import AuthType

BODY_BYTES_MAX = 64 * KIB

Change = Callable[[FunctionPolicy], FunctionPolicy]


class Permissions:
    """The endpoints under F/N/policy."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    async def add(self, request: Request) -> Response:
        """POST → 201 with the statement; 409 where its id is in use, 412 for an old RevisionId."""
        named = _named(request)
        members = parse_object(await body_of(request, BODY_BYTES_MAX))
        permission = permission_from(members)
        statement = statement_of(permission, function_arn(named.name, named.qualifier))
        self._registry.resolve(named.name, named.version)

        def add(policy: FunctionPolicy) -> FunctionPolicy:
            return policy.with_statement(permission.sid, statement, str(uuid4()))

        self._change(named, optional_text(members, "RevisionId"), add)
        return json_response(201, {"Statement": statement})

    async def get(self, request: Request) -> Response:
        """GET → 200 with the whole policy; 404 where nothing was permitted."""
        named = _named(request)
        policy = self._registry.get(named.name).shared.policy(named.version)
        if policy is None:
            raise NotFound(f"{named.label} has no policy: nothing was permitted on it")
        return json_response(200, {"Policy": policy.document(), "RevisionId": policy.revision_id})

    async def remove(self, request: Request) -> Response:
        """DELETE …/SID → 204; 404 for an unknown one, 412 for an old RevisionId."""
        named, sid = _named(request), request.path_params["sid"]

        def remove(policy: FunctionPolicy) -> FunctionPolicy:
            return policy.without_statement(sid, str(uuid4()))

        self._change(named, request.query_params.get("RevisionId") or None, remove)
        return Response(status_code=204)

    def _change(self, named: Reference, revision_id: str | None, change: Change) -> None:
        """Store what `change` makes of the policy; one that allows nothing more is dropped."""

        def changed(shared: SharedSettings) -> SharedSettings:
            policy = shared.policy(named.version) or FunctionPolicy(named.version, "", ())
            if revision_id is not None and revision_id != policy.revision_id:
                raise PreconditionFailed(
                    "the policy changed since this RevisionId: read it again, then retry"
                )
            policy = change(policy)
            others = tuple(each for each in shared.policies if each.qualifier != named.version)
            policies = (*others, policy) if policy.statements else others
            if sum(len(each.document()) for each in policies) > FUNCTION_POLICY_BYTES_MAX:
                raise PolicyTooLong(
                    f"the policies of a function have at most {FUNCTION_POLICY_BYTES_MAX} bytes"
                    " together: remove a statement"
                )
            return replace(shared, policies=policies)

        self._registry.share(named.name, changed)


def permission_from(members: Document) -> Permission:
    """What AddPermission asks for; raises InvalidRequest."""
    for member in ("StatementId", "Action", "Principal"):
        if optional_text(members, member) is None:
            raise InvalidRequest(f"{member} is missing")
    auth_type = text(members, "FunctionUrlAuthType")
    if auth_type and auth_type not in tuple(AuthType):
        raise InvalidRequest(f"FunctionUrlAuthType must be one of {', '.join(AuthType)}")
    via_url = members.get("InvokedViaFunctionUrl")
    return Permission(
        sid=text(members, "StatementId"),
        action=text(members, "Action"),
        principal=text(members, "Principal"),
        source_arn=text(members, "SourceArn"),
        source_account=text(members, "SourceAccount"),
        organization=text(members, "PrincipalOrgID"),
        event_source_token=text(members, "EventSourceToken"),
        url_auth_type=auth_type,
        via_url=None if via_url is None else flag(members, "InvokedViaFunctionUrl"),
    )


def _named(request: Request) -> Reference:
    """What the policy belongs to; raises InvalidRequest for $LATEST, as Lambda does."""
    named = reference(request)
    if named.qualifier == LATEST:
        raise InvalidRequest(f"$LATEST has no policy: name {named.name} without a qualifier")
    return named
