"""Who gets tokens, when, and that the venue's bucket is never overdrawn. All on virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.domain.clock import Clocks
from core.venues.limiter import QUEUE_MAX, Capacity, Kind, Limiter, Priority, Refused

Run = Callable[[Any], Any]
SMALL = {Kind.READ: Capacity(20, 40), Kind.WRITE: Capacity(100, 100), Kind.BALANCE: Capacity(1, 1)}


def now_s() -> float:
    return asyncio.get_running_loop().time()


async def ask(
    limiter: Limiter, log: list[tuple[str, float]], name: str, priority: Priority, cost: float, **more: Any
) -> Refused | None:
    answer = await limiter.admit(Kind.WRITE, priority, cost, **more)
    log.append((name if answer is None else f"{name} refused", now_s()))
    return answer


async def drain(limiter: Limiter) -> None:
    """Take what is there so that everybody has to wait."""
    await limiter.admit(Kind.WRITE, Priority.CANCEL, 100)


def test_levels_tell_what_cancels_could_draw_and_who_waits(virtual: Run, virtual_clocks: Clocks) -> None:
    async def main() -> None:
        limiter = Limiter(virtual_clocks, SMALL)
        await drain(limiter)
        waiting = asyncio.ensure_future(limiter.admit(Kind.WRITE, Priority.EXIT, 10))
        await asyncio.sleep(0.05)
        levels = {level.kind: level for level in limiter.levels()}
        assert set(levels) == set(SMALL)
        write = levels[Kind.WRITE]
        assert (round(write.left, 6), write.capacity.burst, write.waiting) == (5.0, 100, 1)
        assert levels[Kind.READ].left == 40 and levels[Kind.READ].pace == 0.7
        limiter.throttled(Kind.READ, 2.0)
        read = next(level for level in limiter.levels() if level.kind is Kind.READ)
        assert read.left < 0 and read.pace == 0.35, "a venue that refuses is owed, and asked half as often"
        await waiting

    virtual(main())


def test_the_most_urgent_goes_first(virtual: Run, virtual_clocks: Clocks) -> None:
    async def main() -> None:
        limiter, log = Limiter(virtual_clocks, SMALL), []
        await drain(limiter)
        async with asyncio.TaskGroup() as tasks:
            for name, priority in (
                ("exit", Priority.EXIT),
                ("flatten", Priority.FLATTEN),
                ("cancel", Priority.CANCEL),
            ):
                tasks.create_task(ask(limiter, log, name, priority, 10))
                await asyncio.sleep(0)
        assert [name for name, _ in log] == ["cancel", "flatten", "exit"]
        # A cancel waits for the venue's own rate alone: 10 tokens at 100 a second.
        assert log[0][1] == pytest.approx(0.1, abs=0.01)

    virtual(main())


def test_a_cancel_passes_a_full_queue(virtual: Run, virtual_clocks: Clocks) -> None:
    async def main() -> None:
        limiter, log = Limiter(virtual_clocks, SMALL), []
        # The paced bucket is empty, the venue's is not: everybody but a cancel waits.
        await limiter.admit(Kind.WRITE, Priority.FLATTEN, 90)
        waiting = [
            asyncio.create_task(ask(limiter, log, "exit", Priority.EXIT, 20)) for _ in range(QUEUE_MAX)
        ]
        await asyncio.sleep(0)
        assert await ask(limiter, log, "cancel", Priority.CANCEL, 10) is None
        assert log == [("cancel", 0.0)]
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    virtual(main())


def test_an_entry_dies_after_a_second(virtual: Run, virtual_clocks: Clocks) -> None:
    async def main() -> None:
        limiter, log = Limiter(virtual_clocks, SMALL), []
        await drain(limiter)
        answer = await ask(limiter, log, "entry", Priority.ENTRY, 65)
        assert isinstance(answer, Refused) and "1 s" in answer.reason
        assert log[0][1] == pytest.approx(1.0, abs=0.01)

    virtual(main())


def test_entries_leave_the_reserve(virtual: Run, virtual_clocks: Clocks) -> None:
    async def main() -> None:
        limiter = Limiter(virtual_clocks, SMALL)
        assert limiter.entry_free(10, cancels_cost=60)
        assert limiter.entry_free(70, cancels_cost=2)
        assert not limiter.entry_free(71, cancels_cost=2)
        assert not limiter.entry_free(10, cancels_cost=91)
        refused = await limiter.admit(Kind.WRITE, Priority.ENTRY, 10, cancels_cost=91)
        assert isinstance(refused, Refused)
        for _ in range(7):
            assert await limiter.admit(Kind.WRITE, Priority.ENTRY, 10) is None
        assert now_s() == 0.0
        assert not limiter.entry_free(10, cancels_cost=0)

    virtual(main())


def test_a_full_queue_pushes_out_the_least_urgent(virtual: Run, virtual_clocks: Clocks) -> None:
    async def main() -> None:
        limiter, log = Limiter(virtual_clocks, SMALL), []
        await drain(limiter)
        waiting = [
            asyncio.create_task(ask(limiter, log, f"entry {n}", Priority.ENTRY, 1)) for n in range(QUEUE_MAX)
        ]
        await asyncio.sleep(0)
        late = await limiter.admit(Kind.WRITE, Priority.ENTRY, 1)
        assert late == Refused("the limiter's queue is full")
        urgent = asyncio.create_task(ask(limiter, log, "exit", Priority.EXIT, 1))
        await asyncio.gather(urgent, *waiting)
        assert log[0][0] == f"entry {QUEUE_MAX - 1} refused"
        assert log[1][0] == "exit"

    virtual(main())


def test_background_reads_age_but_never_pass_exits(virtual: Run, virtual_clocks: Clocks) -> None:
    async def main() -> None:
        limiter, log = Limiter(virtual_clocks, SMALL), []

        async def read(name: str, priority: Priority) -> None:
            await limiter.admit(Kind.READ, priority, 14)
            log.append(name)

        await limiter.admit(Kind.READ, Priority.CANCEL, 40)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(read("old background", Priority.BACKGROUND))
            for n in range(8):
                tasks.create_task(read(f"reconcile {n}", Priority.RECONCILE))
                await asyncio.sleep(0.9)
            tasks.create_task(read("look-up", Priority.FLATTEN))
        assert log.index("old background") < 7
        assert log.index("look-up") < log.index("reconcile 7")

    virtual(main())


def test_a_429_empties_the_bucket_and_slows_the_pace(virtual: Run, virtual_clocks: Clocks) -> None:
    async def main() -> None:
        limiter = Limiter(virtual_clocks, SMALL)
        limiter.throttled(Kind.WRITE)
        await limiter.admit(Kind.WRITE, Priority.EXIT, 35)
        # Half of 70 a second.
        assert now_s() == pytest.approx(1.0, abs=0.01)
        started = now_s()
        await limiter.admit(Kind.WRITE, Priority.CANCEL, 10)
        assert now_s() - started < 0.11

    virtual(main())


def test_three_429s_switch_entries_and_background_off_for_a_minute(
    virtual: Run, virtual_clocks: Clocks
) -> None:
    async def main() -> None:
        limiter = Limiter(virtual_clocks, SMALL)
        for _ in range(3):
            limiter.throttled(Kind.READ)
            await asyncio.sleep(4)
        assert limiter.storm()
        assert isinstance(await limiter.admit(Kind.WRITE, Priority.ENTRY, 10), Refused)
        assert isinstance(await limiter.admit(Kind.READ, Priority.BACKGROUND, 10), Refused)
        assert await limiter.admit(Kind.READ, Priority.RECONCILE, 10) is None
        assert not limiter.entry_free(10, 0)
        await asyncio.sleep(57)
        assert not limiter.storm()
        assert await limiter.admit(Kind.WRITE, Priority.ENTRY, 10) is None

    virtual(main())


def test_a_request_larger_than_the_bucket_is_refused_at_once(virtual: Run, virtual_clocks: Clocks) -> None:
    async def main() -> None:
        limiter = Limiter(virtual_clocks, SMALL)
        assert isinstance(await limiter.admit(Kind.WRITE, Priority.CANCEL, 101), Refused)

    virtual(main())


def test_a_cancelled_wait_frees_its_place(virtual: Run, virtual_clocks: Clocks) -> None:
    async def main() -> None:
        limiter, log = Limiter(virtual_clocks, SMALL), []
        await drain(limiter)
        first = asyncio.create_task(ask(limiter, log, "first", Priority.FLATTEN, 100))
        second = asyncio.create_task(ask(limiter, log, "second", Priority.EXIT, 7))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.gather(first, second, return_exceptions=True)
        assert log == [("second", pytest.approx(0.1, abs=0.01))]

    virtual(main())


requests = st.lists(
    st.tuples(st.integers(0, 1_000), st.sampled_from(Priority), st.integers(1, 60)), min_size=1, max_size=60
)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(requests)
def test_what_is_sent_always_fits_the_venues_bucket(
    virtual: Run, virtual_clocks: Clocks, asked: list[tuple[int, Priority, int]]
) -> None:
    async def main() -> list[tuple[float, int]]:
        limiter, sent = Limiter(virtual_clocks, SMALL), []

        async def one(delay_ms: int, priority: Priority, cost: int) -> None:
            await asyncio.sleep(delay_ms / 1_000)
            if await limiter.admit(Kind.WRITE, priority, cost) is None:
                sent.append((now_s(), cost))

        async with asyncio.TaskGroup() as tasks:
            for row in asked:
                tasks.create_task(one(*row))
        return sent

    level, at = 100.0, 0.0
    for moment, cost in virtual(main()):
        level, at = min(100.0, level + (moment - at) * 100), moment
        level -= cost
        assert level >= -1e-3


def test_a_venue_that_names_a_time_is_left_alone_that_long(virtual: Run, virtual_clocks: Clocks) -> None:
    async def main() -> None:
        limiter = Limiter(virtual_clocks, SMALL)
        limiter.throttled(Kind.WRITE, after_s=3.0)
        await limiter.admit(Kind.WRITE, Priority.CANCEL, 10)
        assert now_s() == pytest.approx(3.1, abs=0.01)

    virtual(main())


def test_a_storm_is_told_once(virtual: Run, virtual_clocks: Clocks) -> None:
    async def main() -> None:
        storms: list[str] = []
        limiter = Limiter(virtual_clocks, SMALL, on_storm=storms.append)
        for _ in range(5):
            limiter.throttled(Kind.READ)
        assert len(storms) == 1

    virtual(main())


def test_each_shard_has_a_write_bucket_of_its_own(virtual: Run, virtual_clocks: Clocks) -> None:
    async def main() -> None:
        limiter = Limiter(virtual_clocks, SMALL)
        for shard in (0, 2):
            assert await limiter.admit(Kind.WRITE, Priority.CANCEL, 100, shard=shard) is None
        assert now_s() == 0.0
        await limiter.admit(Kind.WRITE, Priority.CANCEL, 50, shard=2)
        assert now_s() == pytest.approx(0.5, abs=0.01)
        # An order the venue has to route is billed everywhere.
        await limiter.admit(Kind.WRITE, Priority.CANCEL, 50, shard=None)
        await limiter.admit(Kind.WRITE, Priority.CANCEL, 50, shard=2)
        assert now_s() == pytest.approx(1.5, abs=0.01)

    virtual(main())


def test_an_entry_on_another_shard_leaves_the_first_bucket_enough_for_every_cancel(
    virtual: Run, virtual_clocks: Clocks
) -> None:
    async def main() -> None:
        limiter = Limiter(virtual_clocks, SMALL)
        await limiter.admit(Kind.WRITE, Priority.CANCEL, 60)
        assert limiter.entry_free(10, cancels_cost=40, shard=2)
        assert not limiter.entry_free(10, cancels_cost=41, shard=2)
        refused = await limiter.admit(Kind.WRITE, Priority.ENTRY, 10, cancels_cost=41, shard=2)
        assert isinstance(refused, Refused)

    virtual(main())


def test_a_smaller_bucket_refuses_what_can_never_fit_and_lets_the_rest_move(
    virtual: Run, virtual_clocks: Clocks
) -> None:
    async def main() -> None:
        limiter, log = Limiter(virtual_clocks, SMALL), []
        await drain(limiter)
        tasks = [
            asyncio.create_task(ask(limiter, log, "large", Priority.FLATTEN, 90)),
            asyncio.create_task(ask(limiter, log, "small", Priority.EXIT, 7)),
        ]
        await asyncio.sleep(0)
        limiter.resize(Kind.WRITE, Capacity(50, 50))
        await asyncio.gather(*tasks)
        assert [name for name, _ in log] == ["large refused", "small"]

    virtual(main())


def test_a_larger_bucket_is_not_full_at_once(virtual: Run, virtual_clocks: Clocks) -> None:
    async def main() -> None:
        limiter = Limiter(virtual_clocks, SMALL)
        await drain(limiter)
        limiter.resize(Kind.WRITE, Capacity(200, 400))
        await limiter.admit(Kind.WRITE, Priority.CANCEL, 100)
        assert now_s() == pytest.approx(0.5, abs=0.01)

    virtual(main())


def test_a_cancel_is_never_refused_for_a_full_queue(virtual: Run, virtual_clocks: Clocks) -> None:
    async def main() -> None:
        limiter, log = Limiter(virtual_clocks, SMALL), []
        await drain(limiter)
        async with asyncio.TaskGroup() as tasks:
            for _ in range(QUEUE_MAX + 5):
                tasks.create_task(ask(limiter, log, "cancel", Priority.CANCEL, 1))
        assert {name for name, _ in log} == {"cancel"}

    virtual(main())


def test_a_suspended_machine_mints_no_more_than_a_burst(virtual: Run, virtual_clocks: Clocks) -> None:
    async def main() -> None:
        limiter = Limiter(virtual_clocks, SMALL)
        await drain(limiter)
        await asyncio.sleep(3_600)
        await limiter.admit(Kind.WRITE, Priority.CANCEL, 100)
        before = now_s()
        await limiter.admit(Kind.WRITE, Priority.CANCEL, 50)
        assert now_s() - before == pytest.approx(0.5, abs=0.01)

    virtual(main())


def test_what_was_decided_is_told_soon_when_it_hurts_and_seldom_when_not(
    virtual: Run, virtual_clocks: Clocks
) -> None:
    async def main() -> None:
        told: list[tuple[float, str]] = []
        limiter = Limiter(virtual_clocks, SMALL, on_report=lambda report: told.append((now_s(), str(report))))
        for _ in range(3):
            await limiter.admit(Kind.READ, Priority.RECONCILE, 1)
        await limiter.admit(Kind.READ, Priority.BACKGROUND, 1)
        await asyncio.sleep(59)
        assert told == []
        await asyncio.sleep(1)
        assert told == [(60.0, "reconcile 3")]
        limiter.throttled(Kind.WRITE)
        await limiter.admit(Kind.WRITE, Priority.CANCEL, 10)
        await ask(limiter, [], "entry", Priority.ENTRY, 65)
        await asyncio.sleep(1.1)
        assert told[1][1] == "cancel 1, waited up to 100 ms; 1 x 429"
        assert told[2][1].startswith("entry 0, 1 refused (waited 1 s")
        await asyncio.sleep(600)
        assert len(told) == 3

    virtual(main())


APART = {Kind.WRITE: Capacity(100, 100), Kind.CANCEL: Capacity(10, 50)}


def test_cancels_with_a_bucket_of_their_own_are_reserved_there(virtual: Run, virtual_clocks: Clocks) -> None:
    async def main() -> None:
        limiter = Limiter(virtual_clocks, APART)
        # The cancels of everything open do not come out of what orders are paid from.
        assert limiter.entry_free(10, cancels_cost=50)
        assert limiter.entry_free(70, cancels_cost=50)
        assert not limiter.entry_free(71, cancels_cost=0)
        assert not limiter.entry_free(10, cancels_cost=51)
        limiter.charge(Kind.CANCEL, 20)
        assert not limiter.entry_free(10, cancels_cost=31)
        assert isinstance(await limiter.admit(Kind.WRITE, Priority.ENTRY, 10, cancels_cost=31), Refused)
        await asyncio.sleep(0.1)
        assert limiter.entry_free(10, cancels_cost=31)

    virtual(main())


def test_what_a_call_cost_beyond_its_price_delays_the_next(virtual: Run, virtual_clocks: Clocks) -> None:
    async def main() -> None:
        limiter = Limiter(virtual_clocks, APART)
        limiter.charge(Kind.CANCEL, 70)
        await limiter.admit(Kind.CANCEL, Priority.CANCEL, 1)
        assert now_s() == pytest.approx(2.1, abs=0.01)

    virtual(main())
