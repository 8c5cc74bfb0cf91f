"""Which actions of IAM a request to the control plane is, and on what.

Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html
Neighbours: `gate.py` asks before a request is routed.
Invariant: a request that is in no row is `edge:Unknown`, which only `*` allows: what is added to
the planes and forgotten here is closed, not open. The path is the one the router sees.
"""

import re
from typing import NamedTuple

from starlette.datastructures import QueryParams

from edge.model.errors import InvalidRequest
from edge.model.ids import LATEST, function_arn, parse_name

ANYTHING = "*"


class Need(NamedTuple):
    """Actions that must all be allowed on a function under a qualifier; on anything where none is
    named.

    `is_public` requests need no key. `names_in_body` says that the function is the one that the
    JSON body names in `FunctionName`. `is_change` ones go to the audit log.
    """

    actions: tuple[str, ...]
    function: str = ""
    qualifier: str = LATEST
    is_public: bool = False
    names_in_body: bool = False
    is_change: bool = False

    @property
    def resource(self) -> str:
        """The ARN of the function, with its qualifier if one is named that is not $LATEST."""
        if not self.function:
            return ANYTHING
        return function_arn(self.function, None if self.qualifier == LATEST else self.qualifier)


_NAME = "/([^/]+)"
_FUNCTIONS = "/2015-03-31/functions"
_FUNCTION = _FUNCTIONS + _NAME
_MAPPINGS = "/2015-03-31/event-source-mappings"
_READS = frozenset(("GET", "HEAD"))
_CREATE = "lambda:CreateFunction"
_HEALTH = "/healthz"
_NOTHING = ("", LATEST)

