"""An alarm rings again when its condition gets worse or comes back after a person has resumed."""

from __future__ import annotations

import asyncio

import msgspec

from core.engine.alarms import ALARMS_MAX, CLEARED_SHOWN_NS, SHELF_MIN_MAX
from core.engine.judging import judge
from core.engine.state import Alarm, AlarmLevel
from core.execution.ladder import Ladder, Phase
from core.journal.events import Kind
from core.risk.halts import Level
from tests.execution.bench import HOT, TRADER, Bench, only, running
from tests.virtual import VirtualLoop, run_virtual


def standing(bench: Bench, words: str) -> list[Alarm]:
    return [a for a in bench.engine.state.alarms.values() if a.active and words in a.what]


def test_a_condition_that_gets_worse_rings_again_though_it_was_seen() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            alarms = bench.engine.desk.alarms
            alarms.raise_("loss", AlarmLevel.CHECK, "lost 60 %")
            (first,) = standing(bench, "lost")
            assert alarms.acknowledge(first.id, "x")
            alarms.raise_("loss", AlarmLevel.CHECK, "lost 61 %")
            assert [a.id for a in standing(bench, "lost")] == [first.id], "other words are the same alarm"
            alarms.raise_("loss", AlarmLevel.ACT, "lost all of it")
            (worse,) = standing(bench, "lost")
            assert worse.level is AlarmLevel.ACT and not worse.acknowledged
            alarms.raise_("loss", AlarmLevel.CHECK, "lost 61 %")
            assert standing(bench, "lost") == [worse], "it does not get better by itself"

    run_virtual(main)


def test_resuming_ends_what_stood_until_then_and_the_next_halt_rings() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            engine, ears = bench.engine, bench.engine._ears
            ears.halt_market(HOT, "fills do not come")
            (first,) = standing(bench, "fills do not come")
            assert engine.acknowledge(first.id, TRADER).accepted
            only(engine.desk).reconciler.request("look")
            await asyncio.sleep(1)
            assert engine.resume("resume", "looked", TRADER).accepted
            assert not standing(bench, "fills do not come")
            ears.halt_market(HOT, "fills do not come")
            (again,) = standing(bench, "fills do not come")
            assert not again.acknowledged

    run_virtual(main)


def test_what_a_stop_left_is_seen_before_the_desk_goes_on() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            engine, ears = bench.engine, bench.engine._ears
            ladder = Ladder(bench.clock.mono_ns(), 0, "console 7", cancelling=(), selling=1)
            engine.desk.halting.flatten_begins("console 7")
            ears.on_ladder(ladder)
            ladder.phase, ladder.receipt = Phase.UNFLATTENED, "NOT FLAT, 1 market left"
            ears.on_ladder(ladder)
            await asyncio.sleep(6)
            (left,) = standing(bench, "NOT FLAT")
            refused = engine.resume("resume", "looked", TRADER)
            assert not refused.accepted and "Acknowledge alarm" in refused.text, refused.text
            assert engine.acknowledge(left.id, TRADER).accepted
            assert engine.state.halts.desk is Level.LOCKED, "seeing it lets nothing go on"
            told = engine.resume("resume", "looked", TRADER)
            assert told.accepted, told.text
            assert not left.active

    run_virtual(main)


def test_a_gate_check_that_fails_to_run_denies_and_calls_somebody_once() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            card = await bench.card()
            good = bench.engine.state.limits
            broken = msgspec.structs.replace(good.current, order_contracts_max="many")
            bench.engine.state.limits = msgspec.structs.replace(good, current=broken)
            rows = len(bench.journal.rows)
            for _ in range(20):
                verdict = judge(bench.engine.desk, card.candidate)
                assert any(denial.code == "G05" for denial in verdict.denials)
            (alarm,) = standing(bench, "a gate check failed: G05")
            assert alarm.level is AlarmLevel.ACT
            assert len(bench.journal.rows) == rows + 1, "told once, not at every look"

    run_virtual(main)


