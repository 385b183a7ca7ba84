"""What tests of differences between our record and the venue's look at and do."""

from __future__ import annotations

from core.execution.differences import Row
from core.risk.halts import Level
from tests.execution.bench import HOT, TRADER, Bench
from tests.execution.fake_venue import Resting, strange

EVENT = "KXHIGHNY-26NOV23"


def level(bench: Bench, ticker: str = HOT) -> Level:
    halt = bench.engine.desk.halting.level(EVENT, ticker)
    return halt.level if halt is not None else Level.NORMAL


def rows(bench: Bench, row: Row) -> list[str]:
    """What the journal says of a row."""
    found = [(r.data().get("row"), str(r.data().get("text"))) for r in bench.journal.rows]
    return [text for name, text in found if name == row.value]


async def stopped(bench: Bench, words: str, wanted: Level = Level.HALTED, seconds: float = 70) -> None:
    """Wait for the level, then look at what a person is told of it."""
    await bench.until(lambda: level(bench) is wanted and rung(bench, words), f"{wanted} {words!r}", seconds)
    assert any(row.kind == "HALT" and words in row.payload for row in bench.journal.rows)


def rung(bench: Bench, words: str) -> bool:
    return any(words in a.what for a in bench.engine.state.alarms.values() if a.level.value == "ACT")


def from_outside(bench: Bench, order_id: str = "X1", open_: int = 5) -> Resting:
    """A copy of our resting order, placed by somebody else."""
    theirs = strange(bench.venue.only())
    theirs.order_id, theirs.filled, theirs.open = order_id, 0, open_ * 1_000_000
    bench.venue.placed[order_id] = theirs
    return theirs


def seen(bench: Bench) -> None:
    """The operator looks at everything that rings."""
    bench.engine.acknowledge_all(TRADER)