_OPERATIONS: tuple[tuple[str, str, str], ...] = (
    ("GET", _FUNCTIONS, "ListFunctions"),
    ("GET", _FUNCTION, "GetFunction"),
    ("DELETE", _FUNCTION, "DeleteFunction"),
    ("PUT", f"{_FUNCTION}/code", "UpdateFunctionCode"),
    ("GET", f"{_FUNCTION}/configuration", "GetFunctionConfiguration"),
    ("PUT", f"{_FUNCTION}/configuration", "UpdateFunctionConfiguration"),
    ("POST", f"{_FUNCTION}/invocations", "InvokeFunction"),
    ("POST", f"/2014-11-13/functions{_NAME}/invoke-async", "InvokeFunction"),
    ("POST", f"/2021-11-15/functions{_NAME}/response-streaming-invocations", "InvokeFunction"),
    ("POST", f"{_FUNCTION}/versions", "PublishVersion"),
    ("GET", f"{_FUNCTION}/versions", "ListVersionsByFunction"),
    ("POST", f"{_FUNCTION}/aliases", "CreateAlias"),
    ("GET", f"{_FUNCTION}/aliases", "ListAliases"),
    ("GET", f"{_FUNCTION}/aliases{_NAME}", "GetAlias"),
    ("PUT", f"{_FUNCTION}/aliases{_NAME}", "UpdateAlias"),
    ("DELETE", f"{_FUNCTION}/aliases{_NAME}", "DeleteAlias"),
    ("POST", f"{_FUNCTION}/policy", "AddPermission"),
    ("GET", f"{_FUNCTION}/policy", "GetPolicy"),
    ("DELETE", f"{_FUNCTION}/policy{_NAME}", "RemovePermission"),
    ("PUT", f"/2017-10-31/functions{_NAME}/concurrency", "PutFunctionConcurrency"),
    ("DELETE", f"/2017-10-31/functions{_NAME}/concurrency", "DeleteFunctionConcurrency"),
    ("GET", f"/2019-09-30/functions{_NAME}/concurrency", "GetFunctionConcurrency"),
    ("PUT", f"/2019-09-30/functions{_NAME}/provisioned-concurrency",
     "PutProvisionedConcurrencyConfig"),
    ("GET", f"/2019-09-30/functions{_NAME}/provisioned-concurrency",
     "GetProvisionedConcurrencyConfig"),
    ("DELETE", f"/2019-09-30/functions{_NAME}/provisioned-concurrency",
     "DeleteProvisionedConcurrencyConfig"),
    ("PUT", f"/2019-09-25/functions{_NAME}/event-invoke-config", "PutFunctionEventInvokeConfig"),
    ("POST", f"/2019-09-25/functions{_NAME}/event-invoke-config",
     "UpdateFunctionEventInvokeConfig"),
    ("GET", f"/2019-09-25/functions{_NAME}/event-invoke-config", "GetFunctionEventInvokeConfig"),
    ("DELETE", f"/2019-09-25/functions{_NAME}/event-invoke-config",
     "DeleteFunctionEventInvokeConfig"),
    ("GET", f"/2019-09-25/functions{_NAME}/event-invoke-config/list",
     "ListFunctionEventInvokeConfigs"),
    ("POST", f"/2021-10-31/functions{_NAME}/url", "CreateFunctionUrlConfig"),
    ("GET", f"/2021-10-31/functions{_NAME}/url", "GetFunctionUrlConfig"),
    ("PUT", f"/2021-10-31/functions{_NAME}/url", "UpdateFunctionUrlConfig"),
    ("DELETE", f"/2021-10-31/functions{_NAME}/url", "DeleteFunctionUrlConfig"),
    ("GET", f"/2021-10-31/functions{_NAME}/urls", "ListFunctionUrlConfigs"),
    ("POST", f"/2017-03-31/tags{_NAME}", "TagResource"),
    ("DELETE", f"/2017-03-31/tags{_NAME}", "UntagResource"),
    ("GET", f"/2017-03-31/tags{_NAME}", "ListTags"),
    ("GET", "/2016-08-19/account-settings", "GetAccountSettings"),
    ("GET", f"/2020-06-30/functions{_NAME}/code-signing-config", "GetFunctionCodeSigningConfig"),
    ("POST", _MAPPINGS, "CreateEventSourceMapping"),
    ("GET", _MAPPINGS, "ListEventSourceMappings"),
    ("GET", f"{_MAPPINGS}/[^/]+", "GetEventSourceMapping"),
    ("PUT", f"{_MAPPINGS}/[^/]+", "UpdateEventSourceMapping"),
    ("DELETE", f"{_MAPPINGS}/[^/]+", "DeleteEventSourceMapping"),
    ("GET", "/v1/functions", "ListFunctions"),
    ("GET", f"/v1/functions{_NAME}", "GetFunction"),
    ("DELETE", f"/v1/functions{_NAME}", "DeleteFunction"),
)  # fmt: skip
_TABLE: tuple[tuple[str, re.Pattern[str], tuple[str, ...]], ...] = (
    *((m, re.compile(path), (f"lambda:{action}",)) for m, path, action in _OPERATIONS),
    ("PUT", re.compile(f"/v1/functions{_NAME}"), (_CREATE, "lambda:UpdateFunctionCode")),
    ("GET", re.compile(f"/v1/functions{_NAME}/logs"), ("edge:GetLogs",)),
    ("GET", re.compile("/v1/usage"), ("edge:GetUsage",)),
    ("GET", re.compile("/v1/audit"), ("edge:GetAudit",)),
    ("GET", re.compile("/v1/async"), ("edge:GetAsync",)),
    ("GET", re.compile("/v1/dead"), ("edge:ListDead",)),
    ("GET", re.compile("/v1/dead/[^/]+"), ("edge:GetDead",)),
    ("POST", re.compile("/v1/dead/[^/]+/redrive"), ("edge:RedriveDead",)),
    ("DELETE", re.compile("/v1/dead/[^/]+"), ("edge:DeleteDead",)),
)


def need_of(method: str, path: str, query: bytes) -> Need:
    """What a request needs. `path` is decoded, as ASGI has it; a slash at its end means nothing."""
    path = path.rstrip("/")
    method = "GET" if method == "HEAD" else method
    if path == _HEALTH:
        return Need((), is_public=True)
    if (method, path) == ("POST", _FUNCTIONS):
        return Need((_CREATE,), names_in_body=True, is_change=True)
    for row_method, pattern, actions in _TABLE:
        found = pattern.fullmatch(path) if row_method == method else None
        if found is not None:
            function, qualifier = _named(found[1], query) if found.groups() else _NOTHING
            invokes = actions == ("lambda:InvokeFunction",)
            is_change = method not in _READS and not invokes
            return Need(actions, function, qualifier, is_change=is_change)
    return Need(("edge:Unknown",), is_change=method not in _READS)


def _named(reference: str, query: bytes) -> tuple[str, str]:
    """The function and its qualifier."""
    try:
        name, qualifier = parse_name(reference)
    except InvalidRequest:
        return _NOTHING  # the endpoint will refuse it
    if qualifier == LATEST and query:
        qualifier = QueryParams(query).get("Qualifier") or LATEST
    return name, qualifier
