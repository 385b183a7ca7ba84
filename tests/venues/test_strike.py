"""A strike ends with nothing resting, whatever the venue does on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from core.domain.order import BookSide
from core.domain.units import Price, Quantity
from core.venues.strike import strike
from core.venues.venue import (
    Cancelled,
    CancelOutcome,
    CancelUnresolved,
    Done,
    GroupOutcome,
    Incomplete,
    OrderReport,
    Rejected,
    ReportStatus,
    Unresolved,
)
from tests.virtual import VirtualClock, VirtualLoop, run_virtual


def order(order_id: str) -> OrderReport:
    one = Quantity(1_000_000)
    return OrderReport(
        order_id, f"pm-{order_id}", "KX-1", BookSide.BID, Price(3_000), one, Quantity(0), one,
        ReportStatus.RESTING,
    )  # fmt: skip


@dataclass
class Venue:
    """An account with orders, some of them in groups; fails in the ways a test sets."""

    resting_ids: dict[str, str] = field(default_factory=dict)
    """Group by order."""
    part_of: dict[str, str] = field(default_factory=lambda: {"G1": "0", "G2": "2"})
    calls: list[str] = field(default_factory=list)
    triggers_fail: int = 0
    cancel_all_fails: int = 0
    cancels_fail: int = 0
    reads_fail: int = 0

    async def groups(self) -> dict[str, str] | Incomplete:
        return dict(self.part_of)

    async def resting(self) -> tuple[OrderReport, ...] | Incomplete:
        await asyncio.sleep(0.02)
        if self.reads_fail:
            self.reads_fail -= 1
            return Incomplete("orders", "HTTP 503")
        return tuple(order(order_id) for order_id in self.resting_ids)

    async def trigger(self, group_id: str, part: str) -> GroupOutcome:
        self.calls.append(f"trigger {group_id} on {part}")
        await asyncio.sleep(0.02)
        if self.part_of.get(group_id) != part:
            return Rejected("not_found", "")
        if self.triggers_fail:
            self.triggers_fail -= 1
            return Unresolved("HTTP 503")
        self.resting_ids = {o: g for o, g in self.resting_ids.items() if g != group_id}
        return Done()

    async def cancel_everything(self) -> GroupOutcome:
        self.calls.append("everything")
        await asyncio.sleep(0.02)
        if self.cancel_all_fails:
            self.cancel_all_fails -= 1
            return Unresolved("HTTP 429")
        self.resting_ids.clear()
        return Done()

    async def cancel(self, orders: Sequence[OrderReport]) -> tuple[CancelOutcome, ...]:
        self.calls.append(f"cancel {len(orders)}")
        if self.cancels_fail:
            self.cancels_fail -= 1
            return tuple(CancelUnresolved(o.order_id, "timeout") for o in orders)
        for report in orders:
            self.resting_ids.pop(report.order_id, None)
        return tuple(Cancelled(o.order_id, o.remaining) for o in orders)


def test_triggers_and_cancel_all_leave_at_once() -> None:
    async def main(loop: VirtualLoop) -> None:
        venue = Venue({"1": "G1", "2": ""})
        began = loop.time()
        task = loop.create_task(strike(venue, {"G1": "0"}, VirtualClock(loop).mono_ns))
        await asyncio.sleep(0.001)
        assert venue.calls[:2] == ["trigger G1 on 0", "everything"] and loop.time() - began < 0.01
        receipt = await task
        assert not venue.resting_ids
        assert (receipt.groups, receipt.found) == (2, 0), "a group the engine did not name goes as well"
        assert "nothing rests" in str(receipt)

    run_virtual(main)


@pytest.mark.parametrize("trouble", ["triggers_fail", "cancel_all_fails", "cancels_fail", "reads_fail"])
def test_it_goes_on_until_the_venue_holds_nothing(trouble: str) -> None:
    async def main(loop: VirtualLoop) -> None:
        venue = Venue({str(number): "G1" if number % 2 else "" for number in range(7)})
        setattr(venue, trouble, 12)
        venue.cancel_all_fails = venue.cancel_all_fails or 1
        await strike(venue, {"G1": "0", "gone": "0"}, VirtualClock(loop).mono_ns)
        assert not venue.resting_ids
        if trouble == "triggers_fail":
            assert venue.calls.count("trigger G1 on 0") + venue.calls.count("trigger G2 on 2") == 2 + 12
        if trouble == "cancel_all_fails":
            assert venue.calls.count("everything") == 1 + 12
        assert venue.calls.count("trigger gone on 0") == 1, "a group that is not there is not asked for ever"

    run_virtual(main)


def test_one_quiet_reading_is_no_proof() -> None:
    async def main(loop: VirtualLoop) -> None:
        venue = Venue()
        task = loop.create_task(strike(venue, {}, VirtualClock(loop).mono_ns))
        await asyncio.sleep(0.5)
        venue.resting_ids["late"] = ""
        receipt = await task
        assert not venue.resting_ids and receipt.found == 1

    run_virtual(main)


def test_a_group_that_never_answers_does_not_hold_the_next_strike_for_ever() -> None:
    async def main(loop: VirtualLoop) -> None:
        venue = Venue({"1": "G1"}, triggers_fail=10_000)
        async with asyncio.timeout(90.0):
            receipt = await strike(venue, {"G1": "0"}, VirtualClock(loop).mono_ns)
        assert not venue.resting_ids and receipt.groups == 0
        assert "2 calls not confirmed" in str(receipt), "G1, and G2 among the others"

    run_virtual(main)
