"""CreateAlias, GetAlias, UpdateAlias, DeleteAlias and ListAliases.

Neighbours: `registry/` keeps aliases and resolves through them; `model/alias.py` has the rules.
Source: https://docs.aws.amazon.com/lambda/latest/api/API_CreateAlias.html.
"""

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from edge.front.documents import parse_object
from edge.front.endpoints import body_of, json_response
from edge.front.faults import PreconditionFailed
from edge.front.lambda_api.inputs import (
    Document,
    max_items,
    optional_text,
    structure,
    text,
    unqualified,
)
from edge.front.services import Registry
from edge.model.alias import Alias, is_alias_name
from edge.model.errors import InvalidConfiguration, InvalidRequest
from edge.model.ids import function_arn
from edge.model.limits import KIB

BODY_BYTES_MAX = 16 * KIB


class AliasEndpoints:
    """The endpoints under F/N/aliases."""

    def __init__(self, registry: Registry) -> None:
        """Read and change what `registry` follows."""
        self._registry = registry

    async def create(self, request: Request) -> Response:
        """POST → 201; 409 where there is one, 404 where a version is missing."""
        function = unqualified(request)
        members = parse_object(await body_of(request, BODY_BYTES_MAX))
        for member in ("Name", "FunctionVersion"):
            if optional_text(members, member) is None:
                raise InvalidRequest(f"{member} is missing")
        self._registry.get(function)
        blank = Alias(function, text(members, "Name"), text(members, "FunctionVersion"), "")
        made = self._registry.aliases.create(_changed(blank, members))
        return json_response(201, alias_document(made))

    async def get(self, request: Request) -> Response:
        """GET …/ALIAS → 200."""
        found = self._registry.aliases.get(unqualified(request), request.path_params["alias"])
        return json_response(200, alias_document(found))

    async def update(self, request: Request) -> Response:
        """PUT …/ALIAS → 200: change what is named; 412 when RevisionId is an older one."""
        function = unqualified(request)
        members = parse_object(await body_of(request, BODY_BYTES_MAX))
        revision_id = optional_text(members, "RevisionId")

        def change(stands: Alias) -> Alias:
            if revision_id is not None and revision_id != stands.revision_id:
                raise PreconditionFailed(
                    "the alias changed since this RevisionId: read it again, then retry"
                )
            return _changed(stands, members)

        name = request.path_params["alias"]
        return json_response(
            200, alias_document(self._registry.aliases.update(function, name, change))
        )

    async def delete(self, request: Request) -> Response:
        """DELETE …/ALIAS → 204, also where there was none, as Lambda has it."""
        function = unqualified(request)
        self._registry.get(function)
        self._registry.aliases.delete(function, request.path_params["alias"])
        return Response(status_code=204)

    async def list(self, request: Request) -> Response:
        """GET ?FunctionVersion&Marker&MaxItems → 200, by name; the marker is the last one given."""
        function = unqualified(request)
        self._registry.get(function)
        query = request.query_params
        limit = max_items(query.get("MaxItems"))
        marker = query.get("Marker") or ""
        if marker and not is_alias_name(marker):
            raise InvalidRequest("Marker must be the NextMarker of an earlier answer")
        version = query.get("FunctionVersion") or ""
        page = _page(self._registry, function, version, marker, limit + 1)
        document: dict[str, object] = {"Aliases": [alias_document(each) for each in page[:limit]]}
        if len(page) > limit:
            document["NextMarker"] = page[limit - 1].name
        return json_response(200, document)


def _page(registry: Registry, function: str, version: str, after: str, count: int) -> list[Alias]:
    """Up to `count` aliases behind `after`, of one version if it is not empty."""
    page: list[Alias] = []
    while len(page) < count:
        found = registry.aliases.list(function, after=after, limit=count)
        page += (each for each in found if version in ("", each.version, each.also))
        if len(found) < count:
            break
        after = found[-1].name
    return page[:count]


def alias_document(alias: Alias) -> dict[str, object]:
    """AliasConfiguration."""
    document: dict[str, object] = {
        "AliasArn": function_arn(alias.function, alias.name),
        "Name": alias.name,
        "FunctionVersion": alias.version,
        "Description": alias.description,
        "RevisionId": alias.revision_id,
    }
    if alias.also:
        weights = {alias.also: alias.also_weight}
        document["RoutingConfig"] = {"AdditionalVersionWeights": weights}
    return document


def _changed(stands: Alias, members: Document) -> Alias:
    """`stands` with the members that were sent."""
    also, also_weight = stands.also, stands.also_weight
    if members.get("RoutingConfig") is not None:
        also, also_weight = _routing(structure(members, "RoutingConfig"))
    description = stands.description
    if members.get("Description") is not None:
        description = text(members, "Description")
    return replace(
        stands,
        version=text(members, "FunctionVersion") or stands.version,
        description=description,
        also=also,
        also_weight=also_weight,
    )


def _routing(config: Document) -> tuple[str, float]:
    """The second version and its share; ("", 0) for none."""
    weights = structure(config, "AdditionalVersionWeights")
    if len(weights) > 1:
        raise InvalidConfiguration("an alias stands for two versions at most: give one weight")
    for version, weight in weights.items():
        if not isinstance(weight, int | float) or isinstance(weight, bool):
            raise InvalidConfiguration(f"the weight of version {version[:80]!r} must be a number")
        if not version or not 0 <= weight <= 1:
            raise InvalidConfiguration("a weight is a version's number and a share from 0 to 1")
        return version, float(weight)
    return "", 0.0
