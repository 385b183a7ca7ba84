"""The markets of the desk: which there are, how they are called here, and when they leave."""

from __future__ import annotations

from collections.abc import Container

import msgspec

from core.domain.market import Market, MarketStatus, Venue
from core.domain.units import quantity_text
from core.engine import incidents, pairs, rules
from core.engine.desk import Desk
from core.engine.seat import Seat
from core.engine.state import AlarmLevel, EventState, MarketState
from core.engine.trading import Trading
from core.execution.differences import Row
from core.venues.venue import Incomplete

LISTED = frozenset(
    {MarketStatus.INITIALIZED, MarketStatus.ACTIVE, MarketStatus.INACTIVE, MarketStatus.CLOSED}
)
OVER = frozenset({MarketStatus.DETERMINED, MarketStatus.FINALIZED, MarketStatus.AMENDED})
SHOWN_AFTER_END_NS = 30_000_000_000
"""A market that is over or gone and without a position leaves the tables after this much real time."""


class Catalogue:
    """Loads and refreshes markets of the chosen series; keys are never used twice."""

    def __init__(self, desk: Desk, trading: Trading) -> None:
        self._desk = desk
        self._trading = trading
        self._next_key = 1
        self._over_ns: dict[str, int] = {}
        self._absent: dict[Venue, set[str]] = {}
        """Markets the last complete list of each venue lacked; one list may."""
        self._unlisted: dict[Venue, set[str]] = {}
        """Markets off the desk in which something is held or on order, as told."""

    async def refresh(self, seat: Seat) -> Incomplete | None:
        """Read every market of a venue's series and subscribe to the new ones."""
        markets = await seat.venue.markets(seat.series)
        if isinstance(markets, Incomplete):
            return markets
        fresh = [m.ticker for m in markets if self.take(m)]
        self._count(seat)
        if fresh:
            await seat.venue.subscribe(fresh)
        self._delist(seat, {market.ticker for market in markets})
        await self._seek_unlisted(seat)
        await self._seek_outcomes(seat)
        self._drop_old()
        return None

    def _count(self, seat: Seat) -> None:
        """What has traded by now: nothing is decided by it, so nothing is priced anew."""
        state = self._desk.state
        for ticker, volume in seat.venue.volumes.items():
            known = state.markets.get(ticker)
            if known is not None and known.volume != volume:
                known.volume = volume
                state.changed_markets.touch(ticker)

    async def adopt(self, seat: Seat, ticker: str) -> Market | Incomplete:
        """A market outside the chosen series in which something is held: its exit needs terms and a book."""
        market = await seat.venue.market(ticker)
        if not isinstance(market, Incomplete) and self.take(market):
            await seat.venue.subscribe([ticker])
        return market

    async def _seek_unlisted(self, seat: Seat) -> None:
        """What is held or on order in a market no list has held, as after a restart, is asked for by its
        name; where it cannot be read that is told until it can, or until nothing is left there."""
        desk, share = self._desk, seat.share
        tickers = {*share.held, *(order.intent.ticker for order in share.live.values())}
        unlisted = {ticker for ticker in tickers if ticker not in desk.state.markets}
        for ticker in sorted(unlisted):
            market = await self.adopt(seat, ticker)
            if isinstance(market, Incomplete):
                self._tell_absent(ticker, f"is in no list of the venue and cannot be read ({market.reason})")
            else:
                desk.alarms.clear(f"delisted {ticker}")
        for ticker in sorted(self._unlisted.get(seat.name, set()) - unlisted):
            desk.alarms.clear(f"delisted {ticker}")
        self._unlisted[seat.name] = unlisted

    async def _seek_outcomes(self, seat: Seat) -> None:
        """What became of what was forecast, or vetoed, and left the desk before it was known, as after a
        stop."""
        desk, now_ms = self._desk, self._desk.clocks.world_ms()
        for event, tickers in desk.forecasts.unsettled(seat.name, now_ms).items():
            asked = [await seat.venue.market(ticker) for ticker in tickers]
            found = [one for one in asked if not isinstance(one, Incomplete)]
            desk.forecasts.came(event, found)
            for market in found:
                desk.vetoes.settled(market)
        for ticker in desk.vetoes.unsettled(seat.name, desk.state.markets, now_ms):
            told = await seat.venue.market(ticker)
            if not isinstance(told, Incomplete):
                desk.vetoes.settled(told)

    def _tell_absent(self, ticker: str, what: str) -> None:
        held, resting = self._desk.ledger.net(ticker), len(self._desk.ledger.live_in(ticker))
        self._desk.alarms.raise_(
            f"delisted {ticker}",
            AlarmLevel.ACT,
            f"{ticker} {what}; {quantity_text(held)} held, {resting} orders",
            "no entries there; it counts in every limit until the venue says what became of it",
            "its return or its payout",
            ticker,
        )

    def take(self, market: Market) -> bool:
        """A market as the venue describes it now; true when it is new here."""
        pairs.watch(self._desk, market)
        self._desk.audit.settled(market)
        self._desk.vetoes.settled(market)
        known = self._desk.state.markets.get(market.ticker)
        if known is None:
            held = self._desk.ledger.net(market.ticker) != 0
            if market.status not in LISTED and not held:
                return False
            self._add(market)
            if market.status in OVER:
                self._over_ns[market.ticker] = self._desk.clocks.mono_ns()
            return True
        if known.market != market:
            before = known.market.status
            if market.status is not before and (
                before is MarketStatus.ACTIVE or MarketStatus.DELISTED in (before, market.status)
            ):
                text = f"{market.ticker} is {market.status.value} at the venue"
                incidents.note(self._desk, Row.MARKET_STATE, market.ticker, text)
            read, known.market = known.market.rules, market
            rules.watch(self._desk, market, read)
            self._desk.state.changed_markets.touch(market.ticker)
            self._trading.mark(market.ticker)
            if market.status in LISTED:
                self._over_ns.pop(market.ticker, None)
            elif market.status in OVER or market.status is MarketStatus.DELISTED:
                self._over_ns.setdefault(market.ticker, self._desk.clocks.mono_ns())
            if market.status in OVER:
                self._desk.forecasts.settle(market.event_ticker)
            if market.status is not MarketStatus.DELISTED:
                self._desk.alarms.clear(f"delisted {market.ticker}")
        return False

    def _delist(self, seat: Seat, listed: Container[str]) -> None:
        """What two complete lists lack is gone, its end untold: no entries, and never taken for flat."""
        desk = self._desk
        here = {t: known for t, known in desk.state.markets.items() if known.market.venue is seat.name}
        missing = {
            ticker
            for ticker, known in here.items()
            if known.market.series_ticker in seat.series and ticker not in listed
        }
        for ticker in sorted(missing & self._absent.get(seat.name, set())):
            market = desk.state.markets[ticker].market
            if market.status in LISTED:
                self.take(msgspec.structs.replace(market, status=MarketStatus.DELISTED))
        self._absent[seat.name] = missing
        for ticker, state in here.items():
            open_here = desk.ledger.net(ticker) or desk.ledger.live_in(ticker)
            if state.market.status is MarketStatus.DELISTED and open_here:
                self._tell_absent(ticker, "is in the venue's list no more")

    def _add(self, market: Market) -> None:
        desk, ticker = self._desk, market.ticker
        desk.state.markets[ticker] = MarketState(self._next_key, market)
        self._next_key += 1
        desk.exposure.add(market)
        desk.expose(ticker)
        event = desk.state.events.get(market.event_ticker)
        if event is None:
            label = market.label.rsplit(" ", 1)[0]
            event = desk.state.events[market.event_ticker] = EventState(market.event_ticker, label)
        event.markets.append(ticker)
        event.markets.sort(key=lambda t: _rung(desk.state.markets[t].market))
        self._trading.learn(ticker, market.event_ticker)
        desk.state.changed_markets.touch(ticker)
        desk.state.changed_events.touch(market.event_ticker)
        rules.watch(desk, market)

    def _drop_old(self) -> None:
        now = self._desk.clocks.mono_ns()
        for ticker, since in list(self._over_ns.items()):
            ledger = self._desk.ledger
            open_here = ledger.net(ticker) or ledger.live_in(ticker) or ledger.externals_in(ticker)
            if not (open_here or ledger.settling.of(ticker)) and now - since > SHOWN_AFTER_END_NS:
                self._drop(ticker)

    def _drop(self, ticker: str) -> None:
        desk = self._desk
        del self._over_ns[ticker]
        desk.alarms.clear(f"delisted {ticker}")
        for card in desk.approvals.standing_in(ticker):
            desk.approvals.withdraw(card, "its market is over")
        market = desk.state.markets.pop(ticker).market
        self._trading.forget(ticker)
        desk.exposure.forget(ticker)
        desk.fixtures.forget(ticker)
        desk.pinned_rules.pop(ticker, None)
        desk.state.exit_rules.pop(ticker, None)
        desk.state.relied.pop(ticker, None)
        desk.state.changed_markets.touch(ticker)
        event = desk.state.events[market.event_ticker]
        event.markets.remove(ticker)
        desk.pricing.forget(event, ticker)
        desk.state.changed_events.touch(event.ticker)
        if not event.markets:
            del desk.state.events[event.ticker]


def _rung(market: Market) -> tuple[bool, float, str]:
    """Lowest bracket first: the open lower end, then by lower bound."""
    floor = market.strike.floor
    return floor is not None, floor or 0.0, market.ticker
