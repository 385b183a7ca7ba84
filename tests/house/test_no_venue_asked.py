"""Differences of venues are data: outside their packages, configuration and labels nobody asks which."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.domain.market import Venue

CHECKOUT = Path(__file__).resolve().parents[2]
OWN_ROOMS = ("core/venues/", "core/sim/", "core/config/")
LABELS = {"core/domain/market.py": "names venues, and what rows without one mean"}
ASSEMBLY = {"core/control/building.py": "says which account each venue's seat is made from"}
NAMES = {venue.name for venue in Venue}
WORDS = {venue.value for venue in Venue}


def asked(tree: ast.AST) -> Iterator[str]:
    """Places that name a venue, or compare something with a venue's word."""
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id="Venue"), attr=name) if name in NAMES:
                yield f"line {node.lineno}: Venue.{name}"
            case ast.Compare(left=left, comparators=others):
                said = {c.value for c in (left, *others) if isinstance(c, ast.Constant)}
                if said & WORDS:
                    yield f"line {node.lineno}: compared with {', '.join(sorted(said & WORDS))}"
            case ast.MatchValue(value=ast.Constant(value=word)) if word in WORDS:
                yield f"line {node.lineno}: matched with {word}"
            case _:
                pass


def sources() -> list[str]:
    found = sorted(
        p.relative_to(CHECKOUT).as_posix()
        for room in ("core", "tui")
        for p in (CHECKOUT / room).rglob("*.py")
    )
    return [path for path in found if not path.startswith(OWN_ROOMS)]


def test_nobody_asks_which_venue_it_has() -> None:
    exempt = LABELS | ASSEMBLY
    found = {path: list(asked(ast.parse((CHECKOUT / path).read_text()))) for path in sources()}
    assert {path: where for path, where in found.items() if where and path not in exempt} == {}
    assert all(found[path] for path in exempt), "an exemption nobody needs"


@pytest.mark.parametrize(
    "line",
    [
        "x = y is Venue.KALSHI",
        "if market.venue.value == 'polymarket': pass",
        "match name:\n    case 'kalshi': pass",
        "match venue:\n    case Venue.POLYMARKET: pass",
        "table = {Venue.KALSHI: 1}",
    ],
)
def test_the_question_is_recognised(line: str) -> None:
    assert list(asked(ast.parse(line)))


def test_a_mapping_by_venue_is_no_question() -> None:
    assert not list(asked(ast.parse("x = desk.seats[market.venue]\ny = Venue(name).short")))
