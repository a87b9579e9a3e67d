"""A mutant: all judges, imported anew, with one line of one of them changed by hand."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

PACKAGE = "cluster.checker"
FOLDER = Path(__file__).resolve().parents[2] / "cluster" / "checker"


@dataclass(frozen=True, slots=True)
class Mutant:
    """`name` says what the change breaks; `before` occurs exactly once in the module and becomes `after`."""

    name: str
    module: str
    before: str
    after: str


class _Loader(importlib.abc.SourceLoader):
    def __init__(self, path: str, mutant: Mutant) -> None:
        self.path, self.mutant = path, mutant

    def get_filename(self, fullname: str) -> str:
        return self.path

    def get_data(self, path: str) -> bytes:
        source = Path(self.path).read_text(encoding="utf-8")
        if Path(self.path).stem == self.mutant.module:
            found = source.count(self.mutant.before)
            assert found == 1, f"{self.mutant.name}: {self.mutant.before!r} occurs {found} times; mend the mutant"
            source = source.replace(self.mutant.before, self.mutant.after)
        return source.encode()


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, mutant: Mutant) -> None:
        self.mutant = mutant

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if not fullname.startswith(PACKAGE + "."):
            return None
        file = FOLDER / (fullname.removeprefix(PACKAGE + ".") + ".py")
        return importlib.util.spec_from_loader(fullname, _Loader(str(file), self.mutant))


def judge_of(mutant: Mutant) -> Callable[..., Any]:
    """`judge` of the mutated judges; everybody else's judges stay as they are."""
    ours = {name: module for name, module in sys.modules.items() if name.startswith(PACKAGE + ".")}
    finder = _Finder(mutant)
    for name in ours:
        del sys.modules[name]
    sys.meta_path.insert(0, finder)
    try:
        judge: Callable[..., Any] = importlib.import_module(f"{PACKAGE}.judgement").judge
        return judge
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if name.startswith(PACKAGE + ".")]:
            del sys.modules[name]
        sys.modules.update(ours)
