"""Safety groups: armed before anything is sent, first in every stop, reset by nobody but an operator."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from core.domain.order import Life, Purpose
from core.domain.units import Quantity
from core.engine.state import Mode
from core.execution.groups import GroupState
from core.risk.halts import GLOBAL, Level
from core.risk.limits import DEFAULTS
from core.venues.venue import GroupChange
from tests.execution.bench import HOT, TRADER, Bench, only, running
from tests.virtual import VirtualLoop, run_virtual

ENTRIES, EXITS = "G1", "G2"


def state(bench: Bench, group_id: str = ENTRIES) -> GroupState:
    return bench.seat.groups.standing[group_id].state


def asked(bench: Bench) -> list[str]:
    return [call for _, call in bench.venue.calls]


async def resumed(bench: Bench) -> None:
    await bench.until(lambda: bench.engine.resume("resume", "seen to", TRADER).accepted, "resume", 60)


def test_every_order_names_the_group_of_its_purpose() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            entries, exits = (bench.venue.groups[name] for name in (ENTRIES, EXITS))
            # $100 in 15 s, but one order of the largest size must not trip it: 250 contracts and one.
            assert (entries.purpose, entries.contracts) == (Purpose.OPEN, 251)
            assert exits.purpose is Purpose.CLOSE and exits.contracts >= 100_000
            await bench.held(20)
            bench.engine.flatten(TRADER, now=True)
            await bench.until(lambda: bool(bench.venue.exits_seen), "exit", 30)
            named = {o.intent.purpose: o.intent.group_id for o in bench.venue.placed.values()}
            assert named == {Purpose.OPEN: ENTRIES, Purpose.CLOSE: EXITS}

    run_virtual(main)


@pytest.mark.parametrize("stop", ["halt", "flatten", "engine"])
def test_a_stop_triggers_the_entries_group_before_it_cancels(stop: str) -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            pressed = loop.time()
            if stop == "halt":
                bench.engine.halt("enough", TRADER)
            elif stop == "flatten":
                bench.engine.flatten(TRADER)
            else:
                bench.engine.desk.halting.rise(GLOBAL, Level.HALTED, "the day's loss limit was reached")
            await bench.until(lambda: bool(bench.venue.cancel_calls), "cancel")
            at, first = bench.venue.calls[0]
            assert first == f"trigger {ENTRIES}"
            assert at - pressed < 0.005 and at <= bench.venue.cancel_calls[0][0]
            await bench.until(lambda: not bench.order(order.intent.client_order_id).live, "proof", 5)
            assert state(bench) is GroupState.TRIGGERED and state(bench, EXITS) is GroupState.ARMED

    run_virtual(main)


def test_a_stop_reaches_an_order_whose_id_is_not_known_yet() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            card = await bench.card()
            bench.venue.faults.lose_answers = 1
            bench.venue.faults.list_lag_s = 1_000.0
            bench.approve(card)
            await bench.until(lambda: bool(bench.venue.placed), "arrival")
            bench.engine.halt("enough", TRADER)
            await asyncio.sleep(0.2)
            assert not bench.venue.only().open, "the group's trigger needs no id"

    run_virtual(main)


def test_what_the_venue_trips_stays_tripped_until_an_operator_resumes() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(20)
            client = next(iter(bench.engine.desk.ledger.live))
            bench.venue.trip(ENTRIES)
            await bench.until(lambda: bench.order(client).life is Life.CANCELLED, "reconciled", 10)
            desk = bench.engine.desk
            halt = desk.halting.level("", HOT)
            assert halt is not None and halt.level is Level.REDUCE_ONLY and "safety group" in halt.cause
            assert any(
                "safety group" in a.what and a.level.value == "ACT" for a in desk.state.alarms.values()
            )
            await asyncio.sleep(90)
            assert not [call for call in asked(bench) if call.startswith("reset")]
            assert only(desk).groups.refusal(HOT, Purpose.OPEN) and not only(desk).groups.refusal(
                HOT, Purpose.CLOSE
            )
            assert "Acknowledge" in bench.engine.resume("resume", "unseen", TRADER).text
            assert bench.engine.acknowledge_all(TRADER).accepted
            await resumed(bench)
            await bench.until(lambda: state(bench) is GroupState.ARMED, "reset", 5)
            assert asked(bench).count(f"reset {ENTRIES}") == 1
            assert bench.engine.unpause("", "unpause", TRADER).accepted
            assert (await bench.sent()).life is Life.WORKING

    run_virtual(main)


@pytest.mark.parametrize(
    ("reset_told", "wait_s", "trips"), [(False, 0, False), (True, 0, True), (False, 6, True)]
)
def test_a_trigger_told_late_is_no_trip_after_the_reset_that_undid_it(
    reset_told: bool, wait_s: float, trips: bool
) -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            bench.engine.halt("enough", TRADER)
            await bench.until(lambda: state(bench) is GroupState.TRIGGERED, "trigger", 5)
            await resumed(bench)
            await bench.until(lambda: state(bench) is GroupState.ARMED, "reset", 5)
            if reset_told:
                bench.seat.groups.heard(ENTRIES, GroupChange.RESET)
            await asyncio.sleep(wait_s)
            bench.seat.groups.heard(ENTRIES, GroupChange.TRIGGERED)
            assert (state(bench) is GroupState.TRIGGERED) is trips
            assert (bench.engine.desk.halting.level("", HOT) is not None) is trips

    run_virtual(main)


def test_a_refusal_is_believed_at_once_also_after_a_reset() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            bench.engine.halt("enough", TRADER)
            await bench.until(lambda: state(bench) is GroupState.TRIGGERED, "trigger", 5)
            await resumed(bench)
            await bench.until(lambda: state(bench) is GroupState.ARMED, "reset", 5)
            bench.seat.groups.heard(ENTRIES, GroupChange.REFUSING)
            assert state(bench) is GroupState.TRIGGERED
            assert bench.engine.desk.halting.level("", HOT) is not None

    run_virtual(main)


def test_a_trip_heard_only_by_a_refused_order_counts_the_same() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            bench.seat.groups.heard(ENTRIES, GroupChange.REFUSING)
            assert state(bench) is GroupState.TRIGGERED
            assert bench.engine.desk.halting.level("", HOT) is not None
            bench.seat.groups.heard(ENTRIES, GroupChange.TRIGGERED)
            assert sum("triggered by the venue" in row.payload for row in bench.journal.rows) == 1

    run_virtual(main)


def test_a_removed_group_stops_entries_and_is_replaced() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            del bench.venue.groups[ENTRIES]
            bench.seat.groups.heard(ENTRIES, GroupChange.REMOVED)
            assert bench.seat.groups.missing
            assert bench.engine.desk.halting.level("", HOT) is not None
            await bench.until(lambda: not bench.seat.groups.missing, "armed again", 20)

    run_virtual(main)


def test_without_groups_automatic_mode_is_refused_and_semi_automatic_warns() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, ready=False) as bench:
            bench.venue.faults.refuse_groups = True
            await bench.until(lambda: bench.engine.state.ready, "ready")
            for ticker in bench.engine.state.markets:
                bench.venue.quote(ticker, 40, 60)
            bench.quiet()
            bench.venue.quote(HOT, 38, 42)
            auto = bench.engine.set_mode("auto", "automatic", "", TRADER)
            assert not auto.accepted and "safety groups" in auto.text
            assert any("safety groups" in a.what for a in bench.engine.state.alarms.values())
            order = await bench.sent()
            assert order.life is Life.WORKING and order.intent.group_id == ""
            bench.venue.faults.refuse_groups = False
            await bench.until(lambda: not bench.seat.groups.missing, "armed", 10)
            assert bench.engine.set_mode("auto", "automatic", "", TRADER).accepted
            assert bench.engine.state.mode is Mode.AUTO

    run_virtual(main)


def test_an_exit_never_names_a_group_that_would_refuse_it() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(20)
            bench.venue.trip(EXITS)
            await asyncio.sleep(0.1)
            bench.engine.flatten(TRADER, now=True)
            await bench.until(lambda: bench.venue.net[HOT] == 0, "flat", 60)
            assert all(exit_.group_id == "" for exit_ in bench.venue.exits_seen)

    run_virtual(main)


def test_a_restart_takes_its_groups_over_as_they_stand() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            bench.engine.halt("enough", TRADER)
            await bench.until(lambda: state(bench) is GroupState.TRIGGERED, "triggered")
            rows, venue = list(bench.journal.rows), bench.venue
        async with running(loop, venue=venue, history=rows, ready=False, run="r2") as again:
            await again.until(lambda: again.engine.state.ready, "ready")
            assert set(venue.groups) == {ENTRIES, EXITS}, "none was opened beside them"
            assert state(again) is GroupState.TRIGGERED
            again.engine.acknowledge_all(TRADER)
            await resumed(again)
            await again.until(lambda: state(again) is GroupState.ARMED, "reset", 5)

    run_virtual(main)


def test_a_resume_that_died_before_the_reset_can_be_repeated() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            bench.engine.halt("enough", TRADER)
            await bench.until(lambda: state(bench) is GroupState.TRIGGERED, "triggered")
            bench.venue.faults.refuse_groups = True
            await resumed(bench)
            assert state(bench) is GroupState.RESETTING
            rows, venue = list(bench.journal.rows), bench.venue
        venue.faults.refuse_groups = False
        async with running(loop, venue=venue, history=rows, ready=False, run="r2") as again:
            await again.until(lambda: again.engine.state.ready, "ready")
            assert state(again) is GroupState.TRIGGERED
            again.engine.acknowledge_all(TRADER)
            await resumed(again)
            await again.until(lambda: state(again) is GroupState.ARMED, "reset", 5)

    run_virtual(main)


def test_a_stop_during_a_reset_has_the_last_word() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            bench.engine.halt("enough", TRADER)
            await bench.until(lambda: state(bench) is GroupState.TRIGGERED, "triggered")
            bench.venue.faults.request_s = 0.5
            await resumed(bench)
            await asyncio.sleep(0.2)
            bench.venue.faults.request_s = 0.0  # the trigger overtakes the reset
            bench.engine.halt("enough after all", TRADER)
            await asyncio.sleep(2)
            assert ENTRIES in bench.venue.triggered and state(bench) is GroupState.TRIGGERED
            assert asked(bench)[-1] == f"trigger {ENTRIES}"

    run_virtual(main)


def test_a_trigger_without_an_answer_is_repeated_until_there_is_one() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            bench.venue.faults.refuse_groups = True
            bench.engine.halt("enough", TRADER)
            await asyncio.sleep(10)
            assert asked(bench).count(f"trigger {ENTRIES}") >= 9
            assert state(bench) is GroupState.TRIGGERING
            bench.venue.faults.refuse_groups = False
            await bench.until(lambda: state(bench) is GroupState.TRIGGERED, "triggered", 3)

    run_virtual(main)


def test_the_groups_follow_the_velocity_limit() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            assert bench.engine.set_limit("order_contracts_max", "40", "", "", TRADER).accepted
            await asyncio.sleep(0.1)
            assert asked(bench) == [f"limit {ENTRIES} 101"], "one hundred dollars are a hundred contracts"

    run_virtual(main)


def test_a_group_taken_over_gets_todays_limit() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            rows, venue = list(bench.journal.rows), bench.venue
        smaller = msgspec.structs.replace(DEFAULTS, order_contracts_max=Quantity(40_000_000))
        venue.calls.clear()
        async with running(loop, venue=venue, history=rows, ready=False, run="r2", ceilings=smaller) as again:
            await again.until(lambda: again.engine.state.ready, "ready")
            await asyncio.sleep(0.1)
            assert asked(again) == [f"limit {ENTRIES} 101"]

    run_virtual(main)


@pytest.mark.parametrize("call", ["arm_groups", "limit_group", "trigger_group", "reset_group"])
def test_a_group_removed_while_the_venue_answers_about_it_stays_gone(call: str) -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            honest, groups = getattr(bench.venue, call), bench.seat.groups
            if call == "reset_group":
                groups.trigger(Purpose.OPEN, "test")
                await bench.until(lambda: state(bench) is GroupState.TRIGGERED, "triggered")

            async def removed_meanwhile(*asked: object) -> object:
                answer = await honest(*asked)
                bench.venue.groups.pop(ENTRIES, None)
                bench.venue.listener.on_group(ENTRIES, GroupChange.REMOVED)
                return answer

            setattr(bench.venue, call, removed_meanwhile)
            match call:
                case "arm_groups":
                    assert not await groups.arm()
                case "limit_group":
                    assert bench.engine.set_limit("order_contracts_max", "40", "", "", TRADER).accepted
                case "trigger_group":
                    groups.trigger(Purpose.OPEN, "test")
                case _:
                    groups.reset("test")
            await asyncio.sleep(0.2)
            assert ENTRIES not in groups.standing and "is gone" in groups.missing
            noted = [row.data() for row in bench.journal.rows if row.kind == "GROUP"]
            assert noted[-1]["state"] is None

    run_virtual(main)
