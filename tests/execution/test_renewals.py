"""Resting orders live as long as the engine is well and somebody vouches for them, and not much longer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from core.domain.order import Command, Life
from core.journal.store import MemoryJournal
from core.risk.halts import HaltScope, Level, ScopeKind
from core.venues.venue import Incomplete, OrderReport
from tests.execution.bench import HOT, TRADER, Bench, running
from tests.virtual import VirtualLoop, run_virtual


def renewed(bench: Bench) -> int:
    return sum(call.startswith("renew") for _, call in bench.venue.calls)


async def kept_fresh(bench: Bench, seconds: float) -> None:
    """Let time pass over a market whose book keeps coming."""
    for _ in range(int(seconds)):
        for ticker in bench.engine.state.markets:
            bench.venue.touch(ticker)
        await asyncio.sleep(1)


def test_an_order_that_is_wanted_outlives_its_first_end() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            first = order.expires_ms
            assert first is not None
            await kept_fresh(bench, 200)
            now = bench.order(order.intent.client_order_id)
            assert now.life is Life.WORKING and now.expires_ms is not None
            assert now.expires_ms > bench.clock.wall_ms() > first
            assert bench.venue.only().renewed_ms == now.expires_ms
            assert 2 <= renewed(bench) <= 4, "once each half life"
            assert "RENEWAL_SENT" in bench.kinds() and "RENEWAL_OUTCOME" in bench.kinds()

    run_virtual(main)


def lagging(bench: Bench) -> None:
    bench.engine.desk.health.lag_p99_ms = lambda: 101  # type: ignore[method-assign]


def slow_disk(bench: Bench) -> None:
    bench.journal.sync_p99_ms = lambda: 251  # type: ignore[method-assign]


def unread(bench: Bench) -> None:
    bench.venue.faults.broken_reads = True


def stood_still(bench: Bench) -> None:
    bench.engine.desk.health.step("the engine stood still")
    bench.venue.faults.broken_reads = True  # nothing clears it


def reduce_only(bench: Bench) -> None:
    bench.engine.desk.halting.rise(HaltScope(ScopeKind.MARKET, HOT), Level.REDUCE_ONLY, "looked odd")


def stale_book(bench: Bench) -> None:
    bench.venue.books[HOT].intact = False
    bench.venue.touch = lambda ticker: None  # type: ignore[method-assign]


@pytest.mark.parametrize("ill", [lagging, slow_disk, unread, stood_still, reduce_only, stale_book])
def test_an_engine_that_is_not_well_loses_its_orders(ill: Callable[[Bench], None]) -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            await kept_fresh(bench, 20)
            ill(bench)
            await kept_fresh(bench, 130)
            assert renewed(bench) <= (1 if ill in (unread, stood_still) else 0)
            await kept_fresh(bench, 60)
            assert not bench.venue.placed[order.order_id].open, "its end at the venue came"
            assert bench.seat.renewals.stopped or not bench.engine.desk.ledger.live

    run_virtual(main)


def test_nobody_there_means_no_renewal_of_entries() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.sent()
            bench.engine.controller_gone()
            await kept_fresh(bench, 150)
            assert not bench.venue.only().open and renewed(bench) == 0

    run_virtual(main)


def test_an_unanswered_renewal_counts_both_ends_and_is_looked_up() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            client = order.intent.client_order_id
            bench.venue.faults.lose_renewals = 1
            honest, looked_up = bench.venue.order, list[float]()

            async def order_of(order_id: str) -> OrderReport | Incomplete | None:
                looked_up.append(loop.time())
                return await honest(order_id)

            bench.venue.order = order_of  # type: ignore[method-assign]
            await kept_fresh(bench, 62)
            asked = bench.order(client)
            assert asked.command is Command.RENEW_SENDING
            assert asked.expires_ms == order.expires_ms and asked.dead_by_ms != order.expires_ms
            sent_at = next(at for at, call in bench.venue.calls if call.startswith("renew"))
            await kept_fresh(bench, 8)
            assert looked_up and 5.0 <= looked_up[0] - sent_at < 5.5, "at once, not with the next reading"
            found = bench.order(client)
            assert found.command is Command.NONE and found.expires_ms == bench.venue.only().renewed_ms

    run_virtual(main)


def test_a_renewal_nobody_can_find_out_about_is_the_last_one() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            client = order.intent.client_order_id
            bench.venue.faults.lose_renewals = 1
            await kept_fresh(bench, 62)
            bench.venue.faults.broken_reads = True
            await kept_fresh(bench, 40)
            assert bench.order(client).command is Command.RENEW_UNKNOWN
            assert renewed(bench) == 1
            bench.venue.faults.broken_reads = False
            await kept_fresh(bench, 100)
            assert bench.order(client).life in (Life.EXPIRED, Life.WORKING)

    run_virtual(main)


def test_a_refused_renewal_lets_the_order_die() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            bench.venue.faults.refuse_renewals = 1
            await kept_fresh(bench, 100)
            assert renewed(bench) == 1
            assert bench.order(order.intent.client_order_id).command is Command.RENEW_REFUSED
            await kept_fresh(bench, 30)
            assert bench.order(order.intent.client_order_id).life is Life.EXPIRED

    run_virtual(main)


class Forgetful(MemoryJournal):
    """A journal that stops confirming."""

    broken = False

    def durable(self, seq: int) -> asyncio.Future[bool]:
        answer = super().durable(seq)
        if self.broken:
            answer = asyncio.get_running_loop().create_future()
            answer.set_result(False)
        return answer


def test_no_renewal_leaves_without_its_row() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, journal=Forgetful) as bench:
            order = await bench.sent()
            bench.journal.broken = True  # type: ignore[attr-defined]
            await kept_fresh(bench, 130)
            assert renewed(bench) == 0
            assert bench.order(order.intent.client_order_id).life is Life.EXPIRED

    run_virtual(main)


class Slow(MemoryJournal):
    """A journal that takes its time over each confirmation."""

    takes_s = 0.0

    def durable(self, seq: int) -> asyncio.Future[bool]:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[bool] = loop.create_future()
        loop.call_later(self.takes_s, lambda: answer.done() or answer.set_result(True))
        return answer


@pytest.mark.parametrize(
    ("takes_s", "falls_ill", "why"),
    [
        (1.0, False, ""),
        (1.0, True, "looked odd"),
        (2.5, False, "could not be sent in time"),
    ],
)
def test_a_renewal_held_up_by_the_journal_is_judged_again_before_it_leaves(
    takes_s: float, falls_ill: bool, why: str
) -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, journal=Slow) as bench:
            order = await bench.sent()
            client = order.intent.client_order_id
            bench.journal.takes_s = takes_s  # type: ignore[attr-defined]
            for _ in range(70):
                await kept_fresh(bench, 1)
                if bench.order(client).command is Command.RENEW_SENDING:
                    break
            if falls_ill:
                reduce_only(bench)
            await kept_fresh(bench, 5)
            assert renewed(bench) == (not why)
            answers = [row.payload for row in bench.journal.rows if row.kind == "RENEWAL_OUTCOME"]
            assert len(answers) == 1 and why in answers[0]

    run_virtual(main)


def test_what_is_being_cancelled_is_not_renewed() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            bench.venue.faults.refuse_cancels = 100_000
            bench.engine.cancel_order(order.intent.client_order_id, TRADER)
            await kept_fresh(bench, 110)
            assert renewed(bench) == 0

    run_virtual(main)
