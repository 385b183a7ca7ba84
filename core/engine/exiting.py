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


def believed(desk: Desk, market: MarketState) -> Believed:
    """What the model says of a market, and whether what it opened there can still rest on it.

    A position in a market that no model has priced in this run is the operator's own affair. A model that
    stands alone because the books say too little is no reason to sell.
    """
    fair = market.fair if market.fair is not None and not market.fair.unpooled else None
    event = desk.state.events.get(market.market.event_ticker)
    last = event.last(market.market.ticker) if event is not None else None
    if event is None or last is None or event.refused_ms is None:
        return Believed(fair, last)
    silent_s = (desk.clocks.world_ms() - event.refused_ms) // 1000
    if silent_s <= desk.rules.invalid_grace_s:
        return Believed(fair, last)
    return Believed(fair, last, f"no fair value for {silent_s // 60} min: {event.refusal}")
