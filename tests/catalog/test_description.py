"""Description: the OpenAPI document is valid, names every route, and is true: fuzzing finds nothing that it denies."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import msgspec
import pytest
import schemathesis
from catalog.seed import initialise
from catalog.settings import database_url as parsed
from catalog.web.description import DESCRIPTION
from hypothesis import HealthCheck, Phase, settings
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.catalog.shop import Shop, open_shop
from tests.redis_server import RedisServer

DOCUMENT: dict[str, Any] = msgspec.json.decode(DESCRIPTION)
NOT_DESCRIBED = {"/", "/metrics", "/openapi.json", "/static/<filename>"}  # pages and plain text
EXAMPLES = 30  # per operation: enough to meet each rule, few enough for every run
# Of what the document allows, 412 refuses an ETag that was made up, and 404 a product that another example deleted.
config = schemathesis.Config.from_dict(
    {"checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", "3xx", "404", "412"]}}}
)
described = schemathesis.openapi.from_dict(DOCUMENT, config=config)


def test_the_document_is_valid() -> None:
    """OpenAPI 3.1, by its own validator."""
    OpenAPIV31SpecValidator(DOCUMENT).validate()


def test_every_route_is_described(shop: Shop) -> None:
    """What the application serves, control routes aside, is what the document lists; and the other way round."""
    served = {
        (re.sub(r"<[a-z_]+:([a-z_]+)>", r"{\1}", rule.rule), method)
        for rule in shop.application.url_map.iter_rules()
        if rule.rule not in NOT_DESCRIBED and not rule.rule.startswith("/_tocsin/")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    listed = {(path, method.upper()) for path, operations in DOCUMENT["paths"].items() for method in operations}
    assert listed == served


def test_the_document_is_served(shop: Shop) -> None:
    """At /openapi.json, with a validator."""
    answer = shop.get("/openapi.json")
    assert (answer.data, answer.headers["Content-Type"]) == (DESCRIPTION, "application/json")


@pytest.fixture(scope="module")
def fuzzed_shop(shared_redis: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """One shop for all examples: what one request leaves behind, another may meet."""
    url = f"sqlite:///{tmp_path_factory.mktemp('fuzz') / 'shop.db'}"
    initialise(parsed({"DATABASE_URL": url}))
    with open_shop(REDIS_URL=shared_redis.url, DATABASE_URL=url, TOCSIN_STRATEGY="l2-only") as shop:
        yield shop


@described.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_no_answer_is_one_that_the_document_denies(case: schemathesis.Case[Any], fuzzed_shop: Shop) -> None:
    """Whatever is sent, allowed by the document or not: the status, the type, the fields and the body of the answer are
    described, what is allowed is not refused as malformed, what is not allowed is refused, and nothing fails with 500.
    """
    if re.fullmatch(r"[\x21-\x7e]{1,255}", str(case.headers.get("Idempotency-Key", ""))):
        case.headers["Idempotency-Key"] = uuid4().hex  # a key that another example had used would rightly be 422
    case.call_and_validate(app=fuzzed_shop.application)
