"""Context keys: every input that varies an answer is in its key, and no two contexts share one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tocsin import Names
from tocsin.context_key import context_key

texts = st.text(max_size=6) | st.sampled_from(["", "a", "a=b", "a&b", "user", "query.", "%61", "#", "?"])
names = st.text(min_size=1, max_size=4).filter(lambda name: "." not in name and name != "user")
inputs = st.dictionaries(names, st.none() | texts | st.lists(st.tuples(texts, texts), max_size=3), max_size=3)
contexts = st.tuples(texts, inputs, st.none() | texts)


def meaning(context: tuple[str, dict[str, object], str | None]) -> object:
    """What two contexts must agree in to be one: absent inputs and the order of differently named pairs are nothing."""
    name, given_inputs, user = context
    present = {
        each: value if isinstance(value, str) else sorted(value, key=lambda pair: pair[0])  # type: ignore[call-overload]
        for each, value in given_inputs.items()
        if value is not None
    }
    return name, present, user


@given(contexts, contexts)
def test_two_contexts_have_one_key_only_if_they_are_one(
    one: tuple[str, dict[str, object], str | None], other: tuple[str, dict[str, object], str | None]
) -> None:
    """Whatever signs their texts hold: nothing can be smuggled from one input into another."""
    keys = [context_key(name, given, user=user) for name, given, user in (one, other)]  # type: ignore[arg-type]
    assert (keys[0] == keys[1]) == (meaning(one) == meaning(other))


@given(contexts)
def test_a_key_is_a_name_that_the_cache_accepts(context: tuple[str, dict[str, object], str | None]) -> None:
    """Printable and short enough."""
    name, given_inputs, user = context
    Names(keys=(context_key(name, given_inputs, user=user).text,))  # type: ignore[arg-type]


def test_a_key_can_be_read_by_a_person() -> None:
    """It is found again in Redis and in a log."""
    key = context_key("search", {"path": "/s", "query": [("b", "2"), ("a", "1")], "locale": "de"}, user="ada")
    assert key.text == "search?locale=de&path=/s&query.&query.a=1&query.b=2&user=ada"
    assert key.personal


def test_the_order_of_differently_named_arguments_is_nothing_and_of_equally_named_ones_something() -> None:
    """`?a=1&b=2` is `?b=2&a=1`, but `?a=1&a=2` is not `?a=2&a=1`."""

    def key(*pairs: tuple[str, str]) -> str:
        return context_key("v", {"query": pairs}).text

    assert key(("a", "1"), ("b", "2")) == key(("b", "2"), ("a", "1"))
    assert key(("a", "1"), ("a", "2")) != key(("a", "2"), ("a", "1"))


def test_long_keys_stay_apart() -> None:
    """They are told by their digests."""
    keys = {context_key("v", {"path": "/" + "x" * 500 + end}).text for end in "ab"}
    assert len(keys) == 2
    assert all(len(key) < 200 for key in keys)


@pytest.mark.parametrize("name", ["user", "query.a", ""])
def test_an_input_s_name_can_t_pretend_to_be_another_s(name: str) -> None:
    """The user is passed apart; a dot separates an input from its members."""
    with pytest.raises(ValueError, match="without dots"):
        context_key("v", {name: "x"})
