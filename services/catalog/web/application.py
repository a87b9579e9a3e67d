"""Application: the routes, the error pages and the common steps, put together.

What always holds: making an application opens nothing and starts nothing, so gunicorn's master may do it once for all
of its workers before they are forked. What a worker needs it gets from `Service.start`, after the fork.
"""

from __future__ import annotations

from flask import Flask

from catalog.service import EXTENSION, Service
from catalog.settings import Settings
from catalog.web import answer, assets, control, health, measure, personal, problem, products, shop
from catalog.web.products import ProductId


def create_application(settings: Settings) -> Flask:
    """The Flask application of the catalogue."""
    application = Flask("catalog", static_folder=None)
    application.config.update(
        SECRET_KEY=settings.secret,
        SESSION_COOKIE_NAME="catalog-session",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        # Otherwise every route would renew the cookie, and a shared cache could not keep its answer (hazard 39).
        SESSION_REFRESH_EACH_REQUEST=False,
        MAX_CONTENT_LENGTH=problem.BYTES_MAX + 1,  # see catalog.web.body
    )
    # `//api` redirected to `/api` would be one more address of the same thing, and one that a cache might believe.
    application.url_map.merge_slashes = False
    application.url_map.converters["product_id"] = ProductId
    application.extensions[EXTENSION] = Service(settings)
    measure.register(application)
    answer.register(application)
    control.register(application)
    problem.register(application)
    for module in (products, personal, shop, assets, health, control):
        application.register_blueprint(module.routes)
    return application
