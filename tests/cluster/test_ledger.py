"""The ledger survives whoever writes it: what it holds can be read back by a later command, torn lines and all."""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster.errors import ClusterError
from cluster.ledger import Closed, Ledger, ProcessMade, Ready, ResourceMade
from cluster.pid import Pid

OLD = Pid(number=4711, born_ticks=90210, boot="b")
NEW = Pid(number=4801, born_ticks=99999, boot="b")


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """A ledger that nobody has written yet."""
    return Ledger(tmp_path / "ledger.jsonl")


def test_what_was_added_is_read_back(ledger: Ledger) -> None:
    """Entries come back as the values that they were, in their order."""
    entries = (
        ProcessMade(name="node-1", pid=OLD),
        ResourceMade(kind="project", name="tocsin-ab12"),
        Ready(seconds=3.5),
        Closed(),
    )
    for entry in entries:
        ledger.add(entry)
    assert ledger.entries() == entries
    assert Ledger(ledger.path).ready == Ready(seconds=3.5)


def test_a_restarted_server_is_its_newest_process_but_the_old_one_is_remembered(ledger: Ledger) -> None:
    """`leaders` answers who is node-1 now; `processes` also names those that must be dead by the end."""
    ledger.add(ProcessMade(name="node-1", pid=OLD))
    ledger.add(ProcessMade(name="node-1", pid=NEW))
    assert ledger.leaders() == {"node-1": NEW}
    assert [entry.pid for entry in ledger.processes()] == [OLD, NEW]


def test_a_line_that_was_torn_by_a_kill_is_ignored(ledger: Ledger) -> None:
    """Its process was still waiting at the gate for that line, so there is nothing to find."""
    ledger.add(ProcessMade(name="redis", pid=OLD))
    with ledger.path.open("ab") as file:
        file.write(b'{"entry":"process","name":"node-1","pi')
    assert ledger.leaders() == {"redis": OLD}


def test_a_ledger_is_closed_when_its_last_entry_says_so(ledger: Ledger) -> None:
    """Nothing made, nothing to end; something made is open until everything was ended."""
    assert ledger.closed
    ledger.add(ProcessMade(name="redis", pid=OLD))
    assert not ledger.closed
    ledger.add(Closed())
    assert ledger.closed
    ledger.add(ProcessMade(name="redis", pid=NEW))
    assert not ledger.closed


def test_what_is_no_ledger_is_said_to_be_none(ledger: Ledger) -> None:
    """A damaged file is named, with what to do about it."""
    ledger.path.write_text("node-1 4711\n", encoding="utf-8")
    with pytest.raises(ClusterError, match=r"ledger\.jsonl is not a ledger .*by hand"):
        ledger.entries()
