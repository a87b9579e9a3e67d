"""Failpoints: hit as often as they were armed, in whatever process of the node, and on file before they act."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from planted.failpoint import Armed, Failpoints


class Acts:
    """Failpoints whose sleep and death are only noted."""

    def __init__(self, folder: Path) -> None:
        self.did: list[str] = []
        self.points = Failpoints(
            folder, sleep=lambda seconds: self.did.append(f"slept {seconds:g}"), die=lambda: self.did.append("died")
        )


@pytest.fixture
def acts(tmp_path: Path) -> Acts:
    """A node's failpoints, in a folder that is not there yet."""
    return Acts(tmp_path / "failpoints")


def test_an_unarmed_point_does_nothing(acts: Acts) -> None:
    """And leaves nothing on file."""
    acts.points.hit("after-commit", "product:7")
    assert acts.did == []
    assert acts.points.hits() == {}


def test_a_point_is_hit_as_often_as_it_was_armed(acts: Acts) -> None:
    """Twice, of five times; another point is not touched."""
    acts.points.arm(Armed("after-commit", "sleep", seconds=0.5, count=2))
    for _ in range(5):
        acts.points.hit("after-commit", "product:7")
        acts.points.hit("before-fill", "product:7")
    assert acts.did == ["slept 0.5", "slept 0.5", "slept 0.5"][:2]
    assert acts.points.hits() == {"after-commit": 2}


def test_a_crash_is_on_file_before_it_happens(acts: Acts, tmp_path: Path) -> None:
    """Whoever dies tells nothing afterwards: what it leaves is the evidence."""
    dying: list[dict[str, int]] = []
    points = Failpoints(tmp_path / "failpoints", die=lambda: dying.append(dict(points.hits())))
    points.arm(Armed("after-commit"))
    points.hit("after-commit", "product:7")
    assert dying == [{"after-commit": 1}]


def test_arming_anew_replaces_and_a_count_of_zero_disarms(acts: Acts) -> None:
    """The last word counts, also when much was armed before."""
    acts.points.arm(Armed("before-fill", "crash", count=50))
    acts.points.arm(Armed("before-fill", "sleep", seconds=1, count=1))
    acts.points.hit("before-fill", "product:7")
    acts.points.arm(Armed("before-fill", "crash", count=3))
    acts.points.arm(Armed("before-fill", count=0))
    acts.points.hit("before-fill", "product:7")
    assert acts.did == ["slept 1"]


def test_of_many_who_come_at_once_as_many_hit_as_were_armed(tmp_path: Path) -> None:
    """Eight threads with failpoints of their own, as eight processes have: ten hits of eighty visits."""
    folder = tmp_path / "failpoints"
    did: list[float] = []
    Failpoints(folder).arm(Armed("after-commit", "sleep", count=10))

    def visit() -> None:
        points = Failpoints(folder, sleep=did.append)
        for _ in range(10):
            points.hit("after-commit", "product:7")

    threads = [threading.Thread(target=visit) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(did) == 10
    assert Failpoints(folder).hits() == {"after-commit": 10}


@pytest.mark.parametrize(
    ("point", "action", "seconds", "count"),
    [
        ("at-lunch", "crash", 0.0, 1),
        ("before-fill", "explode", 0.0, 1),
        ("before-fill", "sleep", 3600.0, 1),
        ("before-fill", "crash", 0.0, -1),
    ],
)
def test_what_can_not_be_meant_is_refused(point: str, action: str, seconds: float, count: int) -> None:
    """Unknown points and actions, and sleeps of hours."""
    with pytest.raises(ValueError, match="expected"):
        Armed(point, action, seconds, count)
