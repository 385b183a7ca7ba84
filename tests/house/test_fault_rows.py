"""The index of the fault catalogue: every row has named tests that exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from core.sim.fault_kinds import FaultKind

TESTS = Path(__file__).parents[1]
INDEX = Path(__file__).with_name("fault_rows.txt")
ROW = re.compile(r"^([NXDOHC]\d\d) (.+)$")
CATALOGUE_ROW = re.compile(r"^\| ([NXDOHC]\d\d) \|", re.MULTILINE)
LAST = {"N": 24, "X": 29, "D": 10, "O": 6, "H": 15, "C": 3}


def rows() -> dict[str, str]:
    lines = [line for line in INDEX.read_text().splitlines() if line and not line.startswith("#")]
    found = [ROW.match(line) for line in lines]
    assert all(found), [line for line, match in zip(lines, found, strict=True) if match is None]
    return {match[1]: match[2] for match in found if match is not None}


ROWS = rows()


def named(path: Path) -> set[str]:
    """Every test function of a file, those of classes included."""
    nodes = ast.walk(ast.parse(path.read_text()))
    return {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_row_of_the_catalogue_stands_in_the_index_once() -> None:
    wanted = [f"{letter}{number:02}" for letter, last in LAST.items() for number in range(1, last + 1)]
    assert list(ROWS) == wanted


def test_the_index_has_the_rows_the_catalogue_has(shared: Path) -> None:
    text = (shared / "reference" / "reliability.md").read_text()
    assert CATALOGUE_ROW.findall(text) == list(ROWS)


@pytest.mark.parametrize("row", list(ROWS))
def test_the_tests_of_a_row_exist(row: str) -> None:
    for test in ROWS[row].split():
        path, _, name = test.partition("::")
        assert (TESTS / path).is_file(), test
        assert name.startswith("test_") and name in named(TESTS / path), test


def test_the_simulator_knows_every_row_of_network_exchange_and_data() -> None:
    assert [kind.name for kind in FaultKind] == [row for row in ROWS if row[0] in "NXD"]
