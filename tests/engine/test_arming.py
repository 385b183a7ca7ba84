"""Real money moves only after a phrase, a reason and a fresh, clean examination of this very desk."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from core.engine.arming import EXAMINED_MAX_MS, Arming, Examination, against, phrase_of
from core.engine.judging import large
from core.journal.events import Kind
from core.risk.limits import DEFAULTS
from tests.execution.bench import HOT, TRADER, VIEWER, Bench, running
from tests.virtual import START_WALL_MS, VirtualLoop, run_virtual

PHRASE = "arm live 3d4c"
CLEAN = Examination(START_WALL_MS, "0.1.0", DEFAULTS.digest(), "fp", ())


def arming(found: Examination | None = CLEAN) -> Arming:
    return Arming(PHRASE, "0.1.0", "fp", lambda: found, "pmconsole doctor --profile live")


def test_the_phrase_names_profile_and_account() -> None:
    assert phrase_of("live", ["1f2e-aaaa-3d4c"]) == PHRASE
    assert phrase_of("live", ["1f2e-aaaa-3d4c", "0xAb12"]) == f"{PHRASE} Ab12"


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({}, ""),
        ({"at_ms": START_WALL_MS - EXAMINED_MAX_MS - 1}, "older than 15 min"),
        ({"at_ms": START_WALL_MS + 1}, "older than 15 min"),
        ({"code_version": "0.0.9"}, "another program"),
        ({"limits": "other"}, "another limits"),
        ({"key": "other"}, "another key"),
        ({"blocks": ("no drill yet", "b")}, "blocks it: no drill yet"),
    ],
    ids=["clean", "old", "future", "code", "limits", "key", "blocked"],
)
def test_an_examination_counts_only_for_what_it_examined(changed: dict[str, object], says: str) -> None:
    found = msgspec.structs.replace(CLEAN, **changed)
    said = against(arming(found), DEFAULTS.digest(), START_WALL_MS)
    assert (says in said) if says else said == ""


def test_no_examination_is_none() -> None:
    assert "never examined" in against(arming(None), DEFAULTS.digest(), START_WALL_MS)


def desk(check: Callable[[Bench], object], with_arming: Arming | None) -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, arming=with_arming) as bench:
            await check(bench)  # type: ignore[misc]

    run_virtual(main)


def test_an_unarmed_desk_sends_no_entry_until_it_is_armed_in_every_part() -> None:
    async def check(bench: Bench) -> None:
        engine, state = bench.engine, bench.engine.state
        assert not state.armed
        await bench.until(lambda: "not armed" in state.markets[HOT].why_not, "denial by G01")
        assert bench.engine.desk.approvals.of(HOT) is None
        for confirm, reason in (("", "go"), ("arm live", "go"), (PHRASE, " "), ("ARM LIVE 3D4C", "go")):
            said = engine.arm(confirm, reason, TRADER)
            assert not said.accepted and PHRASE in said.text
        assert not engine.arm(PHRASE, "go", VIEWER).accepted
        assert engine.arm(PHRASE, "first trade", TRADER).accepted and state.armed
        order = await bench.sent()
        assert order.order_id
        assert engine.disarm("lunch", TRADER).accepted and not state.armed
        await bench.until(lambda: not bench.order(order.intent.client_order_id).live, "entry cancelled")
        rows = [row for row in bench.journal.rows if row.kind == Kind.ARM.value]
        assert [row.data()["armed"] for row in rows] == [True, False]
        assert rows[0].data()["limits"] == DEFAULTS.digest()

    desk(check, arming())


def test_a_halt_comes_before_arming_and_stops_work_unarmed() -> None:
    async def check(bench: Bench) -> None:
        assert bench.engine.halt("", TRADER).accepted
        assert "halted" in bench.engine.arm(PHRASE, "go", TRADER).text
        assert bench.engine.flatten(TRADER).accepted

    desk(check, arming())


def test_a_blocked_examination_keeps_the_desk_unarmed() -> None:
    async def check(bench: Bench) -> None:
        said = bench.engine.arm(PHRASE, "go", TRADER)
        assert not said.accepted and "no drill yet" in said.text and not bench.engine.state.armed

    desk(check, arming(msgspec.structs.replace(CLEAN, blocks=("no drill yet",))))


def test_simulated_money_has_nothing_to_arm() -> None:
    async def check(bench: Bench) -> None:
        assert bench.engine.state.armed
        assert "needs no arming" in bench.engine.arm(PHRASE, "go", TRADER).text
        assert "needs no arming" in bench.engine.disarm("", TRADER).text

    desk(check, None)


def test_the_first_real_money_of_a_strategy_asks_for_a_second_key_and_simulated_money_does_not() -> None:
    async def armed(bench: Bench) -> None:
        assert bench.engine.arm(PHRASE, "a calm day", TRADER).accepted
        card = await bench.card()
        assert card.large
        assert bench.approve(card).accepted
        assert not large(bench.engine.desk, card.candidate), "it has traded by now"

    async def simulated(bench: Bench) -> None:
        assert not (await bench.card()).large

    desk(armed, arming())
    desk(simulated, None)
