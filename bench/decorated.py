"""Decorated: what a hit costs a caller of a memoized function or of a cached view, key building included.

    python -m bench.decorated

Everything in one process and one thread, L1 warm. Tocsin is `sequenced`, so its hits are coherent across processes; the
peer is Flask-Caching on `SimpleCache`, whose hits are an island's. Views are called within one request's context, and
return what their decorator returns: the routing and sending around them is the same for all, and not measured.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from flask import Flask, Response, jsonify
from flask_caching import Cache as FlaskCache
from tocsin import Policy
from tocsin.codec import MsgspecCodec
from tocsin.decorators import memoize
from tocsin.responses import response_forms
from tocsin.views import CachedView, Varying

from bench.l1 import sequenced_cache
from bench.rounds import measured, ratio, say_where, show

CALLS, ROUNDS = 2_000, 15
PRODUCTS = 200
HOUR = Policy(ttl_s=3600.0, l1_ttl_s=3600.0)


def product(number: int, currency: str = "EUR") -> dict[str, object]:
    """What the decorated functions return."""
    return {"id": number, "name": "Bowl", "currency": currency, "price": 350, "description": "Round. " * 10}


def timed(call: Callable[[int], object]) -> float:
    """Microseconds per call, over products in turn."""
    begun = time.perf_counter()
    for number in range(CALLS):
        call(number % PRODUCTS)
    return (time.perf_counter() - begun) / CALLS * 1e6


def main() -> None:
    """Run all and print the medians and ratios."""
    say_where("flask-caching", "cachelib", "flask")
    application = Flask(__name__)
    theirs = FlaskCache(application, config={"CACHE_TYPE": "SimpleCache", "CACHE_THRESHOLD": 100_000})
    ours = sequenced_cache()
    our_function = memoize(ours, policy=HOUR)(product)
    their_function = theirs.memoize(timeout=3600)(product)

    def page(number: int = 1) -> Response:
        return jsonify(product(number))

    def our_view(number: int, *, made: CachedView) -> object:
        return made(number=number)

    view = CachedView(
        page,
        cache=lambda: ours,
        codec=lambda: MsgspecCodec(response_forms()),
        varying=Varying(),
        policy=HOUR,
        tags=(),
        statuses=(200,),
    )
    codec = MsgspecCodec(response_forms())
    view = CachedView(
        page, cache=lambda: ours, codec=lambda: codec, varying=Varying(), policy=HOUR, tags=(), statuses=(200,)
    )
    their_view = theirs.cached(timeout=3600, query_string=True)(page)
    with application.app_context(), application.test_request_context("/products/7?currency=EUR&page=2"):
        calls: dict[str, Callable[[int], object]] = {
            "the function, undecorated": product,
            "tocsin memoize": our_function,
            "Flask-Caching memoize": their_function,
            "tocsin cached view": partial(our_view, made=view),
            "Flask-Caching cached view (query_string)": lambda number: their_view(number=number),
        }
        for call in calls.values():
            for _ in range(2):
                timed(call)
        figures = measured({name: partial(timed, call) for name, call in calls.items()}, ROUNDS)
    show(figures, unit="µs", beside="tocsin memoize", digits=2)
    for theirs_name, ours_name in (
        ("Flask-Caching memoize", "tocsin memoize"),
        ("Flask-Caching cached view (query_string)", "tocsin memoize"),
        ("Flask-Caching cached view (query_string)", "tocsin cached view"),
    ):
        print(f"{theirs_name}: {ratio(figures[theirs_name], figures[ours_name]):.1f} × {ours_name}")


if __name__ == "__main__":
    main()
