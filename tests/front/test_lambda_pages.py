"""Pages of Lambda's lists: each item once, in order, whatever the page size; bounds are kept."""

from typing import Any, NamedTuple

import httpx
import pytest

from tests.front.lambda_calls import create
from tests.running import Server

FUNCTION = "/2015-03-31/functions/paged"


class Listing(NamedTuple):
    """A list: where it is, its member, how an item is told from others, and the largest page."""

    path: str
    member: str
    key: str
    items_max: int


LISTINGS = (
    Listing("/2015-03-31/functions", "Functions", "FunctionArn", 10_000),
    Listing("/2015-03-31/functions?FunctionVersion=ALL", "Functions", "FunctionArn", 10_000),
    Listing(f"{FUNCTION}/versions", "Versions", "Version", 10_000),
    Listing(f"{FUNCTION}/aliases", "Aliases", "Name", 10_000),
    Listing(f"{FUNCTION}/aliases?FunctionVersion=2", "Aliases", "Name", 10_000),
    Listing(
        "/2019-09-25/functions/paged/event-invoke-config/list",
        "FunctionEventInvokeConfigs",
        "FunctionArn",
        50,
    ),
    Listing("/2021-10-31/functions/paged/urls", "FunctionUrlConfigs", "FunctionArn", 50),
    Listing(
        "/2019-09-30/functions/paged/provisioned-concurrency?List=ALL",
        "ProvisionedConcurrencyConfigs",
        "FunctionArn",
        50,
    ),
)


@pytest.fixture(scope="module", autouse=True)
def paged(client: Any, host: Server, echo: bytes) -> None:
    """`paged` with three versions, and of each alias and config three or more."""
    create(client, "paged", echo, Publish=True)
    for timeout in (5, 6):
        client.update_function_configuration(FunctionName="paged", Timeout=timeout)
        client.publish_version(FunctionName="paged")
    for alias, version in (("a", "2"), ("b", "1"), ("c", "2"), ("d", "2")):
        name = {"FunctionName": "paged", "Qualifier": alias}
        client.create_alias(FunctionName="paged", Name=alias, FunctionVersion=version)
        client.put_function_event_invoke_config(**name, MaximumRetryAttempts=1)
        client.create_function_url_config(**name, AuthType="NONE")
        client.put_provisioned_concurrency_config(**name, ProvisionedConcurrentExecutions=1)


def asked(host: Server, listing: Listing, **params: str) -> httpx.Response:
    """One page of a list."""
    return host.control.get(httpx.URL(listing.path).copy_merge_params(params))


def listed(host: Server, listing: Listing, size: int) -> list[str]:
    """All items, read in pages of a size."""
    keys: list[str] = []
    params = {"MaxItems": str(size)}
    while True:
        answer = asked(host, listing, **params)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert 0 < len(page[listing.member]) <= size
        keys += (each[listing.key] for each in page[listing.member])
        if "NextMarker" not in page:
            return keys
        params["Marker"] = page["NextMarker"]


@pytest.mark.parametrize("listing", LISTINGS, ids=lambda listing: listing.path)
def test_every_item_is_on_one_page(host: Server, listing: Listing) -> None:
    """Nothing twice and nothing left out, and a page ends only where there is more."""
    whole = listed(host, listing, 50)
    assert len(whole) >= 3
    assert len(set(whole)) == len(whole)
    for size in (1, 2, 3, len(whole)):
        assert listed(host, listing, size) == whole


@pytest.mark.parametrize("listing", LISTINGS, ids=lambda listing: listing.path)
def test_page_sizes_that_are_refused(host: Server, listing: Listing) -> None:
    """None, too many, and no number at all; the most that may be asked for is fine."""
    for size in ("0", "-1", "x", "", "1.5", "²", str(listing.items_max + 1), "9" * 40):
        answer = asked(host, listing, MaxItems=size)
        assert answer.status_code == 400, size
        assert answer.headers["x-amzn-errortype"] == "InvalidParameterValueException"
    largest = asked(host, listing, MaxItems=str(listing.items_max))
    assert largest.status_code == 200
