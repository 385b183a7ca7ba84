"""The account's orders and trades as reports in YES terms.

Whose trade it was and on which side is read from our own part of it, never from the taker's: a purchase of
YES can meet a purchase of NO, and then the maker's entry names the other token (Polymarket reference, section
4.8). A trade is announced before it is settled, and what it made can be undone; only ``CONFIRMED`` is final.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from core.domain.fees import UnknownFeeError, fill_fee
from core.domain.market import Market, Venue
from core.domain.order import BookSide, Fill, Outcome
from core.domain.text import clean_text
from core.domain.trade import TradeStage
from core.domain.units import Money, Price, Quantity, complement
from core.venues.polymarket.account_wire import (
    MAKERS_MAX,
    MakerWire,
    OrderWire,
    TradeWire,
    epoch_ms,
    outcome_price,
    shares,
)
from core.venues.polymarket.terms import EARLY_S
from core.venues.venue import EXPIRY_REASON, OrderReport, ReportStatus, TradeReport
from core.venues.wire import Odd, WireError

INVALID: Final = "INVALID"
_STATES: Final = {
    "LIVE": ReportStatus.RESTING,
    "UNMATCHED": ReportStatus.RESTING,
    "DELAYED": ReportStatus.RESTING,
    "MATCHED": ReportStatus.EXECUTED,
    INVALID: ReportStatus.INVALID,
}
_ENDED_OTHERWISE: Final = frozenset({ReportStatus.CANCELED, ReportStatus.INVALID, ReportStatus.UNKNOWN})
_EXPIRED: Final = frozenset({"CANCELED_EXPIRED_ORDER", "CANCELED_ORDER_TIMED_OUT"})
_IMMEDIATE: Final = frozenset({"FOK", "FAK"})
_STAGES: Final = {stage.value: stage for stage in TradeStage} | {
    "MATCHED_NOT_BROADCASTED": TradeStage.MATCHED
}

WhoseToken = Callable[[str], tuple[str, Outcome] | None]
"""Which market's which outcome a token is."""


class Owner(msgspec.Struct, frozen=True):
    """Whose account this is: the API key, and the wallet that holds the funds."""

    api_key: str
    funder: str

    def has(self, owner: object, address: object) -> bool:
        return owner == self.api_key or (isinstance(address, str) and address.lower() == self.funder.lower())


class Heard(msgspec.Struct, frozen=True):
    """A trade of ours: how far it is, and the fills it made."""

    report: TradeReport
    fills: tuple[Fill, ...]
    """Also those of a trade that was undone: the venue counts them as filled for ever."""


class StrangerError(Exception):
    """A token no known market has; the market must be learnt before this can be said in YES terms."""

    def __init__(self, token: str, condition: str) -> None:
        super().__init__(f"token {token[:20]} is of no known market")
        self.token, self.condition = token, condition


def as_named(wire: OrderWire | TradeWire) -> dict[str, tuple[str, Outcome]]:
    """Tokens of a market that cannot be understood: under its condition id, by the outcome's own word.

    What the account has there must not be hidden because we would not trade it.
    """
    named = {wire.asset_id: wire.outcome}
    if isinstance(wire, TradeWire):
        named |= {maker.asset_id: maker.outcome for maker in wire.maker_orders or ()}
    return {
        token: (wire.market, Outcome.NO if isinstance(word, str) and word.lower() == "no" else Outcome.YES)
        for token, word in named.items()
    }


def in_yes_terms(outcome: Outcome, buys: bool, price: Price) -> tuple[BookSide, Price]:
    """Buying NO at 0.30 is selling YES at 0.70."""
    if outcome is Outcome.YES:
        return (BookSide.BID if buys else BookSide.ASK), price
    return (BookSide.ASK if buys else BookSide.BID), complement(price)


