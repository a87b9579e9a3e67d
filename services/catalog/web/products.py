"""Product routes: reads through the cache, writes through the configured write path."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue
from tocsin import PENDING
from werkzeug.routing import BaseConverter

from catalog.errors import BadRequest, ProductMissing
from catalog.operation import Operation, changing, deleting, rewriting
from catalog.product import (
    LISTS,
    Kind,
    NewProduct,
    Product,
    ProductChange,
    VersionedDocument,
    WholeProduct,
    key_of,
    with_version,
)
from catalog.products import read_list, read_product
from catalog.web import kept, watermark
from catalog.web.answer import JSON, at_least, declare, note, represent, worker
from catalog.web.body import body_of, conditions_of, operation_id_of, page_of, retry_key_of
from catalog.web.cache_class import CacheClass, cached
from catalog.web.problem import product_missing
from catalog.web.watermark import Watermark

routes = Blueprint("products", __name__, url_prefix="/api/products")


class ProductId(BaseConverter):
    """A product's number in its one spelling: `007` would be a second address of product 7, cached apart from it.

    What is not one is refused here, by the pattern: werkzeug answers a number refused by `to_python` with 405.
    """

    regex = r"[1-9][0-9]{0,8}"  # at most catalog.product.ID_MAX

    def to_python(self, value: str) -> int:
        """The number."""
        return int(value)


@routes.get("/<product_id:product_id>")
@cached(CacheClass.PUBLIC)
def show(product_id: int) -> ResponseReturnValue:
    """One product. Its absence is cached too, by us and, for as long as a product would be, by shared caches."""
    me = worker()
    answer = note(read_product(me.cache, me.database, product_id, at_least()), key_of(product_id))
    if answer.value is None:
        declare(CacheClass.PUBLIC)
        return product_missing(ProductMissing(product_id, answer.version))
    return represent(with_version(answer.value, answer.version))


@routes.get("")
@cached(CacheClass.PUBLIC)
def show_list() -> ResponseReturnValue:
    """One page of products, of all categories or one."""
    me = worker()
    page = page_of(request)
    answer = note(read_list(me.cache, me.database, page, at_least()), page.key, LISTS)
    assert answer.value is not None, "a list may be empty, but it is always there"
    return represent(answer.value)


@routes.post("")
@cached(CacheClass.NO_STORE)
def create() -> ResponseReturnValue:
    """A new product, under an id that no product ever had."""
    return _perform("create", None, rewriting(body_of(request, NewProduct)))


@routes.put("/<product_id:product_id>")
@cached(CacheClass.NO_STORE)
def put(product_id: int) -> ResponseReturnValue:
    """The product becomes what the body says."""
    wanted = body_of(request, WholeProduct)
    if isinstance(wanted.id, int) and wanted.id != product_id:
        raise BadRequest(422, f"id: the body says {wanted.id}, the address {product_id}", field="id")
    return _perform("update", product_id, rewriting(wanted))


@routes.patch("/<product_id:product_id>")
@cached(CacheClass.NO_STORE)
def patch(product_id: int) -> ResponseReturnValue:
    """The members that the body gives are changed."""
    return _perform("update", product_id, changing(body_of(request, ProductChange)))


@routes.delete("/<product_id:product_id>")
@cached(CacheClass.NO_STORE)
def delete(product_id: int) -> ResponseReturnValue:
    """The product becomes a tombstone, which keeps its version and its id."""
    return _perform("delete", product_id, deleting)


def _perform(kind: Kind, product_id: int | None, apply: Callable[[Product], Product]) -> Response:
    retry_key = retry_key_of(request)
    written = worker().writes.perform(
        Operation(
            kind=kind,
            product_id=product_id,
            apply=apply,
            conditions=conditions_of(request),
            operation_id=operation_id_of(retry_key),
            retry_key=retry_key,
        )
    )
    body = written.body if written.durable else b'%b,"durable":false}' % written.body[:-1]
    response = Response(body, status=written.status, content_type=JSON)
    if kind != "delete":
        address = f"/api/products/{msgspec.json.decode(written.body, type=VersionedDocument).id}"
        response.headers["Content-Location"] = address
        if kind == "create":
            response.headers["Location"] = address
        # The body is the representation that a GET of this address returns from now on, which Content-Location says;
        # so its ETag lets the client write again under If-Match without reading first.
        response.set_etag(written.etag)
    if written.replayed:
        response.headers["Idempotency-Replayed"] = "true"
    if written.pending:
        response.headers["Tocsin-Pending"] = "true"
    kept.end(response, written.names)
    me = worker()
    shown = watermark.seen_with(me.database, written.watermark)
    if written.watermark == PENDING and written.waits_for is not None:
        shown = Watermark(PENDING, written.waits_for)
    watermark.tell(response, shown, me.settings.secret)
    return response
