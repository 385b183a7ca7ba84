"""The figures a decision on a card rested on: the desk's own at that moment, and what the screen showed."""

from __future__ import annotations

from core.domain.drawn import Drawn
from core.domain.order import Outcome
from core.domain.units import Price, complement
from core.engine.desk import Desk
from core.execution.proposals import Proposal
from core.venues.venue import BookView


def decided(desk: Desk, card: Proposal, drawn: Drawn | None) -> dict[str, object]:
    """Fields of the row of an approval or a veto. Prices are in terms of the card's outcome; ``inputs`` are
    ages in world seconds; ``drawn`` is ``None`` where no screen was looked at."""
    candidate, now_ns = card.candidate, desk.clocks.mono_ns()
    known = desk.state.markets.get(candidate.ticker)
    fair = known.fair if known is not None and card.plan is None else None
    bid, ask = _touch(desk.seats.book(candidate.ticker), candidate.outcome)
    world_ms = desk.clocks.world_ms()
    return {
        "bid": bid,
        "ask": ask,
        "edge": candidate.edge,
        "fair": candidate.fair if candidate.model or card.plan else None,
        "model": f"{candidate.model} {candidate.model_version}".strip(),
        "inputs": {age.name: (world_ms - age.event_ms) // 1000 for age in fair.inputs} if fair else {},
        "control": desk.state.controller,
        "waited_ms": (now_ns - card.changed_ns) // 1_000_000,
        "drawn": None
        if drawn is None
        else {
            "bid": drawn.bid,
            "ask": drawn.ask,
            "fair": drawn.fair,
            "edge": drawn.edge,
            "looked_ms": (drawn.key_ns - drawn.since_ns) // 1_000_000,
            "late_ms": (now_ns - drawn.key_ns) // 1_000_000,
        },
    }


def _touch(view: BookView | None, outcome: Outcome) -> tuple[Price | None, Price | None]:
    """Best bid and ask of an outcome."""
    if view is None:
        return None, None
    bid, ask = view.book.best_bid, view.book.best_ask
    if outcome is Outcome.YES:
        return bid, ask
    return _no(ask), _no(bid)


def _no(price: Price | None) -> Price | None:
    return None if price is None else complement(price)
