"""Switches: nothing of the examiner's is on unless its seal, made with the cluster's secret, is in the environment."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from catalog.errors import BadSettings
from catalog.settings import Settings
from planted.bugs.table import BUGS
from planted.seal import seal_of

from cluster import seal as examiners
from tests.catalog.shop import SECRET, environment, open_shop

PURPOSES = {
    "CATALOG_FAILPOINTS": "failpoints",
    "CATALOG_TRACE": "trace",
    "CATALOG_PLANTED": "planted:no-publish",
}


@pytest.mark.parametrize("variable", PURPOSES)
@pytest.mark.parametrize(
    "value",
    ["1", "no-publish", "planted:no-publish", seal_of("another secret", "failpoints"), seal_of(SECRET, "holiday")],
)
def test_a_switch_without_its_seal_stops_the_service(variable: str, value: str, tmp_path: Path) -> None:
    """A name, a yes, another cluster's seal, the seal of something else: one sentence, which shows no secret."""
    folders = {"CATALOG_RUN_DIR": str(tmp_path), "CATALOG_TRACE_DIR": str(tmp_path)}
    with pytest.raises(BadSettings, match=f"{variable} is (not the|no) seal") as refusal:
        Settings.parse(environment(**folders, **{variable: value}))
    assert SECRET not in str(refusal.value)


@pytest.mark.parametrize(("variable", "purpose"), PURPOSES.items())
def test_a_switch_with_its_seal_is_accepted(variable: str, purpose: str, tmp_path: Path) -> None:
    """The examiner's seal, made by its own code, is the one that the service expects."""
    folders = {"CATALOG_RUN_DIR": str(tmp_path), "CATALOG_TRACE_DIR": str(tmp_path)}
    assert Settings.parse(environment(**folders, **{variable: examiners.seal(SECRET, purpose)}))


@pytest.mark.parametrize("bug", BUGS)
def test_a_seal_does_not_say_which_bug_it_is_for(bug: str) -> None:
    """Whoever judges a run sees 64 digits, and can't tell them from those of another bug without the secret."""
    seal = seal_of(SECRET, f"planted:{bug}")
    assert len(seal) == 64
    assert bug not in seal
    assert seal != seal_of("another secret", f"planted:{bug}")


def test_a_trace_needs_a_folder() -> None:
    """The sentence names the variable that is missing."""
    with pytest.raises(BadSettings, match="CATALOG_TRACE_DIR is not"):
        Settings.parse(environment(CATALOG_TRACE=seal_of(SECRET, "trace")))


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_node_without_failpoints_has_no_such_route(method: str) -> None:
    """404 even with the secret, and of course without it."""
    with open_shop(TOCSIN_STRATEGY="ttl") as shop:
        body = {"point": "after-commit"} if method == "POST" else None
        assert shop.send(method, "/_tocsin/failpoint", body, Tocsin_Secret=SECRET).status_code == 404
        assert shop.send(method, "/_tocsin/failpoint", body).status_code == 404


class TestFailpointRoute:
    """The route, on a node that has failpoints."""

    @pytest.fixture(autouse=True)
    def _switched_on(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """In the environment that a launcher makes."""
        monkeypatch.setenv("CATALOG_FAILPOINTS", seal_of(SECRET, "failpoints"))
        monkeypatch.setenv("CATALOG_RUN_DIR", str(tmp_path))

    def test_it_needs_the_secret(self) -> None:
        """Without it there is nothing."""
        with open_shop(TOCSIN_STRATEGY="ttl") as shop:
            assert shop.get("/_tocsin/failpoint").status_code == 404

    def test_it_arms_and_counts(self) -> None:
        """What is armed is said; nothing was hit yet."""
        with open_shop(TOCSIN_STRATEGY="ttl") as shop:
            wish = {"point": "before-fill", "action": "sleep", "seconds": 0.1, "count": 3}
            armed = shop.send("POST", "/_tocsin/failpoint", wish, Tocsin_Secret=SECRET)
            assert (armed.status_code, armed.json) == (200, {"armed": {"before-fill": 3}})
            hits = shop.get("/_tocsin/failpoint", Tocsin_Secret=SECRET)
            assert (hits.status_code, hits.json) == (200, {"hits": {}})

    def test_what_can_not_be_meant_is_a_bad_request(self) -> None:
        """By its name."""
        with open_shop(TOCSIN_STRATEGY="ttl") as shop:
            answer = shop.send("POST", "/_tocsin/failpoint", {"point": "at-lunch"}, Tocsin_Secret=SECRET)
            assert answer.status_code in (400, 422)
            assert "after-commit" in json.dumps(answer.json)
