"""Safety groups, renewals and cancel-all against the simulated Kalshi over real sockets."""

from __future__ import annotations

import time
from typing import Any

import msgspec

from core.domain.order import BookSide, Purpose, TimeInForce
from core.domain.units import contracts
from core.sim import amending
from core.venues.venue import (
    UNSEALED,
    Accepted,
    Cancelled,
    Done,
    GroupChange,
    NotReduced,
    NotRenewed,
    Reduced,
    Rejected,
    Renewed,
    ReportStatus,
    SafetyGroup,
)
from tests.venues.test_against_sim import BRACKET, allow, crowd, intent, venue

__all__ = ["venue"]

CONTRACTS = {Purpose.OPEN: 50, Purpose.CLOSE: 1_000}


async def armed(venue: Any) -> dict[Purpose, SafetyGroup]:
    return {group.purpose: group for group in await venue.arm_groups(CONTRACTS, ())}


async def test_groups_are_opened_once_and_taken_over(venue: Any, recorder: Any) -> None:
    first = await venue.arm_groups(CONTRACTS, ())
    assert [(g.purpose, g.part, g.contracts) for g in first] == [
        (Purpose.OPEN, venue.part_of(BRACKET), 50),
        (Purpose.CLOSE, venue.part_of(BRACKET), 1_000),
    ]
    assert await venue.arm_groups(CONTRACTS, first) == first
    await recorder.until(lambda: len(recorder.groups) == 2)
    assert {change for _, change in recorder.groups} == {GroupChange.OPENED}


async def test_a_trigger_takes_the_groups_orders_and_refuses_more_until_its_reset(
    venue: Any, recorder: Any
) -> None:
    group = (await armed(venue))[Purpose.OPEN]
    inside = await venue.place(
        intent("g-1", BookSide.BID, 2_000, 1, group_id=group.group_id), UNSEALED, allow
    )
    outside = await venue.place(intent("g-2", BookSide.BID, 2_000, 1), UNSEALED, allow)
    assert isinstance(inside, Accepted) and isinstance(outside, Accepted)
    assert await venue.trigger_group(group) == Done()
    await recorder.until(lambda: (group.group_id, GroupChange.TRIGGERED) in recorder.groups)
    resting = await venue.orders(status=ReportStatus.RESTING)
    assert [report.order_id for report in resting] == [outside.order_id]
    recorder.groups.clear()
    refused = await venue.place(
        intent("g-3", BookSide.BID, 2_000, 1, group_id=group.group_id), UNSEALED, allow
    )
    assert isinstance(refused, Rejected)
    assert (group.group_id, GroupChange.REFUSING) in recorder.groups, (
        "a refused order tells of the trip as well"
    )
    assert await venue.reset_group(group) == Done()
    assert isinstance(
        await venue.place(intent("g-4", BookSide.BID, 2_000, 1, group_id=group.group_id), UNSEALED, allow),
        Accepted,
    )


async def test_a_group_of_a_run_before_is_triggered_on_its_own_shard(venue: Any) -> None:
    """Before this run has armed anything: a halt at its very start must reach the groups of the last one."""
    group_id = await venue._groups._create(1, 50)
    assert not venue._groups.known, "nothing is armed"
    assert await venue.trigger_group(SafetyGroup(group_id, Purpose.OPEN, "1", 50)) == Done()


async def test_too_much_traded_trips_the_group_by_itself(venue: Any, sim: Any, recorder: Any) -> None:
    group = (await armed(venue))[Purpose.OPEN]
    await venue.place(intent("t-1", BookSide.BID, 3_100, 60, group_id=group.group_id), UNSEALED, allow)
    crowd(sim, BookSide.ASK, 3_100, 55)
    await recorder.until(lambda: (group.group_id, GroupChange.TRIGGERED) in recorder.groups)
    assert await venue.orders(status=ReportStatus.RESTING) == ()
    assert isinstance(
        await venue.trigger_group(msgspec.structs.replace(group, group_id="no-such-group")), Rejected
    )


async def test_a_lower_limit_than_what_traded_trips_it(venue: Any, sim: Any, recorder: Any) -> None:
    group = (await armed(venue))[Purpose.OPEN]
    await venue.place(intent("l-1", BookSide.BID, 3_100, 30, group_id=group.group_id), UNSEALED, allow)
    crowd(sim, BookSide.ASK, 3_100, 20)
    assert await venue.limit_group(group, 10) == Done()
    await recorder.until(lambda: (group.group_id, GroupChange.TRIGGERED) in recorder.groups)


