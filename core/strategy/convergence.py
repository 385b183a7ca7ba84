"""Exits: what is held is sold when waiting is not worth its cost, its plan ends, or its model fails."""

from __future__ import annotations

import msgspec

from core.domain.fees import SMALLEST_FILL, UnknownFeeError, estimate
from core.domain.market import MarketStatus
from core.domain.order import BookSide, Outcome, Purpose, TimeInForce
from core.domain.units import ONE_CONTRACT, ONE_DOLLAR, Money, Price, Quantity, price_ceiling
from core.models.fair_value import FairValue
from core.strategy.edge import exit_value
from core.strategy.proposal import Candidate, FeeRole, Sizing
from core.strategy.rules import Believed, EntryRules, MarketView
from core.strategy.sizing import Cap, smallest

HOLD = "hold to fair"
STALE = "stale: wait"
NO_BID = "no bid: hold"
CLOSING = "closing: wait"
NO_FAIR = "no fair: hold"
WIDE = "wide: wait"
"""It is to be sold whatever the fair value, and the book names no price."""
DUST = "dust: hold"
"""Less is held than the venue takes in one order."""
EXIT = "exit now"
STOP_MODEL = "stop: model"
STOP_TIME = "stop: time"

YEAR_MS = 365 * 86_400_000


class ExitView(msgspec.Struct, frozen=True):
    """What becomes of a position: a rule in words, and the order if it is to be sold now."""

    rule: str
    candidate: Candidate | None = None


class _Sale(msgspec.Struct, frozen=True):
    """What can be sold now at the best price of the other side. Prices are of the outcome held."""

    held: BookSide
    touch: Price
    bound: Cap
    value: Price
    """What a contract brings after the taker's fee."""


class _Why(msgspec.Struct, frozen=True):
    """A rule that sells now, and the sentence of its card."""

    rule: str
    sentence: str


def exit_of(
    believed: Believed, view: MarketView, rules: EntryRules, now_ms: int, playing: Money
) -> ExitView | None:
    """The exit of ``view``'s position; ``None`` when nothing is held.

    Sold at the best price on the other side, immediately or not at all, never more than held:
    - it brings more than holding is worth: fair value less what waiting costs in capital and in risk to
      ``playing``, the money that full Kelly is played with;
    - the outcome is all but certain and the last cents pay less than a correction would cost;
    - fair value has fallen below our average cost by a threshold, and leaving costs little against it;
    - the plan was to sell before settlement, and the close is near;
    - the model may not be trusted with the position any more.

    ``now_ms`` is world time.
    """
    if view.position.net == 0:
        return None
    sale = _sale(view, rules)
    if isinstance(sale, str):
        return ExitView(sale)
    fair = believed.fair if believed.fair is not None else believed.last
    why = _stop(believed, view, rules, now_ms)
    if why is not None and _wide(view, rules):
        return ExitView(WIDE)
    if why is None and believed.fair is not None:
        why = _converged(believed.fair, sale, view, rules, now_ms, playing)
    if why is None or fair is None:
        return ExitView(HOLD if believed.fair is not None else NO_FAIR)
    return ExitView(why.rule, _order(why, fair, sale, view, rules))


