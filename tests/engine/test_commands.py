"""The examiner's verbs on the command line: what is refused with 254, what is named, what is judged again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cluster.cli import cluster
from cluster.commands.matrix import columns_of, rows_of, seeds_of
from cluster.errors import USAGE, WrongInputError
from cluster.fault.catalogue import FAULTS
from cluster.record.run import RunRecord
from cluster.record.store import RunFolder
from cluster.scenario.scenario import Scenario
from cluster.topology import PEERS, STRATEGIES
from tests.demo.toy import committing
from tests.engine.stand import Stand
from tests.record.examples import RUN

Command = Callable[..., Result]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run one command line on run folders of the test's own."""
    monkeypatch.delenv("DATABASE_URL", raising=False)

    def invoke(*words: str) -> Result:
        return CliRunner().invoke(cluster, ["--runs", str(tmp_path / "runs"), *words], prog_name="cluster")

    return invoke


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "--strategy", "magic"], "unknown strategy 'magic'; there are no-cache"),
        (["run", "--fault", "melt"], "no fault is called 'melt'; there are kill-node"),
        (["run", "--workload", "dance"], "no workload is called 'dance'; there are register"),
        (["run", "--target", "all"], "--target and --parameter are about --fault"),
        (["run", "--fault", "kill-node", "--parameter", "x"], "expected NAME=VALUE"),
        (["run", "--duration", "0"], "duration_s 0 is out of range"),
        (["run", "nowhere.toml"], "nowhere.toml can't be read"),
        (["run", "--colour", "red"], "No such option"),
        (["matrix", "--strategy", "magic"], "unknown strategy 'magic'"),
        (["matrix", "--fault", "melt"], "no fault is called 'melt'"),
        (["matrix", "--seeds", "many"], "--seeds 'many': expected a number like 3"),
        (["recheck"], "holds no examination; `run` or `matrix` makes one"),
        (["recheck", "nowhere"], "nowhere holds no run.json"),
        (["report"], "holds no examination"),
        (["replay", "nowhere"], "nowhere holds no run.json"),
        (["list", "secrets"], "'secrets' is not one of 'faults', 'strategies', 'workloads', 'checkers'"),
    ],
)
def test_what_can_not_be_is_refused_before_anything_is_started(
    command: Command, tmp_path: Path, words: list[str], said: str
) -> None:
    """Exit code 254, one sentence, and no folder is made."""
    result = command(*words)
    assert (result.exit_code, said in result.output) == (USAGE, True), result.output
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("what", "names"),
    [
        ("faults", set(FAULTS)),
        ("strategies", set(STRATEGIES)),
        ("workloads", {"register", "sessions", "tags", "write-behind"}),
        ("checkers", {"linearizable", "staleness", "leak"}),
    ],
)
def test_list_names_what_there_is_with_a_line_each(command: Command, what: str, names: set[str]) -> None:
    """The name, and what it is about."""
    lines = command("list", what).output.splitlines()
    assert names <= {line.partition("  ")[0].strip() for line in lines}
    assert all(line.partition("  ")[2].strip() for line in lines)


def stored_run(folder: Path) -> RunFolder:
    """The folder of a run on a toy, as far as it is judged by nobody yet."""
    folder.mkdir(parents=True)
    conducted = Stand(folder, committing).perform(duration_s=0.5)
    record = RunRecord(
        id=folder.name,
        scenario=Scenario(strategy="sequenced", duration_s=0.5, nodes=2, workers=1),
        origin_ns=conducted.origin_ns,
        phases=conducted.phases,
    )
    RunFolder(folder).write(record)
    return RunFolder(folder)


def test_a_stored_run_is_judged_again_to_the_same_verdict(command: Command, tmp_path: Path) -> None:
    """From its history alone; the exit code is the decision's: too little was seen, so 2."""
    folder = stored_run(tmp_path / "stored")
    first = command("recheck", str(folder.path))
    once = folder.read()
    assert first.exit_code == 2, first.output
    assert "unknown" in first.output
    assert once.promises
    assert once.figures is not None
    assert command("recheck", str(folder.path)).exit_code == 2
    assert folder.read() == once


def test_a_history_that_was_tampered_with_convicts(command: Command, tmp_path: Path) -> None:
    """An acknowledged write that the audit does not have: exit code 1, and the witness names it."""
    folder = stored_run(tmp_path / "stored")
    lines = folder.history.read_text().splitlines()
    (gone, *_) = [number for number, line in enumerate(lines) if '"type":"audit"' in line]
    rows = sum('"type":"audit"' in line for line in lines)
    kept = [line.replace(f'"rows":{rows}', f'"rows":{rows - 1}') for line in lines]
    folder.history.write_text("\n".join(kept[:gone] + kept[gone + 1 :]) + "\n")
    result = command("recheck", str(folder.path))
    assert result.exit_code == 1, result.output
    assert "is not in the audit table" in result.output or "carries a write that is not" in result.output


def test_a_run_without_its_history_is_not_judged_again(command: Command, tmp_path: Path) -> None:
    """A long matrix keeps no histories of valid cells, and says so."""
    RunFolder(tmp_path / "kept").write(RUN)
    result = command("recheck", str(tmp_path / "kept"))
    assert (result.exit_code, "kept without its history" in result.output) == (1, True)


def test_rows_columns_and_seeds_are_lists_of_names() -> None:
    """As they are typed."""
    assert [row.name for row in rows_of("ttl, sequenced/write-behind")] == ["ttl", "sequenced/write-behind"]
    assert {row.strategy for row in rows_of("all")} == {*STRATEGIES, *PEERS}
    assert [column.name for column in columns_of("none,kill-node", "all")] == ["no-fault", "kill-node"]
    assert {column.fault for column in columns_of("all", "one")} == set(FAULTS)
    assert (seeds_of("3"), seeds_of("1-4")) == ((3,), (1, 2, 3, 4))
    with pytest.raises(WrongInputError, match="expected a number"):
        seeds_of("4-1")