async def test_a_renewal_moves_the_end_and_keeps_the_place(venue: Any, sim: Any) -> None:
    now_ms = int(time.time()) * 1_000
    wanted = intent("r-1", BookSide.BID, 3_000, 5, expires_ms=now_ms + 120_000)
    placed = await venue.place(wanted, UNSEALED, allow)
    crowd(sim, BookSide.BID, 3_000, 7)
    before = await venue.queue_ahead([BRACKET])
    later, size = now_ms + 240_000, contracts(5)
    assert await venue.renew(placed.order_id, wanted, size, later, allow) == Renewed(placed.order_id, later)
    report = await venue.order(placed.order_id)
    assert (report.expires_ms, report.quantity, report.price) == (later, size, 3_000)
    assert await venue.queue_ahead([BRACKET]) == before
    later, size = now_ms + 300_000, contracts(3)
    amending.decrease(sim.exchange, "desk", placed.order_id, size)
    assert await venue.renew(placed.order_id, wanted, size, later, allow) == Renewed(placed.order_id, later)
    smaller = await venue.order(placed.order_id)
    assert (smaller.expires_ms, smaller.remaining) == (later, size), "as small as a person made it"
    assert await venue.queue_ahead([BRACKET]) == before
    held = await venue.renew(placed.order_id, wanted, size, later, lambda: "halted")
    assert held == NotRenewed(placed.order_id, "not sent: halted")
    assert isinstance((await venue.cancel([(placed.order_id, BRACKET)]))[0], Cancelled)
    assert isinstance(await venue.renew(placed.order_id, wanted, size, later, allow), NotRenewed)


async def test_a_reduction_keeps_the_place_and_can_never_make_an_order_larger(venue: Any, sim: Any) -> None:
    placed = await venue.place(intent("d-1", BookSide.BID, 3_000, 5), UNSEALED, allow)
    crowd(sim, BookSide.BID, 3_000, 7)
    before, by = await venue.queue_ahead([BRACKET]), contracts(2)
    made = await venue.reduce(placed.order_id, BRACKET, by, allow)
    assert isinstance(made, Reduced) and (made.order_id, made.remaining) == (placed.order_id, contracts(3))
    report = await venue.order(placed.order_id)
    assert (report.remaining, report.price, report.updated_ms) == (contracts(3), 3_000, made.at_ms)
    assert await venue.queue_ahead([BRACKET]) == before
    held = await venue.reduce(placed.order_id, BRACKET, by, lambda: "too late")
    assert held == NotReduced(placed.order_id, "not sent: too late")
    assert isinstance(await venue.reduce(placed.order_id, BRACKET, contracts(4), allow), NotReduced)
    assert (await venue.order(placed.order_id)).remaining == contracts(3)
    assert isinstance((await venue.cancel([(placed.order_id, BRACKET)]))[0], Cancelled)
    gone = await venue.reduce(placed.order_id, BRACKET, by, allow)
    assert gone == NotReduced(placed.order_id, "not_found")


async def test_cancel_all_reaches_everything_and_an_exit_survives_its_minute(venue: Any, sim: Any) -> None:
    await venue.place(intent("a-1", BookSide.BID, 3_200, 4), UNSEALED, allow)
    crowd(sim, BookSide.ASK, 3_200, 4)
    await venue.place(intent("a-2", BookSide.BID, 2_000, 1), UNSEALED, allow)
    assert await venue.cancel_everything() == Done()
    assert await venue.orders(status=ReportStatus.RESTING) == ()
    later = await venue.place(intent("a-3", BookSide.BID, 2_000, 1), UNSEALED, allow)
    assert (await venue.order(later.order_id)).status is ReportStatus.CANCELED, "placed within the minute"
    exit_ = intent(
        "a-4",
        BookSide.ASK,
        2_900,
        4,
        purpose=Purpose.CLOSE,
        tif=TimeInForce.IOC,
        post_only=False,
        reduce_only=True,
    )
    sold = await venue.place(exit_, UNSEALED, allow)
    assert isinstance(sold, Accepted) and sold.filled == contracts(4)
