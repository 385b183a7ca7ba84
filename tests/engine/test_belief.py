"""A replay must come to believe what the engine believed; where it does not, the desk is locked."""

from __future__ import annotations

import asyncio
import hashlib

import msgspec
import pytest

from core.domain.order import Fill, Order, OrderIntent
from core.domain.position import Position
from core.engine import belief
from core.engine.restore import restore
from core.journal.events import Kind, Row
from core.journal.projections import NEWEST, PASSED_OVER
from core.risk.halts import HaltScope, Level, ScopeKind
from tests.execution.bench import TRADER, WARM, Bench, running
from tests.virtual import VirtualLoop, run_virtual


async def a_day(bench: Bench) -> None:
    """Fills, cancels, a working order, a halted market."""
    await bench.held(8)
    first = bench.venue.only()
    bench.engine.cancel_order(first.intent.client_order_id, TRADER)
    await bench.until(lambda: not bench.engine.desk.ledger.live, "cancel")
    await bench.sent()
    bench.engine.desk.halting.rise(HaltScope(ScopeKind.MARKET, WARM), Level.HALTED, "looked odd")


def marks(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row.kind == Kind.BELIEF.value]


def test_an_hour_and_a_stop_leave_a_mark_and_the_next_start_agrees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(belief, "MARK_S", 60.0)

    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await a_day(bench)
            await asyncio.sleep(61)
            assert len(marks(bench.journal.rows)) == 1
            bench.engine.flatten(TRADER)
            await asyncio.sleep(0.1)
            bench.engine.stop("done", TRADER)
            await bench.until(lambda: len(marks(bench.journal.rows)) == 2, "stop")
            rows, venue = list(bench.journal.rows), bench.venue
        hour, stop = (rows.index(mark) for mark in marks(rows))
        for left in (rows, rows[:stop], rows[: hour + 5]):
            async with running(loop, venue=venue, history=left, ready=False, run="r2") as again:
                told = [a.what for a in again.engine.state.alarms.values() if "give other" in a.what]
                assert not told
                ledger = again.engine.desk.ledger
                assert ledger.live == {c: o for c, o in ledger.orders.items() if o.live}

    run_virtual(main)


def test_a_replay_that_differs_locks_the_desk_and_says_where() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(8)
            bench.engine.stop("done", TRADER)
            await bench.until(lambda: bool(marks(bench.journal.rows)), "stop")
            rows, venue = list(bench.journal.rows), bench.venue
        mark = marks(rows)[0]
        fill = next(i for i, row in enumerate(rows) if row.kind == Kind.FILL.value)
        payload = msgspec.json.decode(rows[fill].payload)
        payload["fill"]["quantity"] += 1_000_000
        rows[fill] = msgspec.structs.replace(rows[fill], payload=msgspec.json.encode(payload).decode())
        async with running(loop, venue=venue, history=rows, ready=False, run="r2") as again:
            assert again.engine.state.halts.desk is Level.LOCKED
            told = [a.what for a in again.engine.state.alarms.values() if a.active]
            assert (
                f"desk: the journal's rows up to {mark.seq} give other positions than the engine had" in told
            )

    run_virtual(main)


def test_the_rows_a_restart_passes_over_change_nothing_it_restores() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await a_day(bench)
            bench.engine.set_limit("day_loss_max", "50", "", "", TRADER)
            await asyncio.sleep(120)
            rows = list(bench.journal.rows)
        newest = {
            kind.value: max((r.seq for r in rows if r.kind == kind.value and has(r, field)), default=0)
            for kind, field in NEWEST.items()
        }
        read = [r for r in rows if r.kind not in PASSED_OVER or r.seq == newest.get(r.kind)]
        assert len(read) < len(rows)
        assert restore(read) == restore(rows)

    run_virtual(main)


def has(row: Row, field: str) -> bool:
    return row.data().get(field.removeprefix("$.")) is not None


def test_a_mark_of_another_shape_has_another_form() -> None:
    """Marks of one form are compared: a field more, and every journal with a live order would lock."""
    held = (Order, OrderIntent, Fill, Position)
    fields = ":".join(field for one in held for field in one.__struct_fields__)
    shape = hashlib.sha256(fields.encode()).hexdigest()[:8]
    assert (belief.FORM, shape) == (5, "8d353e71"), "count FORM up and write down the new shape"