def sacrifice(order: Candidate, rules: EntryRules) -> str:
    """Why only a person may send an exit, empty where anybody may: it gives up more against the last fair
    value than a limit may be away from it, or more than half of what is held."""
    worth = order.fair if order.outcome is Outcome.YES else 1.0 - order.fair
    given_up = -order.edge
    if given_up <= min(rules.fair_collar, price_ceiling(worth) // 2):
        return ""
    return f"it gives up {given_up / 100:.1f}c of {worth * 100:.1f}c"


def _sale(view: MarketView, rules: EntryRules) -> _Sale | str:
    """What could be sold now, or why nothing can."""
    held = BookSide.BID if view.position.net > 0 else BookSide.ASK
    touch = view.book.best_bid if held is BookSide.BID else view.book.best_ask
    if view.stale or view.book.crossed:
        return STALE
    if touch is None:
        return NO_BID
    if view.market.status is not MarketStatus.ACTIVE:
        return f"market is {view.market.status.value}"
    least = view.market.minimum
    if view.sellable <= 0:
        return CLOSING
    if view.sellable < least:
        return DUST
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
        return HOLD
    try:
        value = exit_value(view.market.fees, touch, bound.quantity, held)
    except UnknownFeeError as error:
        return str(error)
    return _Sale(held, touch, bound, value)


def _stop(believed: Believed, view: MarketView, rules: EntryRules, now_ms: int) -> _Why | None:
    """Why the position goes whatever it is worth."""
    if believed.invalid:
        return _Why(STOP_MODEL, f"model invalid: {believed.invalid}")
    left_s = (view.market.close_ms - now_ms) // 1000
    if rules.sell_before_settlement and left_s < rules.leave_before_close_s:
        return _Why(STOP_TIME, f"closes in {max(0, left_s) // 60} min: the plan was to sell before")
    return None


def _wide(view: MarketView, rules: EntryRules) -> bool:
    bid, ask = view.book.best_bid, view.book.best_ask
    return bid is None or ask is None or ask - bid > rules.stop_spread


def _converged(
    fair: FairValue, sale: _Sale, view: MarketView, rules: EntryRules, now_ms: int, playing: Money
) -> _Why | None:
    """Whether waiting is worth less than the sale."""
    value, worth = sale.value, _worth(fair, sale.held)
    if worth > rules.certain * ONE_DOLLAR and value > worth - rules.certain_discount:
        return _Why(EXIT, f"near certain at {worth / 100:.1f}c: the rest does not pay for a correction")
    if value > worth + rules.exit_premium:
        return _Why(EXIT, f"bid pays {value / 100:.1f}c after fee, fair {worth / 100:.1f}c")
    waiting = _waiting_cost(worth, sale, view, rules, now_ms, playing)
    if value > worth + rules.exit_premium - waiting:
        gain = (worth - value) / 100
        return _Why(EXIT, f"converged: waiting gains {gain:.1f}c and costs {waiting / 100:.1f}c")
    average = view.position.average
    gone = average is not None and worth <= average - rules.gone_against
    if gone and value >= worth - rules.gone_discount:
        return _Why(EXIT, f"edge gone: fair {worth / 100:.1f}c, paid {(average or 0) / 100:.1f}c")
    return None


def _waiting_cost(
    worth: Price, sale: _Sale, view: MarketView, rules: EntryRules, now_ms: int, playing: Money
) -> Price:
    """What holding a contract to settlement costs besides its price: interest, and its share of the risk.

    The risk of ``n`` contracts is worth ``n^2 p (1 - p) / 2W`` of log wealth; selling some of them saves
    the difference.
    """
    left_ms = max(0, view.market.close_ms - now_ms)
    capital = max(0, sale.value) * rules.capital_rate * left_ms / YEAR_MS
    if playing <= 0:  # not known
        return Price(int(capital))
    chance = min(max(worth / ONE_DOLLAR, 0.0), 1.0)
    saved = (2 * abs(view.position.net) - sale.bound.quantity) / (2 * playing)
    risk = saved * chance * (1.0 - chance) * ONE_DOLLAR
    return Price(int(capital + min(risk, rules.risk_max)))


def _worth(fair: FairValue, held: BookSide) -> Price:
    """What is given away by a sale: it must not look cheaper than it is."""
    return price_ceiling(fair.probability if held is BookSide.BID else 1.0 - fair.probability)


def _order(why: _Why, fair: FairValue, sale: _Sale, view: MarketView, rules: EntryRules) -> Candidate:
    fees, worth, quantity = view.market.fees, _worth(fair, sale.held), sale.bound.quantity
    half = exit_value(fees, sale.touch, _lots(max(quantity // 2, SMALLEST_FILL)), sale.held)
    return Candidate(
        ticker=view.market.ticker,
        event_ticker=view.market.event_ticker,
        strategy=rules.strategy,
        side=sale.held.opposite,
        purpose=Purpose.CLOSE,
        price=sale.touch,
        quantity=quantity,
        tif=TimeInForce.IOC,
        post_only=False,
        reduce_only=True,
        fee_role=FeeRole.TAKER,
        fee=estimate(fees, sale.touch, quantity, is_taker=True),
        edge=Price(sale.value - worth),
        edge_half=Price(half - worth),
        fair=fair.probability,
        sigma=fair.sigma,
        model=fair.model,
        model_version=fair.version,
        sizing=Sizing(kelly_full=0.0, kelly_used=0.0, bound_by=sale.bound.name),
        why=why.sentence,
        against=_against(sale.value, worth, view),
    )


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
