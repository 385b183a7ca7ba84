"""The end of an engine is a decision: what each one leaves at the venue, and what it says it leaves."""

from __future__ import annotations

import asyncio

import msgspec

from core.control.process import pulses
from core.domain.order import Life
from core.domain.units import Price
from core.watchdog.watch import Suspicion, Watch
from tests.execution.bench import HOT, TRADER, VIEWER, Bench, running
from tests.virtual import VirtualLoop, run_virtual


def last_words(bench: Bench) -> str:
    return str(next(r for r in reversed(bench.journal.rows) if r.kind == "STOP").data()["text"])


def test_keeping_leaves_what_rests_to_its_own_expiry_and_says_when() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            told = bench.engine.stop("deploy", TRADER, "keep")
            assert told.accepted and "1 order may rest, the last one ends by its own expiry" in told.text
            await bench.until(lambda: "STOP" in bench.kinds(), "stop", 5)
            assert not bench.venue.cancel_calls and bench.venue.only().open
            assert "1 order may rest" in last_words(bench)
            pulse, _ = pulses(bench.engine, "r1")
            last = pulse()
            assert last is not None and last.live == 1
            watch = Watch(0, 10)
            watch.heard(msgspec.structs.replace(last, leaving=True), 0)
            assert watch.suspicion(1_000) is Suspicion.NONE, "the watchdog leaves it alone too"
            history, venue = list(bench.journal.rows), bench.venue
        await asyncio.sleep(130)
        venue._expire()
        async with running(loop, venue=venue, history=history, ready=False, run="r2") as again:
            assert again.order(order.intent.client_order_id).life is Life.WORKING, "until it has been read"
            await again.until(lambda: again.engine.state.ready, "ready")
            assert again.order(order.intent.client_order_id).life is Life.EXPIRED, "nobody renewed it"

    run_virtual(main)


def test_keeping_waits_for_the_answer_of_what_is_on_its_way() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            card = await bench.card()
            bench.venue.faults.answer_s = 2.0
            assert bench.approve(card).accepted
            (client,) = bench.engine.desk.ledger.of_proposal[card.id]
            await bench.until(lambda: bool(bench.venue.placed), "sent", 5)
            bench.engine.stop("", TRADER, "keep")
            await bench.until(lambda: "STOP" in bench.kinds(), "stop", 5)
            assert bench.order(client).life is Life.WORKING

    run_virtual(main)


def test_cancelling_is_the_default_and_asking_again_does_not_shorten_it() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.sent()
            bench.venue.faults.refuse_cancels = 8
            bench.engine.stop("SIGTERM", TRADER)
            await asyncio.sleep(1)
            again = bench.engine.stop("SIGTERM", TRADER, "keep")
            assert again.accepted and "already" in again.text
            await asyncio.sleep(1)
            assert "STOP" not in bench.kinds()
            await bench.until(lambda: "STOP" in bench.kinds(), "stop", 20)
            assert not bench.venue.only().open, "cancelled, not kept"

    run_virtual(main)


def test_what_cannot_be_proved_dead_is_named_after_the_budget() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.sent()
            bench.venue.faults.refuse_cancels = 1_000
            began = loop.time()
            bench.engine.stop("", TRADER)
            await bench.until(lambda: "STOP" in bench.kinds(), "stop", 25)
            assert 19.5 < loop.time() - began < 21
            assert "not proved dead: 1 order may rest, the last one ends" in last_words(bench)

    run_virtual(main)


def test_a_disk_that_hangs_does_not_hold_up_the_end() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            (engine,) = (task for task in asyncio.all_tasks() if task.get_name() == "engine")
            never: asyncio.Future[bool] = loop.create_future()
            bench.journal.durable = lambda seq: never  # type: ignore[method-assign]
            bench.engine.stop("SIGTERM", TRADER)
            await asyncio.wait([engine], timeout=10)
            assert engine.done() and "STOP" in bench.kinds()

    run_virtual(main)


def test_flattening_first_ends_the_engine_only_once_it_is_flat() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(8)
            told = bench.engine.stop("home", TRADER, "flatten")
            assert told.accepted and "once it is flat" in told.text
            await bench.until(lambda: "STOP" in bench.kinds(), "stop", 60)
            assert not bench.venue.net.get(HOT)
            kinds = bench.kinds()
            assert kinds.index("FLATTEN_END") < kinds.index("STOP")

    run_virtual(main)


def test_a_flatten_that_is_taken_back_keeps_the_engine() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(8)
            bench.engine.stop("home", TRADER, "flatten")
            await asyncio.sleep(1)
            assert bench.engine.abort_flatten(TRADER).accepted
            await asyncio.sleep(10)
            assert "STOP" not in bench.kinds()
            alarms = [a.what for a in bench.engine.state.alarms.values()]
            assert any("the engine goes on" in what and "ABORTED" in what for what in alarms)
            assert bench.engine.stop("", TRADER).accepted, "a plain stop still ends it"
            await bench.until(lambda: "STOP" in bench.kinds(), "stop", 25)

    run_virtual(main)


def test_a_stop_at_once_overtakes_one_that_waits_to_be_flat() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(8)
            bench.engine.stop("home", TRADER, "flatten")
            await asyncio.sleep(0.5)
            bench.engine.stop("SIGTERM", TRADER)
            await bench.until(lambda: "STOP" in bench.kinds(), "stop", 5)

    run_virtual(main)


def test_a_stop_sends_no_exit_either() -> None:
    """One of its last seconds could not be proved gone before the engine is."""

    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(8)
            bench.venue.faults.refuse_cancels = 1_000
            sent = len(bench.venue.placed)
            bench.engine.stop("SIGTERM", TRADER)
            await asyncio.sleep(1)
            assert "STOP" not in bench.kinds(), "the rest of the purchase is not proved dead"
            told = bench.engine.rest_exit(HOT, Price(9_000), TRADER)
            assert not told.accepted and "the engine stops" in told.text
            await bench.until(lambda: "STOP" in bench.kinds(), "stop", 25)
            assert len(bench.venue.placed) == sent

    run_virtual(main)


def test_odd_words_and_viewers_end_nothing() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            assert not bench.engine.stop("", TRADER, "burn").accepted
            assert not bench.engine.stop("", VIEWER).accepted
            await asyncio.sleep(1)
            assert "STOP" not in bench.kinds()

    run_virtual(main)
