"""A market and its book, and pairs across venues."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from core.control.rows.values import probability, probability_if
from core.control.tables.markets import MarketRow, MarketStatic, PairRow, WayRow
from core.domain.market import MarketStatus
from core.domain.order import BookSide, Order, Outcome, Purpose
from core.domain.units import ONE_CONTRACT
from core.engine.pairs import Compared
from core.engine.state import MarketState
from core.journal.projections import Pair
from core.strategy.linked import CAUTION, NoWay, Way
from core.venues.venue import BookView


def static_row(state: MarketState, event_label: str) -> MarketStatic:
    market = state.market
    return MarketStatic(
        key=state.key,
        venue=market.venue.value,
        ticker=market.ticker,
        event=market.event_ticker,
        label=market.label,
        event_label=event_label,
        title=market.title,
        close_world_ms=market.close_ms,
        bands=tuple((int(b.start), int(b.end), int(b.step)) for b in market.grid.bands),
        station=market.station or "",
    )


class Touch(msgspec.Struct):
    """Best prices a reader saw last, and the sign of their last change."""

    bid: int | None = None
    ask: int | None = None
    bid_sign: int = 0
    ask_sign: int = 0

    def move(self, bid: int | None, ask: int | None) -> int:
        """Take over the newest prices; the packed signs of ``MarketRow.moved``."""
        self.bid_sign = _sign(self.bid, bid, self.bid_sign)
        self.ask_sign = _sign(self.ask, ask, self.ask_sign)
        self.bid, self.ask = bid, ask
        return (self.bid_sign + 1) + 3 * (self.ask_sign + 1)


def _sign(before: int | None, after: int | None, last: int) -> int:
    if before is None or after is None or before == after:
        return last
    return 1 if after > before else -1


def market_row(state: MarketState, view: BookView | None, net: int, mark: str, touch: Touch) -> MarketRow:
    fair, status = state.fair, state.market.status
    bid = ask = None
    bid_size = ask_size = 0
    if view is not None:
        bid, ask = view.book.best_bid, view.book.best_ask
        bid_size = view.book.size(BookSide.BID, bid) if bid is not None else 0
        ask_size = view.book.size(BookSide.ASK, ask) if ask is not None else 0
    return MarketRow(
        key=state.key,
        bid=bid,
        ask=ask,
        bid_size=bid_size,
        ask_size=ask_size,
        moved=touch.move(bid, ask),
        message_ms=view.message_ns // 1_000_000 if view is not None else 0,
        intact=view is not None and view.intact,
        fair=probability(fair.probability) if fair is not None else None,
        sigma=probability(fair.sigma) if fair is not None else None,
        edge=state.edge,
        edge_word=state.edge_word,
        change=state.change(),
        net=net,
        mark=mark,
        status="" if status is MarketStatus.ACTIVE else status.value,
        model=probability(fair.model_probability) if fair is not None else None,
        market=probability_if(fair.market_probability) if fair is not None else None,
        weight=fair.weight if fair is not None else None,
        volume=state.volume,
    )


def mark_of(orders: Iterable[Order], *, card: bool) -> str:
    """``card`` while a proposal waits, else our largest working order as ``15b44``."""
    if card:
        return "card"
    working = [o for o in orders if o.leaves]
    if not working:
        return ""
    order = max(working, key=lambda o: o.leaves)
    intent = order.intent
    letter = "s" if intent.purpose is Purpose.CLOSE else "b" if intent.outcome is Outcome.YES else "n"
    return f"{-(-order.leaves // ONE_CONTRACT)}{letter}{intent.outcome_price // 100}"


def pair_row(pair: Pair, compared: Compared, keys: tuple[int, int], books_ms: tuple[int, int]) -> PairRow:
    """``keys`` and ``books_ms``, the last message of each book, in the order of the pair."""
    return PairRow(
        first=pair.first,
        second=pair.second,
        first_key=keys[0],
        second_key=keys[1],
        opposite=pair.opposite,
        state=pair.state.value,
        why=pair.why,
        quantity=pair.quantity,
        ways=tuple(map(_way_row, compared.ways)),
        apart=compared.apart,
        by=pair.by,
        wall_ms=pair.at_ms,
        first_ms=books_ms[0],
        second_ms=books_ms[1],
        caution=CAUTION,
    )


def _way_row(way: Way | NoWay) -> WayRow:
    first, second = (outcome.name for outcome in way.outcomes)
    if isinstance(way, NoWay):
        return WayRow(first, second, 0, 0, 0, None, way.why)
    return WayRow(first, second, way.quantity, way.cost, way.fee, way.difference, "")
