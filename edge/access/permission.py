"""A permission as AddPermission names it, written as a statement of a function's policy.

Source: https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html
Neighbours: `front/lambda_api/permissions.py` brings the members; `policy.py` reads what is written.
Invariant: a statement that was written can be read, and says all that its permission says.
"""

import json
import re
from dataclasses import dataclass

from edge.access.policy import parse_function_policy
from edge.access.principals import ACCOUNT_ID, ANYONE, KEY_ID
from edge.model.errors import InvalidConfiguration

_SID = re.compile(r"[A-Za-z0-9_-]{1,100}")
_ACTION = re.compile(r"lambda:\*|lambda:[A-Za-z]{1,100}|\*")
_SERVICE = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
_ORGANIZATION = re.compile(r"o-[a-z0-9]{10,32}")
_TOKEN = re.compile(r"[A-Za-z0-9._-]{1,256}")
_OF_URLS = "lambda:InvokeFunctionUrl"
_SOURCE_ARN_CHARS_MAX = 2_048


@dataclass(frozen=True, slots=True)
class Permission:
    """Who may do what; empty members say nothing. `source_…` and `event_source_token` are of the
    event that a service brings, `url_auth_type` is of the URL that the function is called by."""

    sid: str
    action: str
    principal: str
    source_arn: str = ""
    source_account: str = ""
    organization: str = ""
    event_source_token: str = ""
    url_auth_type: str = ""
    via_url: bool | None = None


def statement_of(permission: Permission, resource: str) -> str:
    """The statement, as JSON, that allows this on `resource`. Raises InvalidConfiguration."""
    _check("StatementId", permission.sid, _SID, "1 to 100 letters, digits, - or _")
    _check("Action", permission.action, _ACTION, "lambda:NAME, lambda:* or *")
    if permission.url_auth_type and permission.action != _OF_URLS:
        raise InvalidConfiguration(f"FunctionUrlAuthType goes with the Action {_OF_URLS} only")
    statement: dict[str, object] = {
        "Sid": permission.sid,
        "Effect": "Allow",
        "Principal": _principal(permission.principal),
        "Action": permission.action,
        "Resource": resource,
    }
    condition = _condition(permission)
    if condition:
        statement["Condition"] = condition
    text = json.dumps(statement, separators=(",", ":"))
    parse_function_policy(f'{{"Statement":{text}}}')
    return text


def _principal(text: str) -> object:
    if text == ANYONE:
        return ANYONE
    if ACCOUNT_ID.fullmatch(text):
        return {"AWS": f"arn:aws:iam::{text}:root"}
    if text.startswith("arn:") or KEY_ID.fullmatch(text):
        return {"AWS": text}
    if _SERVICE.fullmatch(text):
        return {"Service": text}
    raise InvalidConfiguration(
        f"{text[:200]!r} is no Principal: give *, an account, the ARN or the id of a key, or a"
        " service such as s3.amazonaws.com"
    )


def _condition(permission: Permission) -> dict[str, dict[str, str]]:
    equal: dict[str, str] = {}
    condition: dict[str, dict[str, str]] = {}
    if permission.source_account:
        _check("SourceAccount", permission.source_account, ACCOUNT_ID, "twelve digits")
        equal["AWS:SourceAccount"] = permission.source_account
    if permission.organization:
        _check("PrincipalOrgID", permission.organization, _ORGANIZATION, "like o-0123456789")
        equal["aws:PrincipalOrgID"] = permission.organization
    if permission.event_source_token:
        _check("EventSourceToken", permission.event_source_token, _TOKEN, "letters, digits, ._-")
        equal["lambda:EventSourceToken"] = permission.event_source_token
    if permission.url_auth_type:
        equal["lambda:FunctionUrlAuthType"] = permission.url_auth_type
    if equal:
        condition["StringEquals"] = equal
    if permission.source_arn:
        if len(permission.source_arn) > _SOURCE_ARN_CHARS_MAX:
            raise InvalidConfiguration(f"SourceArn is over {_SOURCE_ARN_CHARS_MAX} characters")
        condition["ArnLike"] = {"AWS:SourceArn": permission.source_arn}
    if permission.via_url is not None:
        condition["Bool"] = {"lambda:InvokedViaFunctionUrl": str(permission.via_url).lower()}
    return condition


def _check(member: str, text: str, allowed: re.Pattern[str], hint: str) -> None:
    if not allowed.fullmatch(text):
        raise InvalidConfiguration(f"{member} must be {hint}, not {text[:100]!r}")
