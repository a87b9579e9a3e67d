"""What an answer says: its version, its write, its layer."""

from __future__ import annotations

import json

import pytest

from cluster.history.operation import NO_VERSION, Layer
from cluster.workload.answer import (
    UnreadableError,
    described,
    layer_of,
    listed_value,
    personal_value,
    product_value,
    shared_value,
)

PRODUCT = {"id": 1, "name": "Bowl", "price": 3.5, "category": "kitchen", "description": "Round.", "version": 4}


def body(**changes: object) -> bytes:
    return json.dumps(PRODUCT | changes).encode()


def test_a_product_tells_its_version_and_its_write() -> None:
    """The description ends with the operation id that `described` put there."""
    value = product_value(body(description=described("Counted anew.", "5f3c0b1e9a7d4420")))
    assert (value.version, value.operation_id) == (4, "5f3c0b1e9a7d4420")
    assert product_value(body()).operation_id == ""


def test_the_digest_is_of_the_value_and_not_of_its_version() -> None:
    """A write's answer under write-behind has a member more, and is the same value."""
    digest = product_value(body()).digest
    assert product_value(body(version=9, durable=False)).digest == digest
    for change in ({"name": "Cup"}, {"price": 3.6}, {"category": "toys"}, {"description": "Flat."}):
        assert product_value(body(**change)).digest != digest


@pytest.mark.parametrize("text", [b"", b"<html>", b'{"version": 1}', body(version="4"), b"\xff\xfe"])
def test_what_is_no_product_is_said_to_be_none(text: bytes) -> None:
    """An error page with status 200 must not pass for an answer."""
    with pytest.raises(UnreadableError, match="no product"):
        product_value(text)


def test_a_product_in_a_list_is_the_product() -> None:
    """The same version, write and digest as by its own address; a page on which it does not stand is unreadable."""
    page = json.dumps({"items": [PRODUCT, PRODUCT | {"id": 7, "version": 9}], "page": 1}).encode()
    assert listed_value(1, page) == product_value(body())
    assert listed_value(7, page).version == 9
    with pytest.raises(UnreadableError, match="product 8 is not on the page"):
        listed_value(8, page)
    with pytest.raises(UnreadableError, match="no list"):
        listed_value(1, body())


def test_what_redis_holds_has_a_version_or_is_nothing() -> None:
    """By a node's control route: L2's entry, or null."""
    assert shared_value(b'{"key": "product:1", "l1": null, "l2": {"version": 4, "ttl_s": 9.5}}').version == 4
    assert shared_value(b'{"key": "product:1", "l1": null, "l2": null}').version == NO_VERSION
    with pytest.raises(UnreadableError, match="no entry"):
        shared_value(body())


def test_a_personal_page_tells_its_owner() -> None:
    """The name in the body, whoever asked."""
    assert personal_value(b'{"user": "ada", "locale": "en", "picks": []}').owner == "ada"
    with pytest.raises(UnreadableError, match="no personal page"):
        personal_value(b"[]")


@pytest.mark.parametrize(
    ("cache_status", "layer"),
    [
        ("tocsin-l1;hit;ttl=1", Layer.L1),
        ("tocsin-l2;hit;ttl=29, tocsin-l1;fwd=uri-miss;stored", Layer.L2),
        ("tocsin-l2;fwd=uri-miss;stored;ttl=30, tocsin-l1;fwd=uri-miss", Layer.DATABASE),
        ("tocsin-l2;fwd=uri-miss, tocsin-l1;fwd=uri-miss, edge; hit", Layer.EDGE),
        ("tocsin-l1;hit, edge;fwd=stale;stored", Layer.L1),
        ('tocsin-l1;fwd=bypass;detail="edge; hit, no, \\"really\\"", edge;fwd=miss', Layer.DATABASE),
        ("edge; hit; ttl=1", Layer.EDGE),
        ("tocsin-l1;hit=?0", Layer.DATABASE),
        ("ExampleCache; hit", Layer.NONE),
        ("", Layer.NONE),
    ],
)
def test_the_outermost_hit_answered(cache_status: str, layer: Layer) -> None:
    """RFC 9211, section 2: members run from the origin outwards; what a stored answer had passed before is history."""
    assert layer_of(cache_status) is layer
