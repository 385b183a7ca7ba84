"""The retry table row by row, the budget of second tries, and the circuit breakers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from core.domain.clock import Clocks
from core.venues.kalshi.cancels import CancelEntry
from core.venues.kalshi.endpoints import MARKETS, ORDERS, POSITIONS
from core.venues.limiter import Priority
from core.venues.retry import (
    RETRIES_SAVED_MAX,
    TABLE,
    Act,
    Breakers,
    CallClass,
    RetryBudget,
    Trouble,
)
from core.venues.venue import Accepted, Cancelled, Incomplete, NeverSent, Unresolved
from tests.venues.scripted import CREATED, Desk, Script, answer

Run = Callable[[Any], Any]
UNPROVED = (Trouble.UNANSWERED, Trouble.DUPLICATE, Trouble.UNREADABLE)


def test_the_table_answers_every_question() -> None:
    assert set(TABLE) == set(CallClass)
    for row in TABLE.values():
        assert set(row) == set(Trouble)


@pytest.mark.parametrize("kind", [CallClass.PLACE, CallClass.REDUCE, CallClass.AMEND])
def test_what_may_have_left_is_never_sent_again(kind: CallClass) -> None:
    assert {TABLE[kind][trouble] for trouble in UNPROVED} == {Act.UNKNOWN}
    repeating = {Act.AT_ONCE, Act.SOME_TRIES, Act.FOR_EVER, Act.SLOWLY}
    assert {trouble for trouble, act in TABLE[kind].items() if act in repeating} <= {Trouble.UNSENT}


def test_a_cancel_is_never_given_up() -> None:
    assert set(TABLE[CallClass.CANCEL].values()) == {Act.AT_ONCE, Act.FOR_EVER, Act.LOOK_UP}


def test_second_tries_are_a_tenth_of_all_calls() -> None:
    budget, retries = RetryBudget(), 0
    for _ in range(1_000):
        budget.called()
        while budget.take():
            retries += 1
    assert retries <= 100 + RETRIES_SAVED_MAX


def test_a_429_storm_is_not_amplified(virtual: Run, virtual_clocks: Clocks) -> None:
    """N12."""

    async def main() -> None:
        script, reads = Script(answer(429, b'{"error":"too many requests"}')), 300
        desk = Desk(virtual_clocks, script)
        for _ in range(reads):
            assert isinstance(await desk.http.read(POSITIONS, "positions", Priority.RECONCILE), Incomplete)
        assert len(script.requests) <= 1.1 * reads + RETRIES_SAVED_MAX

    virtual(main())


class Moved:
    """A clock that stands where a test puts it."""

    def __init__(self) -> None:
        self.now_ns = 0

    def mono_ns(self) -> int:
        return self.now_ns

    def wall_ms(self) -> int:
        return self.now_ns // 1_000_000


def test_five_failures_open_a_class_for_five_seconds_then_one_call_finds_out() -> None:
    clock = Moved()
    breakers = Breakers(clock)
    for second in (0, 2, 4, 6, 8):
        assert not breakers.refuses(CallClass.PLACE)
        clock.now_ns = second * 10**9
        breakers.failed(CallClass.PLACE)
    assert breakers.refuses(CallClass.PLACE)
    assert not breakers.refuses(CallClass.READ), "other classes go on"
    clock.now_ns += 5 * 10**9
    assert not breakers.refuses(CallClass.PLACE)
    assert breakers.refuses(CallClass.PLACE), "one at a time"
    breakers.failed(CallClass.PLACE)
    assert breakers.refuses(CallClass.PLACE)
    clock.now_ns += 5 * 10**9
    assert not breakers.refuses(CallClass.PLACE)
    breakers.answered(CallClass.PLACE)
    assert not breakers.refuses(CallClass.PLACE) and not breakers.refuses(CallClass.PLACE)


def test_five_failures_in_a_longer_time_open_nothing() -> None:
    clock = Moved()
    breakers = Breakers(clock)
    for second in range(0, 30, 3):
        clock.now_ns = second * 10**9
        breakers.failed(CallClass.READ)
    assert not breakers.refuses(CallClass.READ)


def test_a_call_abandoned_while_finding_out_leaves_the_way_open() -> None:
    clock = Moved()
    breakers = Breakers(clock)
    for _ in range(5):
        breakers.failed(CallClass.READ)
    clock.now_ns = 5 * 10**9
    assert not breakers.refuses(CallClass.READ)
    breakers.given_up(CallClass.READ)
    assert not breakers.refuses(CallClass.READ)


def test_a_failing_venue_is_left_alone_but_cancels_are_tried(virtual: Run, virtual_clocks: Clocks) -> None:
    async def main() -> None:
        script = Script(answer(503))
        desk = Desk(virtual_clocks, script)
        for _ in range(5):
            assert isinstance(await desk.place(), Unresolved)
        assert await desk.place() == NeverSent("place calls failed 5 times: paused for 5 s")
        assert len(script.requests) == 5
        for _ in range(7):
            await desk.cancels.cancel([CancelEntry("o-1", "KX-A")])
        assert len(script.requests) == 12
        # Orders of the account can still be looked up, and a market list does not count against them.
        assert not isinstance(await desk.http.read(MARKETS, "m", Priority.BACKGROUND), Exception)
        before = len(script.requests)
        await desk.http.read(ORDERS, "orders", Priority.FLATTEN)
        assert len(script.requests) > before
        script.replies = [answer(201, CREATED)]
        await asyncio.sleep(5)
        assert isinstance(await desk.place(), Accepted)

    virtual(main())


def test_an_order_stopped_at_the_last_step_does_not_close_the_way(
    virtual: Run, virtual_clocks: Clocks
) -> None:
    async def main() -> None:
        script = Script(answer(503))
        desk = Desk(virtual_clocks, script)
        for _ in range(5):
            await desk.place()
        script.replies = [answer(201, CREATED)]
        await asyncio.sleep(5)
        assert await desk.place(lambda: "halted") == NeverSent("halted")
        assert isinstance(await desk.place(), Accepted)

    virtual(main())


def test_a_cancel_that_found_no_connection_goes_again_at_once(virtual: Run, virtual_clocks: Clocks) -> None:
    async def main() -> None:
        script = Script(httpx.ConnectError("refused"), answer(body={"order_id": "o-1", "reduced_by": "1.00"}))
        desk = Desk(virtual_clocks, script)
        outcome = await desk.cancels.cancel([CancelEntry("o-1", "KX-A")])
        assert outcome == (Cancelled("o-1", 1_000_000),)
        assert asyncio.get_running_loop().time() == 0.0

    virtual(main())


def test_a_key_that_is_not_accepted_locks_the_venue_and_a_clock_does_not(
    virtual: Run, virtual_clocks: Clocks
) -> None:
    async def main() -> None:
        for status, code, locked in (
            (401, "authentication_error", True),
            (403, "insufficient_scope", True),
            (403, "", False),  # the edge's own page says nothing about the key
            (401, "header_timestamp_expired", False),
        ):
            body = json.dumps({"error": {"code": code}}).encode() if code else b"<html>"
            desk = Desk(virtual_clocks, Script(answer(status, body)))
            await desk.http.read(POSITIONS, "positions", Priority.RECONCILE)
            assert bool(desk.lockouts) is locked, (status, code)

    virtual(main())
