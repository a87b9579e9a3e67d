"""Call keys: however a call is written, its key is that of the arguments it binds to, by the short way and the long."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tocsin.call_key import CallKey


def price(number: int, currency: str = "EUR", *, net: bool = False) -> None:
    """A function with a keyword that must be named: the long way."""


def plain(number: int, currency: str = "EUR", weight: float = 1.0) -> None:
    """A function that the short way knows."""


def required(number: int, currency: str) -> None:
    """One without defaults."""


def anything(*args: object, **kwargs: object) -> None:
    """One that takes all."""


ARGUMENTS = st.lists(st.sampled_from([1, 1.0, True, None, "EUR", b"EUR", (1, 2), [1]]), max_size=4)
NAMED = st.dictionaries(st.sampled_from(["number", "currency", "weight", "net", "other"]), st.sampled_from([1, "EUR"]))


@pytest.mark.parametrize("function", [price, plain, required, anything])
@given(args=ARGUMENTS, kwargs=NAMED)
def test_a_key_is_that_of_the_bound_arguments(
    function: Callable[..., None], args: list[Any], kwargs: dict[str, Any]
) -> None:
    """Whatever the call, its key is that of the same call written out in full; one that can't be made is an error."""
    key = CallKey(function, "f")
    try:
        bound = inspect.signature(function).bind(*args, **kwargs)
    except TypeError:
        with pytest.raises(TypeError):
            key(tuple(args), kwargs)
        return
    bound.apply_defaults()
    assert key(tuple(args), kwargs) == key(bound.args, bound.kwargs)


def test_calls_that_differ_have_two_keys() -> None:
    """Also by type, by place, and by what a default stands for."""
    key = CallKey(plain, "f")
    calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
        ((1,), {}),
        ((1.0,), {}),
        ((True,), {}),
        (("1",), {}),
        ((1, "USD"), {}),
        ((1,), {"weight": 2.0}),
        ((1, "EUR", 2), {}),
    ]
    assert len({key(*call) for call in calls}) == len(calls)
    assert key((1,), {}) == key((1, "EUR"), {}) == key((), {"number": 1}) == key((1,), {"weight": 1.0})


def test_an_argument_that_equals_everything_is_no_missing_one() -> None:
    """Arguments are never compared: what compares oddly is described, or refused, by its type."""

    class Odd:
        def __eq__(self, other: object) -> bool:
            raise AssertionError("compared")

        __hash__ = None  # type: ignore[assignment]

    with contextlib.suppress(TypeError):
        CallKey(plain, "f")((Odd(),), {"weight": 2.0})
