"""The rows only Polymarket can produce, by the same plan as every other fault."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.domain.units import Quantity
from core.sim.fates import PLAIN, Answered
from core.sim.fault_kinds import FaultKind
from core.sim.garble import Garble, garbled
from core.sim.kalshi.auth import KeyRegistry
from core.sim.plan import RULED_POLYMARKET, Act, Habit, Plan, Swarm, steady
from core.sim.polymarket.acts import DUST, Acts
from core.sim.polymarket.crowd import Crowd
from core.sim.polymarket.modes import Mode
from core.sim.polymarket.orders import OrderStatus, Stage
from core.sim.process import SimOptions, build
from tests.sim.polymarket.conftest import FakeClock


def act(kind: FaultKind, pick: float = 0.5, lasts_ms: int = 10_000) -> Act:
    return Act(kind, 0, lasts_ms, pick)


@pytest.fixture
def crowd(pit: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Crowd:
    """A crowd with deep pockets in the pit; the world it would believe in stands still."""
    monkeypatch.setattr(KeyRegistry, "generate", lambda *_: [])
    world = build(SimOptions(scenario="quiet"), FakeClock(), "world", tmp_path)
    return Crowd(pit.exchange, world.world, world.traders.beliefs, pit.clock, random.Random(1), moves=False)


@pytest.fixture
def acts(pit: Any, ann: Any, crowd: Crowd) -> Acts:
    return Acts(pit.exchange, crowd, ann.key.key)


def trade(pit: Any) -> Any:
    pit.split("bob", "20")
    pit.placed("bob", "SELL", "0.50", "10")
    done = pit.placed("cyd", "BUY", "0.50", "10")
    return pit.exchange.trades[done.trades[0]]


def test_matched_trades_fail_for_a_while(pit: Any, acts: Acts) -> None:
    acts.carry_out([act(FaultKind.X10, pick=1.0)])
    ghost = trade(pit)
    pit.later(11)
    acts.carry_out([])
    honest = trade(pit)
    pit.settled()
    assert (ghost.stage, honest.stage) == (Stage.FAILED, Stage.CONFIRMED)


def test_matched_trades_stay_unsettled_for_a_while(pit: Any, acts: Acts) -> None:
    acts.carry_out([act(FaultKind.X11)])
    stuck = trade(pit)
    pit.later(9)
    assert stuck.stage is Stage.MATCHED
    pit.later(2)
    acts.carry_out([])
    pit.later(0)
    assert stuck.stage is Stage.CONFIRMED


@pytest.mark.parametrize("pick", [0.1, 0.9])
def test_settlement_states_flap(pit: Any, acts: Acts, pick: float) -> None:
    heard: list[Stage] = []
    pit.exchange.listeners.append(lambda e: heard.append(e.trade.stage) if hasattr(e, "trade") else None)
    acts.carry_out([act(FaultKind.X12, pick=pick)])
    trade(pit)
    pit.settled()
    assert Stage.RETRYING in heard and heard[-1] is Stage.CONFIRMED


def test_an_order_is_filled_but_for_its_dust(pit: Any, ann: Any, acts: Acts) -> None:
    placed = ann.placed("BUY", 5_000_000, 10_000_000)["orderID"]
    acts.carry_out([act(FaultKind.X14)])
    order = pit.exchange.orders[placed]
    assert (order.remaining, order.status) == (DUST, OrderStatus.LIVE)
    assert order.matched == Quantity(10_000_000 - DUST)


def test_a_restart_lasts_as_long_as_its_act(pit: Any, acts: Acts) -> None:
    acts.carry_out([act(FaultKind.X18)])
    engine = pit.exchange.engine
    assert engine.mode(pit.clock.ms + 9_999) is Mode.RESTARTING
    assert engine.mode(pit.clock.ms + 10_001) is Mode.POST_ONLY
    assert engine.mode(pit.clock.ms + 130_001) is Mode.NORMAL


def test_a_lapsed_heartbeat_cancels_everything(pit: Any, ann: Any, acts: Acts) -> None:
    placed = ann.placed("BUY", 5_000_000, 10_000_000)["orderID"]
    ann.call("POST", "/v1/heartbeats", {"heartbeat_id": ""})
    acts.carry_out([act(FaultKind.X22)])
    pit.later(5)
    assert pit.exchange.orders[placed].status is OrderStatus.CANCELED


def test_a_broken_chain_wants_another_id(pit: Any, ann: Any, acts: Acts) -> None:
    beats = pit.exchange.heartbeats
    _, following = beats.beat(ann.key.key, "")
    acts.carry_out([act(FaultKind.X23)])
    taken, expected = beats.beat(ann.key.key, following)
    assert not taken and beats.beat(ann.key.key, expected)[0]


def test_an_accepted_order_is_called_a_duplicate() -> None:
    plan = Plan(steady(FaultKind.X16))
    fate = plan.answer("POST", "/order", 0)
    assert isinstance(fate, Answered) and fate.status == 400 and b"Duplicated." in fate.body
    assert plan.answer("DELETE", "/order", 0) is PLAIN


def test_every_world_row_has_a_hand(pit: Any, acts: Acts) -> None:
    """Whatever a plan of these rows says, somebody can carry it out."""
    swarm = Swarm(4, tuple(Habit(kind, 1.0, 2_000.0, 1_000.0) for kind in RULED_POLYMARKET))
    plan, begun = Plan(swarm), set()
    for ms in range(0, 60_000, 500):
        said = plan.acts(ms)
        acts.carry_out(said)
        begun |= {one.kind for one in said}
        pit.later(0.5)
    assert begun == set(RULED_POLYMARKET) - {FaultKind.X16}


@pytest.mark.parametrize(
    ("how", "changed"),
    [
        (Garble.NOT_A_NUMBER, lambda body: body["bids"][0] != {"price": "0.5", "size": "10"}),
        (Garble.CROSSED, lambda body: body["bids"][-1]["price"] == "0.999"),
        (Garble.ONE_SIDED, lambda body: "bids" not in body),
    ],
)
def test_garbling_knows_these_books(how: Garble, changed: Callable[[Any], bool]) -> None:
    book = b'{"market":"0x1","bids":[{"price":"0.5","size":"10"}],"asks":[]}'
    assert changed(json.loads(garbled(book, how, 0.1)))


def test_garbling_knows_these_lists_and_fills() -> None:
    page = b'{"data":[{"price":"0.5"}],"next_cursor":"MTAw"}'
    assert json.loads(garbled(page, Garble.EMPTY_LIST, 0.5)) == {"data": [], "next_cursor": "LTE="}
    assert json.loads(garbled(page, Garble.EMPTY_PAGE, 0.5)) == {"data": [], "next_cursor": "MTAw"}
    fill = b'{"maker_orders":[{"matched_amount":"10"}]}'
    assert json.loads(garbled(fill, Garble.OTHER_COUNT, 0.5))["maker_orders"][0]["matched_amount"] == "11.00"
    text = b'{"question":"Will it rain?"}'
    assert b"free money" in garbled(text, Garble.HOSTILE_TEXT, 0.1)
