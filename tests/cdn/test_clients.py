"""The clients: what each sends, and how it takes an answer. Against a stub after their documents and moto only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws
from tocsin.cdn.client import PurgeClient, PurgeLater, PurgeRefused
from tocsin.cdn.cloudflare import Cloudflare
from tocsin.cdn.cloudfront import CloudFront
from tocsin.cdn.fastly import Fastly
from tocsin.cdn.settings import client_named
from tocsin.errors import SettingsError

from tests.cdn.stub import TOKEN, Stub, cdn_stub

PATHS = {"product:": "/api/products/{}", "products": "/api/products*"}


@pytest.fixture
def stub() -> Iterator[Stub]:
    """One stub."""
    with cdn_stub() as running:
        yield running


def both(stub: Stub) -> tuple[PurgeClient, PurgeClient]:
    """The two clients that speak HTTP by themselves."""
    return Cloudflare(zone="z1", token=TOKEN, api=stub.url), Fastly(service="s1", token=TOKEN, api=stub.url)


def test_cloudflare_is_asked_by_tag(stub: Stub) -> None:
    """A bearer token, and the tags as JSON."""
    Cloudflare(zone="z1", token=TOKEN, api=stub.url).purge(["product:1", "products"])
    (path, headers, body) = stub.calls[0]
    assert path == "/client/v4/zones/z1/purge_cache"
    assert headers["authorization"] == f"Bearer {TOKEN}"
    assert body == {"tags": ["product:1", "products"]}


def test_cloudflare_is_asked_for_everything(stub: Stub) -> None:
    """In its own words."""
    Cloudflare(zone="z1", token=TOKEN, api=stub.url).purge_everything()
    assert stub.calls[0][2] == {"purge_everything": True}


def test_cloudflare_says_no_in_a_success(stub: Stub) -> None:
    """A status of 200 with `"success": false` purged nothing."""
    stub.answers.append((200, {}, {"success": False, "errors": [{"code": 1, "message": "no"}]}))
    with pytest.raises(PurgeRefused, match="answered 200"):
        Cloudflare(zone="z1", token=TOKEN, api=stub.url).purge(["product:1"])


@pytest.mark.parametrize("soft", [True, False])
def test_fastly_is_asked_by_surrogate_key(stub: Stub, soft: bool) -> None:
    """Softly only where that is wished."""
    Fastly(service="s1", token=TOKEN, soft=soft, api=stub.url).purge(["product:1"])
    (path, headers, body) = stub.calls[0]
    assert path == "/service/s1/purge"
    assert headers["fastly-key"] == TOKEN
    assert ("fastly-soft-purge" in headers) is soft
    assert body == {"surrogate_keys": ["product:1"]}


def test_fastly_is_asked_for_everything(stub: Stub) -> None:
    """By its own address."""
    Fastly(service="s1", token=TOKEN, soft=True, api=stub.url).purge_everything()
    assert stub.calls[0][0] == "/service/s1/purge_all"


@pytest.mark.parametrize("number", [0, 1], ids=["cloudflare", "fastly"])
@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_what_may_pass_is_for_later(stub: Stub, number: int, status: int) -> None:
    """With the time that the service wishes for."""
    stub.answers.append((status, {"Retry-After": "7"}, {}))
    with pytest.raises(PurgeLater) as caught:
        both(stub)[number].purge(["product:1"])
    assert caught.value.after_s == 7


@pytest.mark.parametrize("number", [0, 1], ids=["cloudflare", "fastly"])
@pytest.mark.parametrize("status", [301, 400, 401, 403, 404])
def test_what_will_not_pass_is_refused_and_no_redirect_is_followed(stub: Stub, number: int, status: int) -> None:
    """A redirect would take the token elsewhere."""
    stub.answers.append((status, {"Location": f"{stub.url}/elsewhere"}, {}))
    with pytest.raises(PurgeRefused, match=str(status)):
        both(stub)[number].purge(["product:1"])
    assert len(stub.calls) == 1


@pytest.mark.parametrize("number", [0, 1], ids=["cloudflare", "fastly"])
def test_a_service_that_does_not_answer_is_for_later(number: int) -> None:
    """Nobody listens there any more."""
    with cdn_stub() as gone:
        clients = both(gone)
    with pytest.raises(PurgeLater, match="did not answer"):
        clients[number].purge(["product:1"])


@pytest.fixture
def distribution() -> Iterator[tuple[Any, str]]:
    """A CloudFront that moto plays, with one distribution."""
    with mock_aws():
        client = boto3.client(
            "cloudfront", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
        )
        origins = {
            "Quantity": 1,
            "Items": [
                {"Id": "o", "DomainName": "shop.s3.amazonaws.com", "S3OriginConfig": {"OriginAccessIdentity": ""}}
            ],
        }
        behaviour = {
            "TargetOriginId": "o",
            "ViewerProtocolPolicy": "allow-all",
            "MinTTL": 0,
            "ForwardedValues": {"QueryString": False, "Cookies": {"Forward": "none"}},
        }
        config = {
            "CallerReference": "1",
            "Comment": "",
            "Enabled": True,
            "Origins": origins,
            "DefaultCacheBehavior": behaviour,
        }
        made = client.create_distribution(DistributionConfig=config)
        yield client, made["Distribution"]["Id"]


def invalidated(client: Any, distribution: str) -> list[list[str]]:
    """The paths of each invalidation, in no order."""
    listed = client.list_invalidations(DistributionId=distribution)["InvalidationList"].get("Items", [])
    found = [client.get_invalidation(DistributionId=distribution, Id=each["Id"])["Invalidation"] for each in listed]
    return sorted(sorted(each["InvalidationBatch"]["Paths"]["Items"]) for each in found)


def test_cloudfront_is_asked_by_path(distribution: tuple[Any, str]) -> None:
    """A table turns tags into paths; what it does not know purges all, because nobody can say what carries it."""
    client, name = distribution
    cdn = CloudFront(distribution=name, paths=PATHS, client=client)
    cdn.purge(["product:7", "products"])
    cdn.purge(["product:7", "category:toys"])
    cdn.purge_everything()
    assert invalidated(client, name) == [["/*"], ["/*"], ["/api/products*", "/api/products/7"]]


def test_a_path_holds_no_more_than_the_name(distribution: tuple[Any, str]) -> None:
    """A name with an asterisk or a slash in it can't widen a path."""
    client, name = distribution
    CloudFront(distribution=name, paths=PATHS, client=client).purge(["product:*/../7"])
    assert invalidated(client, name) == [["/api/products/%2A%2F..%2F7"]]


def test_a_distribution_that_is_not_there_is_refused(distribution: tuple[Any, str]) -> None:
    """It is no use to ask again."""
    client, _ = distribution
    with pytest.raises(PurgeRefused, match="CloudFront"):
        CloudFront(distribution="nowhere", paths={}, client=client).purge(["product:7"])


@pytest.mark.parametrize(
    ("name", "environment", "said"),
    [
        ("akamai", {}, "cloudflare, fastly, cloudfront"),
        ("fastly", {"FASTLY_SERVICE": "s1"}, "FASTLY_TOKEN"),
        ("cloudflare", {}, "CLOUDFLARE_ZONE and CLOUDFLARE_TOKEN"),
        ("cloudfront", {"CLOUDFRONT_DISTRIBUTION": "d", "CLOUDFRONT_PATHS": "product"}, "CLOUDFRONT_PATHS"),
    ],
)
def test_what_is_missing_is_named(name: str, environment: dict[str, str], said: str) -> None:
    """In one sentence, before anything is followed."""
    with pytest.raises(SettingsError, match=said):
        client_named(name, environment)
