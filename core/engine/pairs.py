"""Pairs of markets the operator has linked as the same question on two venues.

A link rests on both rules texts as they read when it was made: one that reads differently unpins the pair,
which stays listed until somebody links it again. A market whose trading is over ends its pairs. Rows of
kind ``PAIR`` make all of it outlive the engine. A pair is looked at; it never trades and hedges nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from core.domain.fees import SMALLEST_FILL
from core.domain.market import Market, MarketStatus
from core.domain.units import Quantity, contracts
from core.engine.operator import ENGINE
from core.engine.state import AlarmLevel
from core.journal.events import Event, Kind
from core.journal.projections import Pair, PairState, keep
from core.strategy.linked import NoWay, Offered, Way, apart, ways
from core.venues.venue import LinkState

if TYPE_CHECKING:
    from core.engine.desk import Desk

PAIRS_MAX = 50
QUANTITY_MAX = contracts(100_000)
OVER = frozenset(
    {
        MarketStatus.CLOSED,
        MarketStatus.DETERMINED,
        MarketStatus.DISPUTED,
        MarketStatus.AMENDED,
        MarketStatus.FINALIZED,
    }
)


def find(desk: Desk, one: str, other: str) -> Pair | None:
    """The pair of two markets, in whichever order they are named."""
    pairs = desk.state.pairs
    return pairs.get((one, other)) or pairs.get((other, one))


def record(desk: Desk, pair: Pair, by: str = ENGINE.name) -> None:
    """Write what became of a pair, and let it count."""
    desk.scribe.log.append(Event(Kind.PAIR, pair, ticker=pair.first, actor=by))
    keep(desk.state.pairs, pair)
    desk.state.changed_pairs.touch(pair.key)
    if pair.state is not PairState.UNPINNED:
        desk.alarms.clear(_alarm(pair))


def watch(desk: Desk, market: Market) -> None:
    """A market as the venue describes it now."""
    for pair in [pair for pair in desk.state.pairs.values() if market.ticker in pair.key]:
        if market.status in OVER:
            why = f"{market.ticker} is {market.status.value}"
            record(desk, msgspec.structs.replace(pair, state=PairState.ENDED, why=why))
            desk.alarms.raise_(
                f"{_alarm(pair)} ended",
                AlarmLevel.NOTE,
                f"linked pair {pair.first} and {pair.second} ended: {why}",
                ticker=market.ticker,
            )
            continue
        if pair.state is PairState.LINKED and not _reads(pair, market):
            why = f"the rules of {market.ticker} read differently ({market.rules_hash[:8]})"
            pair = msgspec.structs.replace(pair, state=PairState.UNPINNED, why=why)
            record(desk, pair)
        if pair.state is PairState.UNPINNED:
            _ring(desk, pair)


def _reads(pair: Pair, market: Market) -> bool:
    """Whether a market's rules are those the pair was linked with."""
    return market.rules_hash == (pair.first_rules if market.ticker == pair.first else pair.second_rules)


def _ring(desk: Desk, pair: Pair) -> None:
    desk.alarms.raise_(
        _alarm(pair),
        AlarmLevel.CHECK,
        f"linked pair {pair.first} and {pair.second} is unpinned: {pair.why}",
        "it may not be the same question any more; no difference is shown",
        "link add, once both texts were read, or link remove",
        pair.first,
    )


def _alarm(pair: Pair) -> str:
    return f"pair {pair.first} {pair.second}"


class Compared(msgspec.Struct, frozen=True):
    """What the two venues show for a pair now."""

    ways: tuple[Way | NoWay, ...]
    """YES of the first market, then NO; none for a pair that is unpinned."""
    apart: tuple[str, ...]


def compare(desk: Desk, pair: Pair) -> Compared:
    """The difference net of both venues' fees each way, and what is known to differ between the two."""
    first, second = (desk.state.markets.get(ticker) for ticker in pair.key)
    differs = apart(first.market, second.market) if first is not None and second is not None else ()
    if pair.state is PairState.UNPINNED:
        return Compared((), differs)
    one, other = (_offered(desk, ticker) for ticker in pair.key)
    return Compared(ways(one, other, pair.quantity, opposite=pair.opposite), differs)


def _offered(desk: Desk, ticker: str) -> Offered | str:
    known = desk.state.markets.get(ticker)
    if known is None:
        return f"{ticker} is not on the desk"
    market = known.market.as_of(desk.clocks.world_ms())
    gateway, venue = desk.seats[market.venue].venue, market.venue.short
    view = gateway.books.get(ticker)
    if gateway.link.state is not LinkState.OK:
        return f"the stream of {venue} is {gateway.link.state.value}"
    if market.status is not MarketStatus.ACTIVE:
        return f"{ticker} is {market.status.value}"
    if view is None or not view.intact:
        return f"{venue} vouches for no book of {ticker}"
    if view.book.crossed:
        return f"the book of {ticker} is crossed"
    return Offered(venue, market.fees, market.minimum, view.book)


def valid(quantity: Quantity) -> bool:
    """Whether so much can be compared: hundredths of contracts, within bounds."""
    return 0 < quantity <= QUANTITY_MAX and quantity % SMALLEST_FILL == 0
