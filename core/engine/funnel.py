"""How far each market of the desk gets on its way to a proposal, and what stops it there.

Every market stands in exactly one place: the last stage it has reached. Why it went no further is one clause;
clauses that differ in their figures, or in tickers and ids, are one reason.
"""

from __future__ import annotations

import enum
import re

import msgspec

from core.domain.market import MarketStatus
from core.engine.desk import Desk
from core.engine.facts import no_price, stale
from core.engine.plans import kept_in
from core.engine.state import MarketState, Mode
from core.strategy.assess import QUARANTINED

_FIGURE = re.compile(r"\S*\d\S*")
"""Figures, and names with figures in them."""


class Stage(enum.Enum):
    """In the order in which they are passed."""

    SEEN = "seen"
    MAPPED = "mapped"
    """What it settles on is known, and a model for it."""
    MODELLED = "modelled"
    """Priced, now or before."""
    FRESH = "fresh"
    """The inputs, its book, and the books it is pooled with."""
    EDGE = "edge"
    """Enough of it for an entry."""
    GATED = "gated"
    """Nothing of limits and checks is known to hold it back."""
    PROPOSED = "proposed"
    """A card or an order of ours is there."""


class Reason(msgspec.Struct, frozen=True):
    """Why markets went no further than a stage, in the words of the first of them."""

    why: str
    tickers: tuple[str, ...]


class Level(msgspec.Struct, frozen=True):
    """One stage: how many markets came at least so far, and why some stopped there, most first."""

    stage: Stage
    reached: int
    reasons: tuple[Reason, ...]

    @property
    def here(self) -> int:
        return sum(len(reason.tickers) for reason in self.reasons)


def funnel(desk: Desk) -> tuple[Level, ...]:
    """Every market of the desk once, stage by stage."""
    found: dict[Stage, dict[str, tuple[str, list[str]]]] = {stage: {} for stage in Stage}
    for ticker, market in desk.state.markets.items():
        stage, why = place(desk, market)
        found[stage].setdefault(_FIGURE.sub("#", why), (why, []))[1].append(ticker)
    levels: list[Level] = []
    reached = 0
    for stage in reversed(Stage):
        reasons = sorted(
            (Reason(why, tuple(tickers)) for why, tickers in found[stage].values()),
            key=lambda reason: (-len(reason.tickers), reason.why),
        )
        reached += sum(len(reason.tickers) for reason in reasons)
        levels.insert(0, Level(stage, reached, tuple(reasons)))
    return tuple(levels)


def place(desk: Desk, market: MarketState) -> tuple[Stage, str]:
    """The last stage a market has reached, and what keeps it there."""
    ticker = market.market.ticker
    event = desk.state.events.get(market.market.event_ticker)
    if event is None or not desk.pricing.mapped(event):
        return Stage.SEEN, no_price(desk, ticker)
    if desk.approvals.of(ticker) is not None:
        alone = desk.state.mode is Mode.AUTO
        doubt = market.fair.doubt if alone and market.fair is not None else ""
        return Stage.PROPOSED, f"a card waits for a person: {doubt}" if doubt else "a card waits"
    planned = next((card.sentence for card in desk.approvals.standing_in(ticker) if card.plan), "")
    if planned:
        return Stage.PROPOSED, f"a plan waits for a person: {planned.partition(':')[0]}"
    if (kept := kept_in(desk, ticker)) is not None:
        return Stage.PROPOSED, kept.rule
    if desk.ledger.live_in(ticker):
        return Stage.PROPOSED, "an order of ours is there"
    if market.market.status is not MarketStatus.ACTIVE:
        return Stage.MAPPED, f"market is {market.market.status.value}"
    if event.fair is None or (market.fair is None and not event.refusal):
        return Stage.MAPPED, no_price(desk, ticker)
    if market.fair is None:
        return Stage.MODELLED, event.refusal
    if old := stale(desk, ticker):
        return Stage.MODELLED, old
    if market.fair.unpooled:
        return (
            Stage.MODELLED,
            f"a book of its event says too little: {market.fair.unpooled.partition(': ')[2]}",
        )
    return _judged(market, full=ticker in desk.approvals.overflow)


def _judged(market: MarketState, *, full: bool) -> tuple[Stage, str]:
    """What the strategy and the gate make of a market with a fresh fair value."""
    found = market.assessed
    if found is None:
        return Stage.FRESH, "not looked at yet"
    if found.word:
        return (Stage.EDGE if found.word == QUARANTINED else Stage.FRESH), found.reason
    if found.edge < found.needed:
        return Stage.FRESH, "the edge is smaller than what it must be"
    if found.blocked or market.why_not:
        return Stage.EDGE, found.reason or market.why_not
    return Stage.GATED, "no room among the cards" if full else "a card like it ended a moment ago"
