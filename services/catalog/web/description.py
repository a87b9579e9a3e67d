"""Description: the API as OpenAPI 3.1, true enough to fuzz against.

    msgspec's types (catalog.product, catalog.products, …) ──▶ schemas ─┐
    the operations below ──────────────────────────────────▶ paths ─────┴─▶ DESCRIPTION, bytes

What always holds: the schemas of bodies are derived from the types that parse and serialise them, so they can't drift;
the tests hold every route against this document, and this document against every answer.
"""

from __future__ import annotations

from typing import Any

import msgspec

from catalog.dashboard import LOCALES, Dashboard
from catalog.product import ID_MAX, NewProduct, ProductChange, VersionedDocument, WholeProduct
from catalog.products import PAGE_MAX, PER_PAGE_MAX, Listing
from catalog.web.health import Readiness
from catalog.web.personal import SignIn

JSON, PROBLEM = "application/json", "application/problem+json"
CATEGORY_OR_ALL = r"^([a-z][a-z0-9]*(-[a-z0-9]+)*)?$"
_TYPES = (VersionedDocument, Listing, NewProduct, WholeProduct, ProductChange, Dashboard, Readiness, SignIn)

_PROBLEM = {
    "type": "object",
    "description": "RFC 9457. `outcome` says of a write whether it happened; `field` names what was wrong.",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
        "version": {"type": "integer", "minimum": 1, "description": "404: of the tombstone. 412: of the product."},
        "field": {"type": "string"},
        "outcome": {"enum": ["not-applied", "unknown"]},
    },
    "required": ["type", "title", "status", "detail"],
}
_WRITTEN = {
    "allOf": [
        {"$ref": "#/components/schemas/VersionedDocument"},
        {
            "type": "object",
            "properties": {"durable": {"const": False, "description": "Write-behind: not in the database yet."}},
        },
    ]
}
_RETRY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Makes a repeat safe: the same request with the same key is applied once and answered alike.",
    "schema": {"type": "string", "pattern": "^[\\x21-\\x7e]{1,255}$"},
}
_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "description": "ETags, or `*`: write only if the product is still one of these. Nonsense matches nothing.",
    "schema": {"type": "string"},
}
_IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "description": "ETags, or `*`: 304 if the representation is still one of these. Nonsense matches nothing.",
    "schema": {"type": "string"},
}
_PRODUCT_ID = {
    "name": "product_id",
    "in": "path",
    "required": True,
    "schema": {"type": "integer", "minimum": 1, "maximum": ID_MAX},
}


def _reference(kind: type) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{kind.__name__}"}


def _answer(text: str, schema: dict[str, Any], **headers: str) -> dict[str, Any]:
    described = {
        name.replace("_", "-"): {"description": each, "schema": {"type": "string"}} for name, each in headers.items()
    }
    return {"description": text, "content": {JSON: {"schema": schema}}, **({"headers": described} if headers else {})}


def _problems(*statuses: int) -> dict[str, Any]:
    words = {
        400: "The request can't be read.",
        404: "There is no such product; `version` is its tombstone's, if there was one.",
        412: "A condition of the request does not hold.",
        413: "The body is too large.",
        415: "The body is not application/json.",
        422: "The body is not what is expected, or the Idempotency-Key was used with another request.",
        500: "The service failed, or the outcome of a write is unknown.",
        503: "The database, or under write-behind Redis, is not available; nothing was written.",
    }
    content = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {str(status): {"description": words[status], "content": content} for status in (*statuses, 500, 503)}


def _read(summary: str, kind: type, *parameters: dict[str, Any], also: tuple[int, ...] = ()) -> dict[str, Any]:
    answers = {"200": _answer(summary, _reference(kind), ETag="A strong hash of the body.")}
    answers["304"] = {"description": "Not modified."}
    return {
        "summary": summary,
        "parameters": [*parameters, _IF_NONE_MATCH],
        "responses": answers | _problems(412, *also),
    }


