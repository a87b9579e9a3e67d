"""Reads and writes records, and names the files of their folders. The only module that does.

A record is replaced at once (written beside, then renamed): whoever reads it meanwhile sees the old or the new one.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from cluster.errors import WrongInputError
from cluster.record.matrix import SCHEMA as MATRIX_SCHEMA
from cluster.record.matrix import MatrixRecord
from cluster.record.run import SCHEMA as RUN_SCHEMA
from cluster.record.run import RunRecord

RUN, MATRIX = "run.json", "matrix.json"
Record = TypeVar("Record", RunRecord, MatrixRecord)
SCHEMAS = {RUN: RUN_SCHEMA, MATRIX: MATRIX_SCHEMA}


@dataclass(frozen=True, slots=True)
class RunFolder:
    """One run's folder."""

    path: Path

    @property
    def record(self) -> Path:
        """`run.json`."""
        return self.path / RUN

    @property
    def history(self) -> Path:
        """What clients asked and got: cluster.history."""
        return self.path / "history.jsonl"

    @property
    def traces(self) -> Path:
        """The folder of the servers' own traces of invalidations."""
        return self.path / "trace"

    @property
    def logs(self) -> Path:
        """The folder of the servers' logs."""
        return self.path / "logs"

    @property
    def report(self) -> Path:
        """The report for people."""
        return self.path / "report.html"

    def drop_history(self) -> None:
        """Remove what is large, once it is judged; the record stays."""
        self.history.unlink(missing_ok=True)
        shutil.rmtree(self.traces, ignore_errors=True)

    def read(self) -> RunRecord:
        """The record. Raises WrongInputError where there is none."""
        return _read(self.record, RunRecord)

    def write(self, record: RunRecord) -> None:
        """Put the record in its place."""
        _write(self.record, record)


@dataclass(frozen=True, slots=True)
class MatrixFolder:
    """A matrix's folder."""

    path: Path

    @property
    def record(self) -> Path:
        """`matrix.json`."""
        return self.path / MATRIX

    @property
    def report(self) -> Path:
        """The report for people."""
        return self.path / "report.html"

    def cell(self, row: str, column: str, seed: int) -> RunFolder:
        """The folder of one cell's run."""
        return RunFolder(self.path / "cells" / row.replace("/", "+") / f"{column}-{seed}")

    def run(self, folder: str) -> RunFolder:
        """The folder that a cell names."""
        return RunFolder(self.path / folder)

    def read(self) -> MatrixRecord:
        """The record. Raises WrongInputError where there is none."""
        return _read(self.record, MatrixRecord)

    def write(self, record: MatrixRecord) -> None:
        """Put the record in its place."""
        _write(self.record, record)


def _read(path: Path, kind: type[Record]) -> Record:
    try:
        record = msgspec.json.decode(path.read_bytes(), type=kind)
    except FileNotFoundError:
        raise WrongInputError(
            f"{path.parent} holds no {path.name}: it is no such folder, or its run never began"
        ) from None
    except (OSError, msgspec.DecodeError) as problem:
        raise WrongInputError(f"{path} can't be read ({problem})") from None
    if record.schema != SCHEMAS[path.name]:
        raise WrongInputError(f"{path} has schema {record.schema}; this version reads {SCHEMAS[path.name]}")
    return record


def _write(path: Path, record: RunRecord | MatrixRecord) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_bytes(msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n")
    fresh.rename(path)