def order_report(wire: OrderWire, whose: WhoseToken, odd: Odd) -> OrderReport:
    """Raises ``WireError`` and ``StrangerError``."""
    found = whose(wire.asset_id)
    if found is None:
        raise StrangerError(wire.asset_id, wire.market)
    ticker, outcome = found
    buys, paid = _buys(wire.side), outcome_price(wire.price, "price")
    side, price = in_yes_terms(outcome, buys, paid)
    filled = shares(wire.size_matched, "size_matched")
    quantity = shares(wire.original_size, "original_size")
    if buys and wire.order_type in _IMMEDIATE:
        # An immediate purchase is counted in dollars.
        quantity = Quantity(max(filled, quantity * 10_000 // paid))
    word = wire.status.upper().removeprefix("ORDER_STATUS_")
    status = _order_status(word, wire.type)
    open_now = status is ReportStatus.RESTING
    expires_ms = epoch_ms(wire.expiration, "expiration", odd)
    updated_ms = epoch_ms(wire.timestamp, "timestamp", odd)
    return OrderReport(
        order_id=wire.id,
        client_order_id="",
        ticker=ticker,
        side=side,
        price=price,
        quantity=quantity,
        filled=filled,
        remaining=Quantity(max(0, quantity - filled)) if open_now else Quantity(0),
        status=status,
        reason=EXPIRY_REASON if word in _EXPIRED else _reason(word, status),
        expires_ms=expires_ms - EARLY_S * 1_000 if expires_ms is not None else None,
        updated_ms=updated_ms,
    )


def _order_status(word: str, event: object) -> ReportStatus:
    if word.startswith("CANCELED") or (event == "CANCELLATION" and word != INVALID):
        return ReportStatus.CANCELED
    return _STATES.get(word, ReportStatus.UNKNOWN)


def _reason(word: str, status: ReportStatus) -> str:
    """What the venue adds to a plain state."""
    if status is ReportStatus.RESTING:
        return "" if word == "LIVE" else clean_text(word, 40)
    return clean_text(word, 80) if status in _ENDED_OTHERWISE else ""


def stage_of(status: str, odd: Odd) -> TradeStage:
    """A stage nobody has told us of counts as the first: what it made stays provisional."""
    word = status.upper().removeprefix("TRADE_STATUS_")
    stage = _STAGES.get(word)
    if stage is None:
        odd.notes.append(f"trade status {clean_text(word, 40)!r} is not known")
        return TradeStage.MATCHED
    return stage


def trade(
    wire: TradeWire, owner: Owner, whose: WhoseToken, market: Callable[[str], Market | None], odd: Odd
) -> Heard | None:
    """A trade's stage and our fills; ``None`` when no part of it is ours.

    Raises ``WireError`` and ``StrangerError``.
    """
    makers = wire.maker_orders or []
    if len(makers) > MAKERS_MAX:
        raise WireError(f"maker_orders: {len(makers)}")
    stage = stage_of(wire.status, odd)
    matched_ms = epoch_ms(wire.match_time or wire.matchtime, "match_time", odd)
    told_ms = epoch_ms(wire.timestamp, "timestamp", odd) or epoch_ms(wire.last_update, "last_update", odd)
    at_ms = matched_ms or told_ms or 0
    ours = [maker for maker in makers if owner.has(maker.owner, maker.maker_address)]
    takes = wire.trader_side == "TAKER" or (
        wire.trader_side != "MAKER" and not ours and owner.has(wire.owner, wire.maker_address)
    )
    final = stage is TradeStage.CONFIRMED
    fills = [_maker_fill(wire, maker, whose, at_ms, final) for maker in ours]
    if takes:
        fills.append(_taker_fill(wire, whose, market, at_ms, final, odd))
    if not fills:
        return None
    return Heard(TradeReport(wire.id, stage, told_ms or at_ms), tuple(fills))


def _taker_fill(
    wire: TradeWire,
    whose: WhoseToken,
    market: Callable[[str], Market | None],
    at_ms: int,
    final: bool,
    odd: Odd,
) -> Fill:
    made = _fill(
        wire.id,
        wire.taker_order_id,
        wire.asset_id,
        wire.market,
        whose,
        _buys(wire.side),
        wire.price,
        shares(wire.size, "size"),
        at_ms,
        final,
        is_taker=True,
    )
    known = market(made.ticker)
    if known is None:
        return made
    try:
        fee = fill_fee(known.fees, made.price, made.quantity, is_taker=True)
    except UnknownFeeError as error:
        odd.notes.append(f"fee of trade {wire.id}: {error}")
        return made
    return msgspec.structs.replace(made, fee=fee)


def _maker_fill(wire: TradeWire, maker: MakerWire, whose: WhoseToken, at_ms: int, final: bool) -> Fill:
    """A maker's side is its own word; without one, that of the match: the same token trades against it, the
    other one beside it."""
    if isinstance(maker.side, str) and maker.side:
        buys = _buys(maker.side)
    else:
        buys = _buys(wire.side) is (maker.asset_id != wire.asset_id)
    return _fill(
        f"{wire.id}:{maker.order_id}",
        maker.order_id,
        maker.asset_id,
        wire.market,
        whose,
        buys,
        maker.price,
        shares(maker.matched_amount, "matched_amount"),
        at_ms,
        final,
        is_taker=False,
    )


def _fill(
    trade_id: str,
    order_id: str,
    token: str,
    condition: str,
    whose: WhoseToken,
    buys: bool,
    price: str,
    quantity: Quantity,
    at_ms: int,
    final: bool,
    *,
    is_taker: bool,
) -> Fill:
    found = whose(token)
    if found is None:
        raise StrangerError(token, condition)
    if quantity == 0:
        raise WireError(f"trade {trade_id[:80]}: its size is zero")
    ticker, outcome = found
    side, yes_price = in_yes_terms(outcome, buys, outcome_price(price, "price", up=buys))
    return Fill(
        trade_id=trade_id,
        venue=Venue.POLYMARKET,
        ticker=ticker,
        order_id=order_id,
        side=side,
        price=yes_price,
        quantity=quantity,
        fee=Money(0),
        is_taker=is_taker,
        at_ms=at_ms,
        final=final,
    )


def _buys(side: str) -> bool:
    if side.upper() in ("BUY", "SELL"):
        return side.upper() == "BUY"
    raise WireError(f"side: {side[:20]!r} is neither BUY nor SELL")
