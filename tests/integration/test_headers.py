"""CDN-style headers as a client sees them through nginx, and that no shared cache ever mixes two people up."""

from __future__ import annotations

import re

import pytest
import requests

from tests.integration.live import Cluster
from tests.until import until

pytestmark = pytest.mark.integration

CLASSES = {
    "/api/products/5": "public, max-age=0, s-maxage=1, must-revalidate",
    "/api/products?category=kitchen": "public, max-age=0, s-maxage=1, must-revalidate",
    "/api/dashboard": "private, max-age=0, must-revalidate",
    "/": "no-cache",
    "/healthz": "no-store",
    "/readyz": "no-store",
}


@pytest.fixture
def edge(cluster: Cluster) -> str:
    return cluster.edge


def stylesheet(edge: str) -> str:
    page = requests.get(edge, timeout=10).text
    found = re.search(r'href="(/static/[^"]+\.css)"', page)
    assert found, "the front page names no stylesheet"
    return edge + found[1]


def member(answer: requests.Response, layer: str) -> str | None:
    """The member of Cache-Status that this layer wrote, or None."""
    members = [each.strip() for each in answer.headers.get("Cache-Status", "").split(",")]
    return next((each for each in members if each.split(";")[0] == layer), None)


@pytest.mark.parametrize(("path", "expected"), CLASSES.items())
def test_each_route_class_says_who_may_keep_it(cluster: Cluster, edge: str, path: str, expected: str) -> None:
    """The Cache-Control of each class reaches the client unchanged; where the edge hears, nobody else may keep it."""
    answer = requests.get(edge + path, timeout=10)
    assert answer.status_code == 200
    if cluster.status()["strategy"] in ("sequenced", "strict"):
        expected = expected.replace("s-maxage=1, ", "")
    assert answer.headers["Cache-Control"] == expected


def test_a_fingerprinted_asset_may_be_kept_for_a_year(edge: str) -> None:
    """Static files are public and immutable for a year; a wrong fingerprint is not found."""
    address = stylesheet(edge)
    answer = requests.get(address, timeout=10)
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    forged = re.sub(r"\.[0-9a-f]+\.css$", ".00000000.css", address)
    assert requests.get(forged, timeout=10).status_code == 404


def test_a_validator_saves_the_body_at_the_origin_and_at_the_edge(cluster: Cluster, edge: str) -> None:
    """If-None-Match with the current ETag answers 304 without a body, from a worker and from nginx's own store."""
    url = next(iter(cluster.workers().values()))
    tag = requests.get(f"{url}/api/products/6", timeout=10).headers["ETag"]
    assert not tag.startswith("W/")
    origin = requests.get(f"{url}/api/products/6", headers={"If-None-Match": f'"other", {tag}'}, timeout=10)
    assert (origin.status_code, origin.content, origin.headers["ETag"]) == (304, b"", tag)

    def hit() -> requests.Response | None:
        answer = requests.get(f"{edge}/api/products/6", headers={"If-None-Match": tag}, timeout=10)
        stored = member(answer, "edge")
        return answer if answer.status_code == 304 and stored and "hit" in stored else None

    from_edge = until(hit, within_s=10, waiting_for="a 304 that nginx answers from its own store")
    assert from_edge is not None
    assert from_edge.content == b""
    assert from_edge.headers["ETag"] == tag


def test_a_changed_product_has_another_validator(cluster: Cluster) -> None:
    """After a write the old ETag no longer matches, and the answer is whole again."""
    url = cluster.status()["nodes"][0]["workers"][0]["url"]
    tag = requests.get(f"{url}/api/products/7", timeout=10).headers["ETag"]
    cluster.change_price(url, 7, 99.0)
    answer = requests.get(f"{url}/api/products/7", headers={"If-None-Match": tag}, timeout=10)
    assert answer.status_code == 200
    assert answer.headers["ETag"] != tag


def test_the_edge_says_when_it_answered_itself(edge: str) -> None:
    """Two reads within the shared freshness second: the second is the edge's, and Cache-Status says so."""

    def second_is_a_hit() -> bool:
        requests.get(f"{edge}/api/products/8", timeout=10)
        stored = member(requests.get(f"{edge}/api/products/8", timeout=10), "edge")
        return stored is not None and "hit" in stored

    until(second_is_a_hit, within_s=10, waiting_for="an edge hit on a product")


