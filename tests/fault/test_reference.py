"""docs/faults.md is what the table of faults generates, and leaves none out."""

from __future__ import annotations

from pathlib import Path

from cluster.fault.catalogue import FAULTS, fault_named
from cluster.fault.reference import reference

ROOT = Path(__file__).resolve().parents[2]


def test_the_reference_is_fresh() -> None:
    """Run `python -m cluster.fault.reference > docs/faults.md` when this fails."""
    assert (ROOT / "docs" / "faults.md").read_text(encoding="utf-8") == reference()


def test_every_fault_is_in_it() -> None:
    """Each has a group; a module without one would be left out in silence."""
    assert all(f"\n| `{name}` | " in reference() for name in FAULTS)


def test_a_fault_is_called_what_the_table_calls_it() -> None:
    """The name in a history is the one on the command line."""
    assert all(fault_named(name).name == name for name in FAULTS)
