"""Which exit the strategy wants of a position, by what its model says or how long it has said nothing."""

from __future__ import annotations

from core.domain.units import Money
from core.engine.desk import Desk
from core.engine.facts import bankroll, elsewhere
from core.engine.state import MarketState
from core.strategy.convergence import ExitView, exit_of
from core.strategy.rules import Believed, MarketView
from core.strategy.sizing import played


def exit_wanted(desk: Desk, market: MarketState, view: MarketView) -> ExitView | None:
    """The exit of a market's position; ``None`` when nothing is held."""
    if view.position.net == 0:
        return None
    rules, equity = desk.rules, bankroll(desk)
    risked = elsewhere(desk, market.market.ticker)
    playing = played(equity, rules.kelly, risked) if equity is not None else Money(0)
    return exit_of(believed(desk, market), view, rules, desk.clocks.world_ms(), playing)


def note(desk: Desk, market: MarketState, view: MarketView) -> None:
    """Remember whether what is held there rests on a model that counts. What was quoted around a price in
    which no model counts rests on none."""
    relied, ticker, fair = desk.state.relied, market.market.ticker, market.fair
    if view.position.net == 0:
        relied.pop(ticker, None)
    elif fair is not None and fair.unpooled:
        return  # what it counts shows once there is a market to count beside
    elif fair is not None and fair.weight > 0.0:
        relied[ticker] = None
    elif fair is not None and relied.get(ticker, 0) is None:
        relied[ticker] = desk.clocks.world_ms()


def believed(desk: Desk, market: MarketState) -> Believed:
    """What the model says of a market, and whether what is held there can still rest on it.

    A position in a market that no model has priced in this run is the operator's own affair. A model that
    stands alone because the books say too little is no reason to sell.
    """
    fair = market.fair if market.fair is not None and not market.fair.unpooled else None
    event = desk.state.events.get(market.market.event_ticker)
    last = event.last(market.market.ticker) if event is not None else None
    if event is None or last is None:
        return Believed(fair, last)
    refused, weightless = event.refused_ms, desk.state.relied.get(market.market.ticker)
    since_ms, what = refused, f"no fair value: {event.refusal}"
    if refused is None and weightless is not None:
        since_ms, what = weightless, f"it counts for nothing: {last.doubt or 'no weight beside the market'}"
    if since_ms is None:
        return Believed(fair, last)
    lasted_s = (desk.clocks.world_ms() - since_ms) // 1000
    invalid = f"for {lasted_s // 60} min {what}" if lasted_s > desk.rules.invalid_grace_s else ""
    return Believed(fair, last, invalid)
