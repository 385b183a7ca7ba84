"""The operator's keys: each presses one command of the engine, as a person at the console might.

A key takes the hand's chance and the engine, and looks only at what the desk shows.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from core.domain.order import BookSide, Purpose, in_terms_of, outcome_of
from core.domain.units import Price, Quantity
from core.engine.ending import How
from core.engine.engine import Engine
from core.engine.operator import Actor, ActorKind
from core.engine.repairs import RESOLVE_WORD
from core.engine.state import Mode
from core.risk.halts import HaltScope, Level, ScopeKind
from core.risk.trips import ENABLE_WORD

TRADER = Actor(ActorKind.CONSOLE, 4711, 1000, "s1", controls=True)
VIEWER = Actor(ActorKind.CONSOLE, 4712, 1000, "s2")
CLI = Actor(ActorKind.CLI, 4713, 1000)
LOT = 10_000

Key = Callable[[random.Random, Engine], object]


def a_market(rng: random.Random, engine: Engine) -> str:
    """Any market of the desk; empty without one."""
    return rng.choice(sorted(engine.state.markets)) if engine.state.markets else ""


def touch_of(engine: Engine, ticker: str) -> tuple[Price, Price] | None:
    """Best bid and ask as the desk sees them; ``None`` where a side is empty."""
    view = engine.desk.seats.book(ticker)
    if view is None or view.book.best_bid is None or view.book.best_ask is None:
        return None
    return view.book.best_bid, view.book.best_ask


# --- cards ------------------------------------------------------------------------------------


def _approve(_: random.Random, engine: Engine) -> None:
    for card in engine.desk.approvals.queue():
        if card.verdict.passed:
            engine.approve(card.id, card.fingerprint, engine.desk.clocks.mono_ns(), TRADER)
            return


def _veto(_: random.Random, engine: Engine) -> None:
    for card in engine.desk.approvals.queue()[:1]:
        engine.veto(card.id, card.fingerprint, "no", TRADER)


def _defer(_: random.Random, engine: Engine) -> None:
    for card in engine.desk.approvals.queue()[:1]:
        engine.defer(card.id, card.fingerprint, TRADER)


def _edit(rng: random.Random, engine: Engine) -> None:
    """Less of it, or for a better price."""
    cards = engine.desk.approvals.queue()
    if not cards:
        return
    card = rng.choice(cards)
    wanted = card.candidate
    part = max(LOT, int(wanted.quantity * rng.choice((0.1, 0.5, 1.0))) // LOT * LOT)
    better = rng.choice((0, 100, 300)) * (-1 if wanted.purpose is Purpose.OPEN else 1)
    engine.edit(card.id, card.fingerprint, Price(wanted.outcome_price + better), Quantity(part), TRADER)


# --- orders -----------------------------------------------------------------------------------


def _cancel(rng: random.Random, engine: Engine) -> None:
    live = sorted(engine.desk.ledger.live)
    if live:
        engine.cancel_order(rng.choice(live), TRADER)


def _cancel_market(rng: random.Random, engine: Engine) -> None:
    engine.cancel_market(a_market(rng, engine), TRADER)


def smaller(rng: random.Random, engine: Engine) -> None:
    """Leave less of a resting order, at its price."""
    live = [o for o in engine.desk.ledger.live.values() if o.reducible and o.leaves > LOT]
    if live:
        order = rng.choice(live)
        left = max(LOT, int(order.leaves * rng.choice((0.2, 0.5, 0.9))) // LOT * LOT)
        engine.amend(order.intent.client_order_id, Price(0), Quantity(left), TRADER)


def _exit_at(rng: random.Random, engine: Engine) -> None:
    """Rest an exit of a position at the touch or farther away."""
    held = sorted(engine.desk.ledger.held)
    ticker = rng.choice(held) if held else ""
    touch = touch_of(engine, ticker)
    if touch is None:
        return
    long = engine.desk.ledger.net(ticker) > 0
    side = BookSide.ASK if long else BookSide.BID
    price = Price((touch[1] if long else touch[0]) - side.sign * rng.choice((0, 0, 100, 300)))
    engine.rest_exit(ticker, in_terms_of(outcome_of(side, Purpose.CLOSE), price), TRADER)


def resolve(rng: random.Random, engine: Engine, page: Callable[[str], str]) -> None:
    """Say what became of an order nobody answered for, by the venue's page; now and then a wrong one."""
    lost = sorted(order.intent.client_order_id for order in engine.desk.ledger.unknown())
    if not lost:
        return
    client = rng.choice(lost)
    found, others = page(client), sorted(o.order_id for o in engine.desk.ledger.live.values() if o.order_id)
    if others and rng.random() < 0.2:
        found = rng.choice(others)
    engine.resolve(client, found, RESOLVE_WORD, "seen on the venue's page", TRADER)


