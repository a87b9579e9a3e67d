"""Operations: health, metrics and control routes, which are for those who run the service."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.catalog.conftest import OpenShop
from tests.catalog.shop import NOBODY, SECRET, Shop
from tests.redis_server import RedisServer
from tests.until import until


def ask(shop: Shop, path: str) -> dict[str, object]:
    """A control route, with the secret."""
    answer = shop.get(path, Tocsin_Secret=SECRET)
    assert answer.status_code == 200, answer.data
    parsed: dict[str, object] = answer.get_json()
    return parsed


def samples(shop: Shop, name: str) -> dict[tuple[str, ...], float]:
    """The samples of one metric, by the values of their labels in the order of the labels' names."""
    families = text_string_to_metric_families(shop.get("/metrics").get_data(as_text=True))
    return {
        tuple(value for _, value in sorted(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
        if sample.name == name
    }


def test_a_process_that_answers_is_alive(open_here: OpenShop) -> None:
    """`/healthz` asks neither Redis nor the database."""
    shop = open_here(REDIS_URL=NOBODY, DATABASE_URL="sqlite:////nowhere/at/all/shop.db")
    answer = shop.get("/healthz")
    assert (answer.status_code, answer.get_json()) == (200, {"status": "ok"})


def test_a_worker_is_ready_when_it_hears_itself(open_here: OpenShop) -> None:
    """Under pubsub readiness needs the listener's canary to come back through Redis."""
    shop = open_here(TOCSIN_STRATEGY="pubsub")
    until(lambda: shop.get("/readyz").status_code == 200, within_s=10, waiting_for="the first canary")
    body = shop.get("/readyz").get_json()
    assert {name: body[name] for name in ("ready", "node", "worker", "strategy")} == {
        "ready": True,
        "node": "node-1",
        "worker": "node-1/worker-1",
        "strategy": "pubsub",
    }
    assert {name: check["ok"] for name, check in body["checks"].items()} == dict.fromkeys(
        ("database", "redis", "backplane"), True
    )


def test_a_worker_without_redis_says_so(open_here: OpenShop, redis: RedisServer) -> None:
    """503: Redis does not answer and the canary is not heard, while the database does; and it recovers by itself."""
    shop = open_here(TOCSIN_STRATEGY="pubsub")
    until(lambda: shop.get("/readyz").status_code == 200, within_s=10, waiting_for="the first canary")
    redis.pause()
    until(
        lambda: not shop.get("/readyz").get_json()["checks"]["backplane"]["ok"],
        within_s=15,
        waiting_for="the canary to be missed",
    )
    answer = shop.get("/readyz")
    checks = answer.get_json()["checks"]
    assert answer.status_code == 503
    assert (checks["redis"]["ok"], checks["database"]["ok"]) == (False, True)
    redis.resume()
    until(lambda: shop.get("/readyz").status_code == 200, within_s=15, waiting_for="readiness after Redis came back")


@pytest.mark.parametrize(
    ("url", "said"), [("sqlite:////nowhere/at/all/shop.db", "unable to open"), ("sqlite:///{empty}", "init-db")]
)
def test_a_worker_without_goods_says_what_to_do(
    open_here: OpenShop, tmp_path_factory: pytest.TempPathFactory, url: str, said: str
) -> None:
    """503 with what is wrong with the database: it can't be opened, or nobody has stocked it."""
    shop = open_here(DATABASE_URL=url.format(empty=tmp_path_factory.mktemp("empty") / "shop.db"))
    answer = shop.get("/readyz")
    check = answer.get_json()["checks"]["database"]
    assert (answer.status_code, check["ok"]) == (503, False)
    assert said in check["detail"] or "no such table" in check["detail"]


def test_requests_are_counted_by_route_not_by_path(shop: Shop) -> None:
    """One series for all products; what matches no route is counted together, also by method."""
    for product_id in (1, 2, 3):
        shop.get(f"/api/products/{product_id}")
    shop.get("/wp-login.php")
    shop.client.open("/healthz", method="BREW")
    counted = samples(shop, "catalog_requests_total")
    assert counted["GET", "/api/products/<product_id>", "200"] == 3
    assert counted["GET", "unmatched", "404"] == 1
    assert counted["other", "unmatched", "405"] == 1
    assert samples(shop, "catalog_request_seconds_count")[("/api/products/<product_id>",)] == 3


def test_reads_are_counted_by_level_and_reason(shop: Shop) -> None:
    """One load from the database, one hit in L1, and why the levels had to pass."""
    for _ in range(2):
        shop.get("/api/products/1")
    reads = samples(shop, "tocsin_reads_total")
    assert (reads["no", "database"], reads["no", "l1"]) == (1, 1)
    assert samples(shop, "tocsin_misses_total")["cold", "l2"] == 1
    shop.put(1)
    assert samples(shop, "tocsin_invalidations_total")[("write",)] == 1


def test_what_waits_in_the_outbox_is_counted(open_here: OpenShop) -> None:
    """A committed write that nobody heard of is visible to whoever watches."""
    shop = open_here(REDIS_URL=NOBODY)
    assert samples(shop, "catalog_outbox_waiting") == {(): 0}
    shop.put(1)
    assert samples(shop, "catalog_outbox_waiting") == {(): 1}


@pytest.mark.parametrize("secret", ["", "wrong", SECRET + "x", "ä"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/_tocsin/state"),
        ("GET", "/_tocsin/entry?key=product:1"),
        ("POST", "/_tocsin/invalidate"),
        ("DELETE", "/_tocsin/state"),
        ("GET", "/_tocsin/nothing"),
    ],
)
def test_control_routes_do_not_exist_without_the_secret(shop: Shop, secret: str, method: str, path: str) -> None:
    """Nothing but the path in the sentence tells the answer from that of a path which never existed."""
    answer = shop.client.open(path, method=method, headers={"Tocsin-Secret": secret} if secret else {})
    other = shop.client.open("/never/was", method=method)
    assert answer.status_code == other.status_code == 404
    expected = other.get_json() | {"detail": f"nothing is served at {path.partition('?')[0]}"}
    assert answer.get_json() == expected
    assert list(answer.headers.keys()) == list(other.headers.keys())


def test_an_entry_shows_what_both_levels_hold(shop: Shop) -> None:
    """Version, remaining seconds, negative or not; null where a level holds nothing."""
    assert ask(shop, "/_tocsin/entry?key=product:1") == {"key": "product:1", "l1": None, "l2": None}
    shop.get("/api/products/1")
    shop.get("/api/products/4040")
    shop.get("/api/products")
    for key, version, negative in (("product:1", 1, False), ("product:4040", 0, True), ("products::1:20", 0, False)):
        entry = ask(shop, f"/_tocsin/entry?key={key}")
        for level in ("l1", "l2"):
            held = entry[level]
            assert isinstance(held, dict)
            assert (held["version"], held["negative"]) == (version, negative)
            assert 0 < held["ttl_s"] <= 30


def test_a_worker_shows_its_state(shop: Shop) -> None:
    """Strategy, write path, how full L1 is, whether it hears, and the version of the lists' namespace."""
    before = ask(shop, "/_tocsin/state")
    assert (before["strategy"], before["write_path"], before["l1"]) == (
        "ttl",
        "cache-aside",
        {"entries": 0, "bytes": 0},
    )
    assert before["backplane"] == {"hears": True, "detail": "no backplane: ttl"}
    shop.get("/api/products/1")
    shop.put(1)
    shop.get("/api/products/1")
    after = ask(shop, "/_tocsin/state")
    versions = [state["namespaces"]["products"] for state in (before, after)]  # type: ignore[index]
    assert versions[1] == versions[0] + 1
    assert after["l1"]["entries"] == 1  # type: ignore[index]


def test_control_routes_outlive_redis(open_here: OpenShop) -> None:
    """Without Redis the state says null for what it can't know, and an entry is 503."""
    shop = open_here(REDIS_URL=NOBODY)
    assert ask(shop, "/_tocsin/state")["namespaces"] == {"products": None}
    assert shop.get("/_tocsin/entry?key=product:1", Tocsin_Secret=SECRET).status_code == 503


def test_writers_that_bypass_the_api_can_invalidate(shop: Shop) -> None:
    """After a change in the database by another hand, one call by key, tag or namespace makes readers see it."""
    shop.get("/api/products/1")
    with shop.worker.database.writing() as session:
        row = session.get(type(shop.row(1)), 1)
        assert row is not None
        row.price_cents = 4200
    assert shop.get("/api/products/1").get_json()["price"] == 44.9
    told = shop.send("POST", "/_tocsin/invalidate", {"keys": ["product:1"]}, Tocsin_Secret=SECRET)
    assert (told.status_code, told.get_json()["pending"]) == (200, False)
    assert shop.get("/api/products/1").get_json()["price"] == 42.0


@pytest.mark.parametrize(
    "body", [{"keys": "product:1"}, {"keys": [""]}, {"names": []}, {"tags": ["a\nb"]}, {"keys": ["k"] * 1001}]
)
def test_names_that_cannot_be_meant_are_refused(shop: Shop, body: object) -> None:
    """422, and nothing is invalidated."""
    assert shop.send("POST", "/_tocsin/invalidate", body, Tocsin_Secret=SECRET).status_code == 422


@pytest.mark.parametrize("key", ["", "a%0Ab"])
def test_a_key_that_cannot_be_one_is_refused(shop: Shop, key: str) -> None:
    """400 for a key that is empty or has control characters."""
    assert shop.get(f"/_tocsin/entry?key={key}", Tocsin_Secret=SECRET).status_code == 400
