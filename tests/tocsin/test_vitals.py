"""Vitals: the staleness bound of this moment, from evidence; and an agent's diary, read whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tocsin import CacheSettings, Strategy
from tocsin.agent.node import page_of
from tocsin.backplane import Hearing
from tocsin.diary import LAG_BUCKETS_S, Diary
from tocsin.generation_file import DIARY, GenerationFile
from tocsin.position import Position
from tocsin.vitals import staleness_bound_s, vitals_of

from tests.tocsin.place import Place


def settings(strategy: Strategy, **more: Any) -> CacheSettings:
    return CacheSettings(redis_url="redis://unused", node="node-1/worker-1", strategy=strategy, **more)


@pytest.mark.parametrize(
    ("strategy", "hearing", "bound_s"),
    [
        (Strategy.SEQUENCED, Hearing(True, "", Position(1, 1), 0.75), 0.25),  # proved a quarter of a second ago
        (Strategy.SEQUENCED, Hearing(False, "", Position(1, 1), None), 0.0),  # no lease: L1 is not used
        (Strategy.STRICT, Hearing(True, "", Position(1, 1), 1.0), 0.0),
        (Strategy.PUBSUB, Hearing(True, ""), 32.0),  # a late fill, copied at the end of its life in L2
        (Strategy.TTL, Hearing(True, ""), 32.0),
        (Strategy.L2_ONLY, Hearing(True, ""), 30.0),
        (Strategy.NO_CACHE, Hearing(True, ""), 0.0),
    ],
)
def test_the_staleness_bound_goes_by_evidence(strategy: Strategy, hearing: Hearing, bound_s: float) -> None:
    """Under `sequenced` the time since the last proof; where there is no proof, the time to live."""
    assert staleness_bound_s(settings(strategy), hearing) == bound_s


def test_the_bound_rises_between_two_proofs_and_is_nothing_without_a_lease() -> None:
    """On a node whose agent falls silent: it grows up to the lease, and then L1 is not used any more."""
    place = Place()
    node = place.node()
    node.read(b"v")
    node.table.deaf = True
    first = vitals_of(node.cache)
    assert first.hears
    place.clock.move(0.5)
    later = vitals_of(node.cache)
    assert later.staleness_bound_s == pytest.approx(first.staleness_bound_s + 0.5)
    place.clock.move(1.0)
    silent = vitals_of(node.cache)
    assert (silent.hears, silent.staleness_bound_s, silent.lease_s) == (False, 0.0, None)
    assert silent.position == first.position


def test_a_diary_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Numbers, lags by bucket; a folder without one, or one that is garbled, is no diary."""
    chosen = settings(Strategy.SEQUENCED, table_dir=str(tmp_path / "node" / "table"))
    (tmp_path / "node").mkdir(mode=0o700)
    file = GenerationFile(tmp_path / "node" / "table")
    file.prepare()
    assert page_of(chosen) is None
    diary = Diary()
    for lag_s in (0.0004, 0.0005, 0.3, 99.0):
        diary.heard(lag_s)
    diary.repaired()
    diary.relayed(3)
    file.write_diary(diary.page(4711))
    page = page_of(chosen)
    assert page is not None
    assert (page.process, page.gaps, page.flushes, page.relayed) == (4711, 1, 0, 3)
    assert (page.lags[0], page.lags[LAG_BUCKETS_S.index(0.5)], page.lags[-1], sum(page.lags)) == (2, 1, 1, 4)
    (file.folder / DIARY).write_bytes(b"{")
    assert page_of(chosen) is None
    assert page_of(settings(Strategy.PUBSUB)) is None
