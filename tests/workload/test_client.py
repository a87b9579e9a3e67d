"""The people behind the requests: one thing at a time each, and nobody waits for another."""

from __future__ import annotations

from cluster.workload.client import Client, Clients


def test_whoever_is_idle_longest_acts_next() -> None:
    """Two people take turns."""
    clients = Clients()
    ada, bob = clients.newcomer("ada"), clients.newcomer("bob")
    clients.done(ada)
    clients.done(bob)
    assert clients.person() is ada
    clients.done(ada)
    assert [clients.person(), clients.person()] == [bob, ada]


def test_when_everybody_waits_somebody_new_comes() -> None:
    """The open model: a request never waits for a client."""
    clients = Clients()
    first, second = clients.person(), clients.person()
    assert (first.session, second.session) == ("s1", "s2")
    assert first.process != second.process


def test_after_an_unknown_end_another_takes_over_the_browser() -> None:
    """The cookies and the user stay; process and session are new, as the old ones may still be at work."""
    clients = Clients()
    ada = clients.newcomer("ada")
    ada.take_cookies(["who=ada; Path=/"])
    clients.retire(ada)
    successor = clients.person()
    assert (successor.user, successor.cookie_header) == ("ada", "who=ada")
    assert (successor.process, successor.session) != (ada.process, ada.session)
    assert clients.person() is not ada


def test_a_probe_has_no_session() -> None:
    """It is used again, and never becomes a person."""
    clients = Clients()
    probe = clients.probe()
    clients.done(probe)
    assert clients.probe() is probe
    assert probe.session == ""


def test_cookies_are_kept_replaced_and_removed() -> None:
    """As a browser would, for one origin."""
    client = Client(1, "s1")
    client.take_cookies(["a=1; Path=/; HttpOnly", "b=2; Max-Age=60"])
    client.take_cookies(["a=3; Path=/"])
    assert client.cookie_header == "a=3; b=2"
    client.take_cookies(["a=; Max-Age=0", "b=2; Max-Age=0"])
    assert client.cookie_header == ""


def test_a_person_has_a_few_products_of_their_own() -> None:
    """Always the same ones, whatever is wished, and another person others."""
    products = range(100, 200)
    ada, bela = Client(1, "s1"), Client(2, "s2")
    own = {ada.own(products, wish) for wish in range(50)}
    assert len(own) == 3
    assert own <= set(products)
    assert not own & {bela.own(products, wish) for wish in range(50)}
    assert Client(40, "s9").own([7], 3) == 7
