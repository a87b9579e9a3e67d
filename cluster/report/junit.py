"""JUnit: a matrix as a test suite, for machines that show test results: a suite per row, a case per column and seed.

invalid is a failure, unknown an error (nothing was proved, and nobody should take that for a pass), skipped is skipped.
The format is the one that Jenkins and GitLab read; it has no standard of its own.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from itertools import groupby

from cluster.checker.verdict import Decision
from cluster.record.matrix import CellRecord, MatrixRecord

TAGS = {None: "skipped", Decision.INVALID: "failure", Decision.UNKNOWN: "error"}


def junit(matrix: MatrixRecord) -> bytes:
    """The document, UTF-8."""
    root = ElementTree.Element("testsuites", {"name": matrix.id, **_counts(matrix.cells)})
    order = {row.name: place for place, row in enumerate(matrix.rows)}
    cells = sorted(matrix.cells, key=lambda cell: order.get(cell.row, len(order)))
    for row, of_row in groupby(cells, key=lambda cell: cell.row):
        kept = tuple(of_row)
        suite = ElementTree.SubElement(root, "testsuite", {"name": row, **_counts(kept)})
        for each in kept:
            case = ElementTree.SubElement(suite, "testcase", classname=row, name=f"{each.column} seed {each.seed}")
            if each.decision in TAGS:
                ElementTree.SubElement(case, TAGS[each.decision], message=_printable(each.reason))
    ElementTree.indent(root)
    document: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _counts(cells: tuple[CellRecord, ...]) -> dict[str, str]:
    decisions = [cell.decision for cell in cells]
    return {
        "tests": str(len(cells)),
        "failures": str(decisions.count(Decision.INVALID)),
        "errors": str(decisions.count(Decision.UNKNOWN)),
        "skipped": str(decisions.count(None)),
    }


def _printable(text: str) -> str:
    """Without the characters that XML 1.0 can't hold, which an error message from outside may bring."""
    return "".join(each if each >= " " else " " for each in text)
