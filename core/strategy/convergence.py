"""Exits: what is held is sold when the market pays more than it is worth, or the reason for it is gone."""

from __future__ import annotations

import msgspec

from core.domain.fees import SMALLEST_FILL, UnknownFeeError, estimate
from core.domain.market import MarketStatus
from core.domain.order import BookSide, Purpose, TimeInForce
from core.domain.units import ONE_CONTRACT, ONE_DOLLAR, Price, Quantity, price_floor
from core.models.fair_value import FairValue
from core.strategy.edge import exit_value
from core.strategy.proposal import Candidate, FeeRole, Sizing
from core.strategy.rules import EntryRules, MarketView
from core.strategy.sizing import Cap, smallest

HOLD = "hold to fair"
STALE = "stale: wait"
NO_BID = "no bid: hold"
CLOSING = "closing: wait"
NO_FAIR = "no fair: hold"
DUST = "dust: hold"
"""Less is held than the venue takes in one order."""
EXIT = "exit now"


class ExitView(msgspec.Struct, frozen=True):
    """What becomes of a position: a rule in words, and the order if it is to be sold now."""

    rule: str
    candidate: Candidate | None = None


def exit_of(fair: FairValue | None, view: MarketView, rules: EntryRules) -> ExitView | None:
    """The exit of ``view``'s position; ``None`` when nothing is held.

    Sold at the best price on the other side, immediately or not at all, never more than held:
    - it brings more than fair value plus a premium, net of the taker's fee;
    - the outcome is all but certain and the last cents pay less than a correction would cost;
    - fair value has fallen below our average cost by a threshold, and leaving costs little against it.
    """
    net = view.position.net
    if net == 0:
        return None
    held = BookSide.BID if net > 0 else BookSide.ASK
    touch = view.book.best_bid if held is BookSide.BID else view.book.best_ask
    if view.stale or view.book.crossed:
        return ExitView(STALE)
    if fair is None:
        return ExitView(NO_FAIR)
    if touch is None:
        return ExitView(NO_BID)
    if view.market.status is not MarketStatus.ACTIVE:
        return ExitView(f"market is {view.market.status.value}")
    least = view.market.minimum
    if view.sellable <= 0:
        return ExitView(CLOSING)
    if view.sellable < least:
        return ExitView(DUST)
    depth = view.book.size(held, touch)
    # The share spares the book; a remnant smaller than it can express is sold in one piece.
    share = max(int(depth * rules.depth_share), min(depth, max(rules.min_quantity, least)))
    if view.sellable - share < least:  # what is left behind could not be sold either
        share = max(share, min(depth, view.sellable))
    bound = smallest(
        (
            Cap("position", _lots(view.sellable)),
            Cap(f"depth share ({rules.depth_share:.0%} of {depth // ONE_CONTRACT})", _lots(share)),
        )
    )
    if bound.quantity <= 0 or bound.quantity < least:
        return ExitView(HOLD)
    try:
        value = exit_value(view.market.fees, touch, bound.quantity, held)
    except UnknownFeeError as error:
        return ExitView(str(error))
    worth = price_floor(fair.probability if held is BookSide.BID else 1.0 - fair.probability)
    why = _why(value, worth, view, rules)
    if not why:
        return ExitView(HOLD)
    half = exit_value(view.market.fees, touch, _lots(max(bound.quantity // 2, SMALLEST_FILL)), held)
    return ExitView(
        EXIT,
        Candidate(
            ticker=view.market.ticker,
            event_ticker=view.market.event_ticker,
            strategy=rules.strategy,
            side=held.opposite,
            purpose=Purpose.CLOSE,
            price=touch,
            quantity=bound.quantity,
            tif=TimeInForce.IOC,
            post_only=False,
            reduce_only=True,
            fee_role=FeeRole.TAKER,
            fee=estimate(view.market.fees, touch, bound.quantity, is_taker=True),
            edge=Price(value - worth),
            edge_half=Price(half - worth),
            fair=fair.probability,
            sigma=fair.sigma,
            model=fair.model,
            model_version=fair.version,
            sizing=Sizing(kelly_full=0.0, kelly_used=0.0, bound_by=bound.name),
            why=why,
            against=_against(value, worth, view),
        ),
    )


def _why(value: Price, worth: Price, view: MarketView, rules: EntryRules) -> str:
    """The rule that sells now, in words; empty to hold. Prices are of the outcome held."""
    if value > worth + rules.exit_premium:
        return f"bid pays {value / 100:.1f}c after fee, fair {worth / 100:.1f}c"
    if worth > rules.certain * ONE_DOLLAR and value > worth - rules.certain_discount:
        return f"near certain at {worth / 100:.1f}c: the rest does not pay for a correction"
    average = view.position.average
    gone = average is not None and worth <= average - rules.gone_against
    if gone and value >= worth - rules.gone_discount:
        return f"edge gone: fair {worth / 100:.1f}c, paid {(average or 0) / 100:.1f}c"
    return ""


def _against(value: Price, worth: Price, view: MarketView) -> str:
    if value < worth:
        return f"gives up {(worth - value) / 100:.1f}c against fair"
    bid, ask = view.book.best_bid, view.book.best_ask
    if bid is not None and ask is not None and (spread := view.market.grid.ticks_between(bid, ask)) > 1:
        return f"crosses a spread of {spread} ticks"
    return "a resting order might get a better price"


def _lots(quantity: int) -> Quantity:
    """Cut to the venue's smallest lot: what is held may be a fraction of a contract."""
    return Quantity(quantity // SMALLEST_FILL * SMALLEST_FILL)
