"""The desk as plain values: what the strategy is told about one market or event at this moment."""

from __future__ import annotations

from core.domain.market import Market, MarketStatus
from core.domain.order import Purpose
from core.domain.position import Position
from core.domain.units import Money, Quantity
from core.engine.account import WINDOW_15S_NS, opening
from core.engine.desk import Desk
from core.engine.state import MarketState
from core.risk.buckets import source
from core.risk.exposure import reserved_cash, reserved_outside, still_reserved
from core.strategy.rules import Headroom, MarketView
from core.venues.venue import verified_ns


def stale(desk: Desk, ticker: str) -> str:
    """Why a market's book may not be acted on now; empty when it may."""
    market = desk.state.markets[ticker].market
    venue = desk.seats[market.venue].venue
    view = venue.books.get(ticker)
    if view is None or not view.intact:
        return "book out of sequence" if view is not None else "no book yet"
    age_ns = desk.clocks.mono_ns() - verified_ns(view, venue.link)
    limit = desk.state.limits.current.book_age_max_s
    if age_ns > limit * 1_000_000_000:
        return f"book {age_ns // 1_000_000_000} s old, limit {limit} s"
    return "" if market.event_ticker in desk.state.events else "no event"


FLICKER_NS = 2_000_000_000
"""Books that say too little for less time than this were being quoted anew."""


def flickers(desk: Desk, market: MarketState) -> bool:
    """Whether the books of its event have only just ceased to say enough: nothing is opened there, and what
    is there already stays for a moment."""
    since_ns = market.unpooled_ns
    return since_ns is not None and desk.clocks.mono_ns() - since_ns < FLICKER_NS


def no_price(desk: Desk, ticker: str) -> str:
    """Why a market without a fair value has none."""
    event = desk.state.events.get(desk.state.markets[ticker].market.event_ticker)
    return (event.refusal if event is not None else "") or "no fair value"


def market_view(desk: Desk, ticker: str) -> MarketView | None:
    """A market as the strategy sees it; ``None`` before its book exists."""
    view = desk.seats.book(ticker)
    if view is None:
        return None
    live = desk.ledger.live_in(ticker)
    return MarketView(
        market=desk.state.markets[ticker].market.as_of(desk.clocks.world_ms()),
        book=view.book,
        position=desk.ledger.positions.get(ticker, Position()),
        opening_bid=Quantity(opening(live, ticker, bid=True)),
        opening_ask=Quantity(opening(live, ticker, bid=False)),
        opening_cost=Money(sum(still_reserved(o) for o in live if o.intent.purpose is Purpose.OPEN)),
        sellable=desk.ledger.closable(ticker),
        stale=stale(desk, ticker),
    )


def bankroll(desk: Desk) -> Money | None:
    """Cash and the cost of all positions; ``None`` while a venue's cash is not known."""
    everywhere = desk.seats.cash
    return None if everywhere is None else Money(everywhere + sum(p.cost for p in desk.ledger.held.values()))


def elsewhere(desk: Desk, ticker: str) -> Money:
    """Worst-case loss of all events but a market's own."""
    worst = desk.exposure.now(ticker)
    return Money(worst.total - worst.event)


def headroom(desk: Desk, tickers: list[str]) -> Headroom | None:
    """What the limits leave for an event's markets; ``None`` while its venue's cash is not known."""
    if not tickers:
        return None
    seat, limits = desk.seat(tickers[0]), desk.state.limits.current
    cash, equity = seat.reconciler.cash, bankroll(desk)
    if cash is None or equity is None:
        return None
    worst = {ticker: desk.exposure.now(ticker) for ticker in tickers}
    one = worst[tickers[0]]
    reserved = reserved_cash(seat.share.live.values()) + reserved_outside(seat.share.externals.values())
    free = Money(cash - limits.cash_reserve - reserved)
    filled = desk.account.filled_within(WINDOW_15S_NS)
    return Headroom(
        bankroll=equity,
        elsewhere=elsewhere(desk, tickers[0]),
        cash=free,
        order_quantity=limits.order_contracts_max,
        order_cost=Money(min(limits.order_cost_max, max(0, limits.velocity_15s_max - filled))),
        market={t: Money(limits.market_loss_max - w.market) for t, w in worst.items()},
        event=Money(limits.event_loss_max - one.event),
        source=source(desk.state.markets[tickers[0]].market),
        correlated=Money(limits.correlated_loss_max - one.correlated),
        venue=Money(limits.venue_loss_max - one.venue),
        total=Money(limits.total_loss_max - one.total),
        open_orders=limits.open_orders_total_max - len(desk.ledger.live) - len(desk.ledger.externals),
    )


def tradable(desk: Desk, market: Market) -> bool:
    """Whether orders may be opened in a market at all, whatever its prices are."""
    return market.status is MarketStatus.ACTIVE and allowed(desk, market)


def allowed(desk: Desk, market: Market, *, by_hand: bool = False) -> bool:
    """Of a series that is traded, with an outcome mapping that is understood and a settlement that was
    confirmed, and not denied by name. Who trades by hand answers for the mapping."""
    chosen = desk.settings.markets
    names = (market.ticker, market.event_ticker, market.series_ticker)
    listed = market.series_ticker in desk.seats[market.venue].series and not waits(desk, market)
    return listed and (by_hand or mapped(market)) and not any(name in chosen.deny for name in names)


def mapped(market: Market) -> bool:
    """Whether the desk knows what a market settles on."""
    return market.station is not None or market.underlying is not None


def waits(desk: Desk, market: Market) -> str:
    """Why nothing is opened in a market whose settlement nobody has confirmed; empty where that is done."""
    if market.contest is not None:
        return desk.fixtures.waits(market)
    return desk.sources.waits(market)