def test_vary_names_every_input_of_a_personal_page(edge: str) -> None:
    """The dashboard depends on who asks and in which language, and says so."""
    answer = requests.get(f"{edge}/api/dashboard", headers={"Accept-Language": "de"}, timeout=10)
    varies = {each.strip().lower() for each in answer.headers["Vary"].split(",")}
    assert {"cookie", "accept-language"} <= varies
    assert answer.json()["locale"] == "de"


def test_nothing_personal_is_kept_by_the_shared_cache(edge: str) -> None:
    """Private, no-store and cookie-setting answers never come from the edge's store."""
    for _ in range(3):
        session = requests.post(f"{edge}/api/session", json={"user": "ada"}, timeout=10)
        assert "Set-Cookie" in session.headers
        for path in ("/api/dashboard", "/healthz"):
            stored = member(requests.get(edge + path, cookies=session.cookies, timeout=10), "edge")
            assert stored is None or "hit" not in stored


def test_a_shared_answer_sets_no_cookie(edge: str) -> None:
    """What any client may be given from the store carries no cookie, whoever asked first."""
    visitor = requests.Session()
    visitor.post(f"{edge}/api/session", json={"user": "ada"}, timeout=10)
    for path in ("/api/products/9", "/api/products?page=2", "/openapi.json"):
        assert "Set-Cookie" not in visitor.get(edge + path, timeout=10).headers


def test_two_users_and_two_locales_never_see_each_others_dashboard(cluster: Cluster, edge: str) -> None:
    """Ada in English, Grace in German and a guest in French keep asking, through the edge and of every worker."""
    people = [("ada", "en"), ("grace", "de"), ("ada", "fr"), ("grace", "en"), ("guest", "fr")]
    sessions: list[tuple[str, str, requests.Session]] = []
    for user, locale in people:
        session = requests.Session()
        session.headers["Accept-Language"] = locale
        if user != "guest":
            assert session.post(f"{edge}/api/session", json={"user": user}, timeout=10).status_code == 200
        sessions.append((user, locale, session))
    for base in (edge, *cluster.workers().values()):
        for _ in range(2):
            for user, locale, session in sessions:
                answer = session.get(f"{base}/api/dashboard", timeout=10)
                assert (answer.json()["user"], answer.json()["locale"]) == (user, locale), f"asked {base}"


def test_a_session_that_ended_is_a_guest_again(edge: str) -> None:
    """After DELETE /api/session the dashboard is no longer the user's."""
    visitor = requests.Session()
    visitor.post(f"{edge}/api/session", json={"user": "ada"}, timeout=10)
    assert visitor.get(f"{edge}/api/dashboard", timeout=10).json()["user"] == "ada"
    visitor.delete(f"{edge}/api/session", timeout=10)
    assert visitor.get(f"{edge}/api/dashboard", timeout=10).json()["user"] == "guest"


@pytest.mark.parametrize(
    "path", ["/metrics", "/_tocsin/state", "/%5ftocsin/state", "//_tocsin/state", "/api/../metrics"]
)
def test_what_is_for_operators_is_not_behind_the_edge(cluster: Cluster, edge: str, path: str) -> None:
    """Metrics and control routes are 404 through nginx, in every spelling, even with the secret in hand."""
    prepared = requests.Request("GET", edge, headers={"Tocsin-Secret": cluster.secret()}).prepare()
    prepared.url = edge + path
    assert requests.Session().send(prepared, timeout=10).status_code == 404


def test_a_node_keeps_its_control_routes_behind_the_secret(cluster: Cluster) -> None:
    """Without the secret, or with a wrong one, a control route does not exist; with it, it answers."""
    node = cluster.status()["nodes"][0]["url"]
    assert requests.get(f"{node}/_tocsin/state", timeout=10).status_code == 404
    assert requests.get(f"{node}/_tocsin/state", headers={"Tocsin-Secret": "guess"}, timeout=10).status_code == 404
    assert (
        requests.get(f"{node}/_tocsin/state", headers={"Tocsin-Secret": cluster.secret()}, timeout=10).status_code
        == 200
    )
    assert "tocsin" in requests.get(f"{node}/metrics", timeout=10).text
