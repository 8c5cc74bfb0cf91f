"""Which of Lambda's operations is at which method and path.

Neighbours: `control.py` mounts the rows; `deeds.py` says which action of IAM each of them is.
Source: botocore's service model of Lambda, 2015-03-31.
"""

from edge.front.endpoints import Row
from edge.front.lambda_api.aliases import AliasEndpoints
from edge.front.lambda_api.concurrency import Concurrency
from edge.front.lambda_api.deployments import Deployments
from edge.front.lambda_api.event_configs import EventConfigs
from edge.front.lambda_api.invocations import Invocations
from edge.front.lambda_api.listings import Listings
from edge.front.lambda_api.mappings import Mappings
from edge.front.lambda_api.permissions import Permissions
from edge.front.lambda_api.provisions import Provisions
from edge.front.lambda_api.streaming import StreamingInvocations
from edge.front.lambda_api.tags import TagEndpoints
from edge.front.lambda_api.urls import Urls
from edge.front.lambda_api.versions import Versions
from edge.front.services import Bounds, Registry, Services

_FUNCTIONS = "/2015-03-31/functions"
_FUNCTION = f"{_FUNCTIONS}/{{name}}"


def lambda_rows(services: Services, bounds: Bounds, data_url: str) -> tuple[Row, ...]:
    """All operations; `data_url` is where the data plane is reached."""
    registry = services.registry
    return (
        # First, because routes are tried in order, and these are called most.
        *_invocations(services, bounds),
        *_functions(services, bounds),
        *_names(registry),
        *_limits(registry, bounds),
        *_event_configs(services),
        *_urls(registry, data_url),
        *_tags(registry),
        *_mappings(registry),
    )


def _invocations(services: Services, bounds: Bounds) -> tuple[Row, ...]:
    invocations = Invocations(services, bounds)
    streaming = "/2021-11-15/functions/{name}/response-streaming-invocations"
    return (
        ("POST", f"{_FUNCTION}/invocations", invocations.invoke),
        ("POST", streaming, StreamingInvocations(services, invocations).invoke),
    )


def _functions(services: Services, bounds: Bounds) -> tuple[Row, ...]:
    deployments, listings = Deployments(services, bounds), Listings(services.registry)
    signing = "/2020-06-30/functions/{name}/code-signing-config"
    return (
        ("POST", _FUNCTIONS, deployments.create),
        ("GET", _FUNCTIONS, listings.list),
        ("GET", _FUNCTION, listings.get),
        ("DELETE", _FUNCTION, deployments.delete),
        ("PUT", f"{_FUNCTION}/code", deployments.update_code),
        ("GET", f"{_FUNCTION}/configuration", listings.get_configuration),
        ("PUT", f"{_FUNCTION}/configuration", deployments.update_configuration),
        ("GET", signing, listings.code_signing_config),
    )


def _names(registry: Registry) -> tuple[Row, ...]:
    """Versions, aliases, and who may use them."""
    versions, aliases = Versions(registry), AliasEndpoints(registry)
    permissions = Permissions(registry)
    alias = f"{_FUNCTION}/aliases/{{alias}}"
    return (
        ("POST", f"{_FUNCTION}/versions", versions.publish),
        ("GET", f"{_FUNCTION}/versions", versions.list),
        ("POST", f"{_FUNCTION}/aliases", aliases.create),
        ("GET", f"{_FUNCTION}/aliases", aliases.list),
        ("GET", alias, aliases.get),
        ("PUT", alias, aliases.update),
        ("DELETE", alias, aliases.delete),
        ("POST", f"{_FUNCTION}/policy", permissions.add),
        ("GET", f"{_FUNCTION}/policy", permissions.get),
        ("DELETE", f"{_FUNCTION}/policy/{{sid}}", permissions.remove),
    )


def _limits(registry: Registry, bounds: Bounds) -> tuple[Row, ...]:
    concurrency, provisions = Concurrency(registry, bounds), Provisions(registry, bounds)
    reserved = "/2017-10-31/functions/{name}/concurrency"
    provisioned = "/2019-09-30/functions/{name}/provisioned-concurrency"
    return (
        ("PUT", reserved, concurrency.put),
        ("DELETE", reserved, concurrency.delete),
        ("GET", "/2019-09-30/functions/{name}/concurrency", concurrency.get),
        ("PUT", provisioned, provisions.put),
        ("GET", provisioned, provisions.get),
        ("DELETE", provisioned, provisions.delete),
        ("GET", "/2016-08-19/account-settings", concurrency.account),
    )


def _event_configs(services: Services) -> tuple[Row, ...]:
    configs = EventConfigs(services)
    config = "/2019-09-25/functions/{name}/event-invoke-config"
    return (
        ("PUT", config, configs.put),
        ("POST", config, configs.update),
        ("GET", config, configs.get),
        ("DELETE", config, configs.delete),
        ("GET", f"{config}/list", configs.list),
    )


def _urls(registry: Registry, data_url: str) -> tuple[Row, ...]:
    urls = Urls(registry, data_url)
    url = "/2021-10-31/functions/{name}/url"
    return (
        ("POST", url, urls.create),
        ("GET", url, urls.get),
        ("PUT", url, urls.update),
        ("DELETE", url, urls.delete),
        ("GET", f"{url}s", urls.list),
    )


def _tags(registry: Registry) -> tuple[Row, ...]:
    tags = TagEndpoints(registry)
    resource = "/2017-03-31/tags/{name}"
    return (
        ("POST", resource, tags.add),
        ("DELETE", resource, tags.remove),
        ("GET", resource, tags.list),
    )


def _mappings(registry: Registry) -> tuple[Row, ...]:
    mappings = Mappings(registry)
    path = "/2015-03-31/event-source-mappings"
    mapping = f"{path}/{{uuid}}"
    return (
        ("POST", path, mappings.create),
        ("GET", path, mappings.list),
        ("GET", mapping, mappings.get),
        ("PUT", mapping, mappings.update),
        ("DELETE", mapping, mappings.delete),
    )
