"""What a person asks for, as a candidate: at their price and size, with the word of a model that has one."""

from __future__ import annotations

import enum

import msgspec

from core.domain.fees import SMALLEST_FILL, UnknownFeeError, estimate
from core.domain.market import Market
from core.domain.order import BookSide, Outcome, Purpose, TimeInForce, in_terms_of
from core.domain.units import ONE_DOLLAR, Money, Price, Quantity, price_ceiling, quantity_text
from core.models.fair_value import FairValue
from core.strategy.assess import edge_at, expected_fill, too_good
from core.strategy.edge import per_contract
from core.strategy.proposal import MANUAL, Candidate, FeeRole, Sizing
from core.strategy.rules import EntryRules, MarketView

ALL = Quantity(0)
"""In ``Ticket.quantity`` of a sale: everything that can be sold."""


class Style(enum.Enum):
    POST_ONLY = "post-only"
    """Rests, or is refused."""
    LIMIT = "limit"
    """Takes what it reaches, and rests with the remainder."""
    IOC = "ioc"
    """Takes what it reaches, and nothing rests."""


class Ticket(msgspec.Struct, frozen=True):
    """An order a person asks for."""

    ticker: str
    outcome: Outcome | None
    """Bought; ``None``: what is held is sold."""
    price: Price | None
    """In terms of the outcome; ``None`` of a sale: the best bid for it, whatever that comes to be."""
    quantity: Quantity
    style: Style
    by: str = ""
    """Who asks."""


def asked(ticket: Ticket, view: MarketView, fair: FairValue | None, rules: EntryRules) -> Candidate | str:
    """The order of a ticket now, or a clause why there can be none."""
    made = _bought(ticket, view) if ticket.outcome is not None else _sold(ticket, view)
    if isinstance(made, str):
        return made
    against = off_grid(view.market, made.outcome, made.price)
    if ticket.by:
        made = msgspec.structs.replace(made, why=f"asked for by {ticket.by}")
    return against or valued(made, view, fair, rules)