def test_what_comes_and_goes_is_one_line_and_one_row_unless_somebody_must_act_on_it() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            alarms = bench.engine.desk.alarms
            for level, rows in ((AlarmLevel.CHECK, 1), (AlarmLevel.ACT, 50)):
                before = bench.kinds().count("ALARM")
                for n in range(50):
                    alarms.raise_(f"flap {level.value}", level, f"book {n} crossed")
                    alarms.clear(f"flap {level.value}")
                assert bench.kinds().count("ALARM") - before == rows, level
            (checked,) = [a for a in bench.engine.state.alarms.values() if a.level is AlarmLevel.CHECK]
            assert (checked.what, checked.times, checked.kind) == ("book 49 crossed", 50, "flap")
            await asyncio.sleep(CLEARED_SHOWN_NS / 1e9 + 1)
            alarms.tick()
            alarms.raise_("flap CHECK", AlarmLevel.CHECK, "book crossed")
            (anew,) = standing(bench, "book crossed")
            assert anew.times == 1, "long after it is news again"
            assert alarms.acknowledge(anew.id, "x")
            alarms.clear("flap CHECK")
            alarms.raise_("flap CHECK", AlarmLevel.CHECK, "book crossed")
            (again,) = standing(bench, "book crossed")
            assert again.id != anew.id and not again.acknowledged, "and after somebody has seen it"
            alarms.clear("flap CHECK")
            alarms.raise_("flap CHECK", AlarmLevel.ACT, "book crossed")
            (worse,) = standing(bench, "book crossed")
            assert worse.level is AlarmLevel.ACT and worse.id != again.id, "nor when it comes worse"
            alarms.clear("flap CHECK")
            alarms.raise_("flap CHECK", AlarmLevel.CHECK, "book crossed")
            (milder,) = standing(bench, "book crossed")
            assert milder.level is AlarmLevel.CHECK and milder.id != worse.id

    run_virtual(main)


def test_entries_are_not_let_go_under_a_halt() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            bench.engine.halt("test", TRADER)
            assert bench.engine.state.halts.desk is Level.HALTED
            refused = bench.engine.unpause("", "unpause", TRADER)
            assert not refused.accepted and "paused" in refused.text
            bench.engine.pause("", TRADER)
            refused = bench.engine.unpause("", "unpause", TRADER)
            assert not refused.accepted and "resume comes first" in refused.text

    run_virtual(main)


def test_alarms_somebody_must_act_on_go_last_and_not_in_silence() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            alarms, table = bench.engine.desk.alarms, bench.engine.state.alarms
            table.clear()
            alarms.raise_("first", AlarmLevel.ACT, "the first call")
            for n in range(ALARMS_MAX):
                alarms.raise_(f"check {n}", AlarmLevel.CHECK, f"look at {n}")
            assert standing(bench, "the first call") and not standing(bench, "look at 0")
            for n in range(ALARMS_MAX + 20):
                alarms.raise_(f"act {n}", AlarmLevel.ACT, f"call {n}.")
                assert len(table) <= ALARMS_MAX
            assert not standing(bench, "look at") and not standing(bench, "the first call")
            (told,) = standing(bench, "made room for newer ones")
            assert told.what.endswith(": 22") and told.level is AlarmLevel.ACT
            dropped = [str(row.data()["text"]) for row in bench.journal.rows if row.kind == "ALARM"]
            assert "dropped, seen by nobody: the first call" in dropped
            assert alarms.acknowledge(told.id, "x")
            assert not told.active, "there is nothing left to see in it"
            for n in range(2):
                alarms.raise_(f"more {n}", AlarmLevel.ACT, f"one more call, {n}")
            (again,) = standing(bench, "made room")
            assert again.what.endswith(": 2") and not again.acknowledged

    run_virtual(main)


# --- shelving -------------------------------------------------------------------------------------------


def shelved(bench: Bench, minutes: int = 30) -> Alarm:
    """A chatty condition, put aside."""
    bench.engine.desk.alarms.raise_("chatty", AlarmLevel.CHECK, "it comes and goes", "nothing")
    (alarm,) = standing(bench, "comes and goes")
    told = bench.engine.shelve(alarm.id, minutes, "known: wind", TRADER)
    assert told.accepted, told.text
    return alarm


def rows(bench: Bench, kind: Kind) -> list[str]:
    return [str(row.data()["text"]) for row in bench.journal.rows if row.kind == kind.value]