# --- autonomy ---------------------------------------------------------------------------------


def _automatic(_: random.Random, engine: Engine) -> None:
    if engine.state.mode is not Mode.AUTO:
        engine.set_mode("auto", "automatic", "", TRADER)


def _semi(_: random.Random, engine: Engine) -> None:
    engine.set_mode("semi", "", "", CLI)


def _pause(_: random.Random, engine: Engine) -> None:
    engine.pause("", TRADER)


def _reenable(rng: random.Random, engine: Engine) -> None:
    """Switch on again what tripped, the market or automatic mode."""
    off = sorted(trip.name for trip in engine.state.trips.values())
    if off:
        engine.reenable(rng.choice(off), ENABLE_WORD, "looked at it", TRADER)


# --- stops ------------------------------------------------------------------------------------


def _halt(rng: random.Random, engine: Engine) -> None:
    engine.halt("", rng.choice((TRADER, VIEWER, CLI)))


def _halt_market(rng: random.Random, engine: Engine) -> None:
    scope = HaltScope(ScopeKind.MARKET, a_market(rng, engine))
    engine.desk.halting.rise(scope, Level.HALTED, "the hand wants it so")


def _flatten(rng: random.Random, engine: Engine) -> None:
    engine.flatten(TRADER, now=rng.random() < 0.5)


def _abort(_: random.Random, engine: Engine) -> None:
    engine.abort_flatten(TRADER)


def _hurry(_: random.Random, engine: Engine) -> None:
    """Through the countdown, then down to the widest protection."""
    engine.skip_wait(TRADER)
    engine.hurry_exits(TRADER)


def _stop(rng: random.Random, engine: Engine) -> None:
    """The engine is to end for a while; whoever supervises it starts it again."""
    engine.stop("for a while", CLI, rng.choice([how.value for how in How]))


# --- the rest ---------------------------------------------------------------------------------


def _console(_: random.Random, engine: Engine) -> None:
    if engine.state.controller:
        engine.controller_gone()
    else:
        engine.controller_attached(TRADER)


def _reconcile(_: random.Random, engine: Engine) -> None:
    engine.reconcile(TRADER)


def _acknowledge(_: random.Random, engine: Engine) -> None:
    for alarm in list(engine.state.alarms)[:1]:
        engine.acknowledge(alarm, TRADER)


KEYS: dict[str, Key] = {
    "approve": _approve,
    "veto": _veto,
    "automatic": _automatic,
    "semi": _semi,
    "cancel": _cancel,
    "cancel market": _cancel_market,
    "pause": _pause,
    "halt": _halt,
    "halt market": _halt_market,
    "flatten": _flatten,
    "abort": _abort,
    "console": _console,
    "reconcile": _reconcile,
    "acknowledge": _acknowledge,
    "edit": _edit,
    "defer": _defer,
    "exit at": _exit_at,
    "reenable": _reenable,
    "hurry": _hurry,
    "stop": _stop,
}
WEIGHTS: dict[str, float] = {
    "approve": 3.0,
    "veto": 0.3,
    "automatic": 0.3,
    "semi": 0.2,
    "cancel": 12.0,
    "cancel market": 1.0,
    "pause": 0.1,
    "halt": 0.03,
    "halt market": 0.05,
    "flatten": 0.03,
    "abort": 0.1,
    "console": 0.05,
    "reconcile": 0.3,
    "acknowledge": 0.2,
    "edit": 0.5,
    "defer": 0.3,
    "exit at": 0.4,
    "resolve": 0.3,
    "reenable": 0.5,
    "hurry": 0.1,
    "stop": 0.008,
}
"""How often each is pressed, ``resolve`` included, before a run's habits change it."""