def valued(order: Candidate, view: MarketView, fair: FairValue | None, rules: EntryRules) -> Candidate | str:
    """The same order with fee, edge and fair value of this moment, or a clause why it has none."""
    known = msgspec.structs.replace(
        order,
        fair=fair.probability if fair is not None else 0.0,
        sigma=fair.sigma if fair is not None else 0.0,
        model=fair.model if fair is not None else "",
    )
    try:
        if order.reduces_risk:
            return _sale_valued(known, view, fair)
        fee = _fee(known, view, known.quantity)
        half = Quantity(max(order.quantity // 2, SMALLEST_FILL))
        edge, less = (_edge(known, size, view, fair, rules) for size in (known.quantity, half))
    except UnknownFeeError as unknown:
        return str(unknown)
    fill = expected_fill(view, order.side, order.price, order.quantity, order.fee_role, rules)
    doubt = too_good(fair, view, order.price, edge, rules) if fair is not None else ""
    against = _against(fair, edge, doubt)
    return msgspec.structs.replace(known, fee=fee, edge=edge, edge_half=less, fill=fill, against=against)


def off_grid(market: Market, outcome: Outcome, price: Price) -> str:
    """Why a market has no such price, in terms of YES, with its neighbours; empty where it has."""
    if market.grid.valid(price):
        return ""
    near = sorted(
        in_terms_of(outcome, at) for at in (market.grid.floor(price), market.grid.ceil(price)) if at
    )
    beside = " and ".join(f"{at / 100:g}c" for at in near)
    return f"{in_terms_of(outcome, price) / 100:g}c is no price of this market; next to it: {beside}"


def _bought(ticket: Ticket, view: MarketView) -> Candidate | str:
    assert ticket.outcome is not None
    if ticket.price is None or not 0 < ticket.price < ONE_DOLLAR:
        return "a purchase needs a price between 0 and 1 dollar"
    if ticket.quantity <= 0:
        return "a purchase needs a size"
    side = BookSide.BID if ticket.outcome is Outcome.YES else BookSide.ASK
    price = in_terms_of(ticket.outcome, ticket.price)
    return _order(view.market, ticket.style, side, Purpose.OPEN, price, ticket.quantity)


def _sold(ticket: Ticket, view: MarketView) -> Candidate | str:
    net = view.position.net
    if net == 0:
        return "nothing is held there"
    if ticket.style is Style.LIMIT:
        # What rests cannot be reduce-only at the venue, so it may not take either.
        return "a sale is post-only or ioc"
    side, outcome = (BookSide.ASK, Outcome.YES) if net > 0 else (BookSide.BID, Outcome.NO)
    free = min(ticket.quantity, view.sellable) if ticket.quantity != ALL else view.sellable
    quantity = Quantity(free - free % SMALLEST_FILL)
    if quantity <= 0:
        return f"none of the {quantity_text(Quantity(abs(net)))} held is free to be sold"
    touch = view.book.best_bid if side is BookSide.ASK else view.book.best_ask
    if ticket.price is None and (touch is None or ticket.style is not Style.IOC):
        return "nobody bids: a price lets it rest" if touch is None else "a sale that rests needs a price"
    if ticket.price is not None and not 0 < ticket.price < ONE_DOLLAR:
        return "a price is between 0 and 1 dollar"
    price = touch if ticket.price is None else in_terms_of(outcome, ticket.price)
    assert price is not None
    return _order(view.market, ticket.style, side, Purpose.CLOSE, price, quantity)


def _order(
    market: Market, style: Style, side: BookSide, purpose: Purpose, price: Price, quantity: Quantity
) -> Candidate:
    rests = style is Style.POST_ONLY
    return Candidate(
        ticker=market.ticker,
        event_ticker=market.event_ticker,
        strategy=MANUAL,
        side=side,
        purpose=purpose,
        price=price,
        quantity=quantity,
        tif=TimeInForce.IOC if style is Style.IOC else TimeInForce.GTC,
        post_only=rests,
        reduce_only=purpose is Purpose.CLOSE and not rests,
        fee_role=FeeRole.MAKER if rests else FeeRole.TAKER,
        fee=Money(0),
        edge=Price(0),
        edge_half=Price(0),
        fair=0.0,
        sigma=0.0,
        model="",
        # Whatever a model comes to say, the order that was asked for stays what it is.
        model_version="",
        sizing=Sizing(0.0, 0.0, "your ticket"),
        why="asked for by hand",
        against="",
    )


def _fee(order: Candidate, view: MarketView, quantity: Quantity) -> Money:
    """The most it can be charged. Raises ``UnknownFeeError``."""
    return estimate(view.market.fees, order.price, quantity, is_taker=order.fee_role is FeeRole.TAKER)


def _edge(
    order: Candidate, quantity: Quantity, view: MarketView, fair: FairValue | None, rules: EntryRules
) -> Price:
    """Of a purchase; of a limit that reaches nobody as of one that rests. Raises ``UnknownFeeError``."""
    if fair is None:
        return Price(0)
    found = edge_at(fair, view, order.side, order.price, quantity, order.fee_role, rules)
    if found is None:
        found = edge_at(fair, view, order.side, order.price, quantity, FeeRole.MAKER, rules)
    return Price(0) if found is None else found[1]


def _sale_valued(order: Candidate, view: MarketView, fair: FairValue | None) -> Candidate:
    """What a contract brings after its fee beyond what the model says it is worth."""
    try:
        fee = _fee(order, view, order.quantity)
    except UnknownFeeError:
        fee = Money(0)  # an exit is not held up by a fee nobody can compute
    if fair is None:
        return msgspec.structs.replace(order, fee=fee, against=_against(fair, Price(0)))
    worth = price_ceiling(fair.probability if order.outcome is Outcome.YES else 1.0 - fair.probability)
    edge = Price(order.outcome_price - per_contract(fee, order.quantity) - worth)
    return msgspec.structs.replace(order, fee=fee, edge=edge, edge_half=edge, against=_against(fair, edge))


def _against(fair: FairValue | None, edge: Price, too_good_to_be_true: str = "") -> str:
    if fair is None:
        return "no model says what it is worth"
    if edge < 0:
        return f"the model disagrees: {edge / 100:+.1f}c a contract"
    return too_good_to_be_true or fair.unpooled or fair.doubt