def test_what_is_shelved_stays_so_however_often_it_comes_and_rings_anew_when_its_time_is_over() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            alarms, alarm = bench.engine.desk.alarms, shelved(bench, 6)
            assert alarm.shelf is not None and alarm.shelf.by == TRADER.name
            alarm.acknowledged = True
            for _ in range(4):
                alarms.clear("chatty")
                await asyncio.sleep(75)  # longer than what is over is shown
                alarms.raise_("chatty", AlarmLevel.CHECK, "it comes and goes", "nothing")
            assert standing(bench, "comes and goes") == [alarm] and alarm.shelf and alarm.times == 5
            assert bench.engine.acknowledge_all(TRADER).text == "Every alarm was acknowledged before."
            assert alarm.shelf, "seen is what was seen, not what was put aside"
            await asyncio.sleep(60 + 5)
            assert alarm.shelf is None and alarm.active and not alarm.acknowledged
            assert rows(bench, Kind.ALARM).count("CHECK it comes and goes") == 2, "it has rung anew"
            assert rows(bench, Kind.ACK) == ["alarm shelved 6 min: it comes and goes"]
            (row,) = (row for row in bench.journal.rows if row.kind == Kind.ACK.value)
            assert (row.actor, row.data()["reason"]) == (TRADER.name, "known: wind")

    run_virtual(main)


def test_what_is_over_when_its_time_is_rings_for_nobody_and_goes() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            alarm = shelved(bench, 2)
            bench.engine.desk.alarms.clear("chatty")
            await asyncio.sleep(110)
            assert alarm.id in bench.engine.state.alarms, "what is shelved is listed"
            await asyncio.sleep(20)
            assert alarm.id not in bench.engine.state.alarms
            assert rows(bench, Kind.ALARM).count("CHECK it comes and goes") == 1

    run_virtual(main)


def test_what_gets_worse_breaks_the_shelf_also_after_it_was_over() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            for over in (False, True):
                alarms, alarm = bench.engine.desk.alarms, shelved(bench)
                if over:
                    alarms.clear("chatty")
                alarms.raise_("chatty", AlarmLevel.ACT, "it has come to stay")
                (worse,) = standing(bench, "come to stay")
                assert worse.level is AlarmLevel.ACT and worse.shelf is None and not worse.acknowledged
                assert alarm.shelf is None and not alarm.active
                alarms.clear("chatty")
                alarms.acknowledge(worse.id, "x")
                await asyncio.sleep(65)

    run_virtual(main)


def test_what_must_be_acted_on_is_not_shelved_nor_anything_for_longer_than_a_shift() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            engine, alarms = bench.engine, bench.engine.desk.alarms
            alarms.raise_("bad", AlarmLevel.ACT, "it burns")
            (act,) = standing(bench, "burns")
            assert "acknowledge it once you do" in engine.shelve(act.id, 5, "", TRADER).text
            alarms.raise_("worth a word", AlarmLevel.NOTE, "it rained")
            note = next(a for a in engine.state.alarms.values() if a.what == "it rained")
            assert "passes by itself" in engine.shelve(note.id, 5, "", TRADER).text
            alarm = shelved(bench, SHELF_MIN_MAX)
            for minutes in (0, -1, SHELF_MIN_MAX + 1):
                assert not engine.shelve(alarm.id, minutes, "", TRADER).accepted
            assert not engine.shelve(9_999, 5, "", TRADER).accepted
            assert act.shelf is None and note.shelf is None and not engine.unshelve(act.id, TRADER).accepted

    run_virtual(main)


def test_a_shelf_ends_by_hand_or_by_acknowledging() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            engine, alarm = bench.engine, shelved(bench)
            assert engine.unshelve(alarm.id, TRADER).accepted
            assert alarm.shelf is None and alarm.active and not alarm.acknowledged
            assert rows(bench, Kind.ACK)[-1] == "alarm unshelved: it comes and goes"
            assert engine.acknowledge(alarm.id, TRADER).accepted
            assert shelved(bench) is alarm, "also what was seen may lie there"
            assert engine.acknowledge(alarm.id, TRADER).accepted
            assert alarm.shelf is None and alarm.acknowledged
            assert not engine.acknowledge(alarm.id, TRADER).accepted

    run_virtual(main)