def _write(
    summary: str, body: type | None, *parameters: dict[str, Any], status: int = 200, also: tuple[int, ...] = ()
) -> dict[str, Any]:
    headers = {
        "Tocsin_Pending": "`true`: committed, but the other nodes could not be told yet.",
        "Idempotency_Replayed": "`true`: the answer to the first request with this key.",
    }
    operation = {
        "summary": summary,
        "parameters": [*parameters, _RETRY_KEY],
        "responses": {str(status): _answer("The product as it is now.", _WRITTEN, **headers)} | _problems(400, *also),
    }
    return operation | _takes(body) if body else operation


def _takes(body: type) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {JSON: {"schema": _reference(body)}}}}


def _query(name: str, schema: dict[str, Any], text: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema, "description": text}


def _paths() -> dict[str, Any]:
    bodies = (413, 415, 422)
    user = {"type": "object", "properties": {"user": {"type": "string"}}, "required": ["user"]}
    listing = (
        _query("category", {"type": "string", "maxLength": 40, "pattern": CATEGORY_OR_ALL}, "Empty: all."),
        _query("page", {"type": "integer", "minimum": 1, "maximum": PAGE_MAX, "default": 1}, "From 1."),
        _query("per_page", {"type": "integer", "minimum": 1, "maximum": PER_PAGE_MAX, "default": 20}, "How many."),
    )
    language = {
        "name": "Accept-Language",
        "in": "header",
        "description": f"The page comes in {', '.join(LOCALES)}: the first that fits, else the first of these.",
        "schema": {"type": "string"},
    }
    return {
        "/api/products": {
            "get": _read("One page of products", Listing, *listing, also=(400,)),
            "post": _write("A new product", NewProduct, status=201, also=bodies),
        },
        "/api/products/{product_id}": {
            "get": _read("One product", VersionedDocument, _PRODUCT_ID, also=(404,)),
            "put": _write("Replace a product", WholeProduct, _PRODUCT_ID, _IF_MATCH, also=(404, 412, *bodies)),
            "patch": _write("Change a product", ProductChange, _PRODUCT_ID, _IF_MATCH, also=(404, 412, *bodies)),
            "delete": _write("Delete a product", None, _PRODUCT_ID, _IF_MATCH, also=(404, 412, 413, 422)),
        },
        "/api/dashboard": {"get": _read("The user's own page", Dashboard, language)},
        "/api/session": {
            "post": {"summary": "Sign in", "responses": {"200": _answer("Signed in.", user)} | _problems(400, *bodies)}
            | _takes(SignIn),
            "delete": {"summary": "Sign out", "responses": {"200": _answer("Signed out.", user)} | _problems()},
        },
        "/healthz": {
            "get": {
                "summary": "The process answers",
                "responses": {"200": _answer("Alive.", {"type": "object", "properties": {"status": {"const": "ok"}}})},
            }
        },
        "/readyz": {
            "get": {
                "summary": "Everything that the worker depends on is there",
                "responses": {
                    "200": _answer("Ready.", _reference(Readiness)),
                    "503": _answer("Something is missing.", _reference(Readiness)),
                },
            }
        },
    }


def _document() -> dict[str, Any]:
    _, schemas = msgspec.json.schema_components(_TYPES, ref_template="#/components/schemas/{name}")
    for kind in (NewProduct, WholeProduct, ProductChange):
        schemas[kind.__name__]["properties"]["price"]["multipleOf"] = 0.01
    for member in ("id", "version"):
        schemas["WholeProduct"]["properties"][member]["readOnly"] = True
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tocsin catalogue",
            "version": "1",
            "description": "A shop's catalogue on several workers and nodes, cached in two levels.",
        },
        "paths": _paths(),
        "components": {"schemas": schemas | {"Problem": _PROBLEM}},
    }


DESCRIPTION = msgspec.json.encode(_document())
