"""The gate's single checks: each looks at one thing and returns a ``Finding`` when it does not hold.

Nothing here decides whether a check applies or what happens to a denial; ``gate.py`` holds that.
Inputs named in a check's row of the table are known when it runs.
"""

from __future__ import annotations

import msgspec

from core.domain.market import MarketStatus
from core.domain.order import BookSide, Life, Purpose, TimeInForce
from core.domain.units import ONE_DOLLAR, Money, Price, Quantity, complement
from core.risk.exposure import opposing, reservation, sellable
from core.risk.facts import GateInputs, Presence, Sent
from core.risk.halts import Level
from core.risk.limits import SPEC, Limits, Unit, limit_text
from core.strategy.proposal import Candidate

DUPLICATE_NS = 5_000_000_000
MEDIAN_ORDERS = 20
COLLAR_SHARE_FROM, COLLAR_SHARE_TO = Price(1_000), Price(9_000)
HIGHEST_BUY = Price(9_700)
JUMP_MAX = 0.20
LADDER_SUM = (0.97, 1.03)
SECOND_NS, MINUTE_NS, HOUR_NS = 1_000_000_000, 60_000_000_000, 3_600_000_000_000
LIFETIME_MAX_S = 120
"""Every resting order ends by itself at the venue."""


class Finding(msgspec.Struct, frozen=True):
    """What a check saw and what it allows, as a person reads it."""

    observed: str
    limit: str


def _over(name: str, observed: int, limits: Limits) -> Finding | None:
    """The common comparison: an integer above the limit of that name."""
    spec, limit = SPEC[name], limits.value(name)
    if not observed > limit:
        return None
    unit = {Unit.MILLISECONDS: " ms", Unit.SECONDS: " s", Unit.PERCENT: " %", Unit.MEGABYTES: " MB"}.get(
        spec.unit, ""
    )
    return Finding(f"{spec.label} {limit_text(spec, observed)}{unit}", f"{limit_text(spec, limit)}{unit}")


def _first(*findings: Finding | None) -> Finding | None:
    return next((finding for finding in findings if finding is not None), None)


def _cost(candidate: Candidate) -> Money:
    return reservation(candidate.side, candidate.purpose, candidate.price, candidate.quantity, candidate.fee)


def state(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    allowed = (
        (Level.NORMAL, Level.REDUCE_ONLY, Level.FLATTENING) if candidate.reduces_risk else (Level.NORMAL,)
    )
    if inputs.level not in allowed:
        assert inputs.level is not None
        reason = f": {inputs.level_reason}" if inputs.level_reason else ""
        return Finding(f"{inputs.level.name}{reason}", "NORMAL")
    if candidate.reduces_risk:
        return None
    if not inputs.armed:
        return Finding("this profile is not armed", "armed")
    if inputs.paused:
        return Finding(f"entries are paused ({inputs.paused})", "not paused")
    if any(o.life is Life.UNKNOWN for o in inputs.orders or ()):
        return Finding("an order of this market is UNKNOWN", "none")
    if inputs.reconcile_age_ms is None:
        return Finding("not reconciled yet", "reconciled")
    return _over("reconcile_age_max_s", -(-inputs.reconcile_age_ms // 1000), limits)


def schema(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    market = inputs.market
    assert market is not None
    if market.ticker != candidate.ticker or market.event_ticker != candidate.event_ticker:
        return Finding(f"market {candidate.ticker}", market.ticker)
    if not market.grid.valid(candidate.price):
        return Finding(f"price {candidate.price} is off the market's grid", "a valid price")
    if candidate.quantity <= 0 or candidate.quantity % inputs.lot:
        return Finding(f"quantity {candidate.quantity}", f"a positive multiple of {inputs.lot} millionths")
    if candidate.fee < 0:
        return Finding(f"fee {candidate.fee}", "not negative")
    immediate = candidate.tif is not TimeInForce.GTC
    if candidate.purpose is Purpose.CLOSE:
        if not (immediate and candidate.reduce_only and not candidate.post_only):
            return Finding("a close that could rest", "immediate and reduce-only")
        return None
    if candidate.reduce_only or (candidate.post_only and immediate):
        return Finding("contradictory order flags", "post-only rests, reduce-only closes")
    if not immediate and not 0 < candidate.lifetime_s <= LIFETIME_MAX_S:
        return Finding(f"lifetime {candidate.lifetime_s} s", f"up to {LIFETIME_MAX_S} s")
    return None


def allowed(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    assert inputs.market is not None
    if not inputs.allowed:
        return Finding(f"{inputs.market.series_ticker} is not on the list of markets to trade", "listed")
    if inputs.market.rules_hash != inputs.pinned_rules_hash:
        return Finding("the rules text changed", "the rules as first read")
    return None


def duplicate(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    if inputs.proposal_used:
        return Finding("this proposal was sent before", "once")
    if candidate.reduces_risk:
        return None
    same = (candidate.ticker, candidate.side, candidate.price, candidate.quantity)
    for sent in _within(inputs, DUPLICATE_NS):
        if (sent.ticker, sent.side, sent.price, sent.quantity) == same:
            return Finding("the same order was sent moments ago", f"{DUPLICATE_NS // SECOND_NS} s apart")
    return None


def contracts(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    return _over("order_contracts_max", candidate.quantity, limits)


def order_cost(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    return _over("order_cost_max", _cost(candidate), limits)


def relative_size(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    assert inputs.book is not None
    share = -(-candidate.quantity * 100 // inputs.book.depth) if inputs.book.depth > 0 else 101
    if share > limits.depth_share_max:
        return Finding(f"{min(share, 999)} % of the visible depth", f"{limits.depth_share_max} %")
    last = sorted(s.quantity for s in (inputs.recent or ())[-MEDIAN_ORDERS:])
    if len(last) < MEDIAN_ORDERS:
        return None
    # Twice the median of an even count stays an integer.
    median2 = last[MEDIAN_ORDERS // 2 - 1] + last[MEDIAN_ORDERS // 2]
    if 2 * candidate.quantity > limits.order_median_max * median2:
        times = 2 * candidate.quantity / median2
        return Finding(f"{times:.1f} times the median order", f"{limits.order_median_max} times")
    return None


def collar_book(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    assert inputs.book is not None
    touch = inputs.book.best_ask if candidate.side is BookSide.BID else inputs.book.best_bid
    if touch is None:
        return Finding("nobody offers the other side", "a touch to compare with")
    reference = touch if candidate.side is BookSide.BID else complement(touch)
    price, collar = candidate.outcome_price, int(limits.collar_book)
    if COLLAR_SHARE_FROM <= price <= COLLAR_SHARE_TO:
        collar = min(collar, price // 10)
    if price - reference > collar:
        return Finding(f"{_cents(price - reference)} beyond the touch", _cents(collar))
    return None


def collar_model(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    assert inputs.fair is not None
    # A probability outside [0, 1] is G13's to name; here it only must not overflow.
    fair = round(min(max(inputs.fair.probability, 0.0), 1.0) * ONE_DOLLAR)
    away = abs(candidate.price - fair)
    if away > limits.collar_model:
        return Finding(f"{_cents(away)} away from fair", _cents(limits.collar_model))
    if candidate.edge < limits.edge_min:
        return Finding(f"net edge {_cents(candidate.edge)}", f"at least {_cents(limits.edge_min)}")
    if candidate.edge > limits.edge_max:
        return Finding(f"net edge {_cents(candidate.edge)} is too good", f"{_cents(limits.edge_max)}")
    return None


def cross(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    # On one book in YES terms the asks of both outcomes sum to 1 plus the spread, so a sum below
    # 0.97 is a crossed book too.
    assert inputs.book is not None
    bid, ask = inputs.book.best_bid, inputs.book.best_ask
    if bid is not None and ask is not None and bid >= ask:
        return Finding(f"book crossed or locked, {_cents(bid)} bid at {_cents(ask)}", "bid below ask")
    if candidate.outcome_price > HIGHEST_BUY:
        return Finding(f"buying at {_cents(candidate.outcome_price)}", _cents(HIGHEST_BUY))
    return None


def stale_book(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    assert inputs.book is not None
    if not inputs.book.intact:
        return Finding("the book is out of sequence", "an unbroken sequence")
    if inputs.book.age_ms < 0:
        return Finding("the book's age is negative", "a clock that runs forward")
    return _over("book_age_max_s", -(-inputs.book.age_ms // 1000), limits)


def stale_reference(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    if not inputs.feeds:
        return Finding("no input of the model is known", "every input fresh")
    for feed in inputs.feeds:
        if feed.age_s is None or feed.age_s > feed.stale_after_s:
            age = "never received" if feed.age_s is None else f"{feed.age_s} s old"
            return Finding(f"{feed.name} {age}", f"{feed.stale_after_s} s")
    return None


def model(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    fair = inputs.fair
    assert fair is not None
    if not 0.0 <= fair.probability <= 1.0:
        return Finding(f"probability {fair.probability}", "between 0 and 1")
    if fair.version != candidate.model_version:
        return Finding(f"model version {fair.version}", candidate.model_version)
    if fair.previous is not None and not fair.inputs_changed:
        jump = abs(fair.probability - fair.previous)
        if jump > JUMP_MAX:
            return Finding(f"jump of {jump:.2f} without new input", f"{JUMP_MAX:.2f}")
    if fair.ladder_sum is not None and not LADDER_SUM[0] <= fair.ladder_sum <= LADDER_SUM[1]:
        return Finding(f"brackets sum to {fair.ladder_sum:.3f}", f"{LADDER_SUM[0]} to {LADDER_SUM[1]}")
    return None


def short(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    assert inputs.position is not None and inputs.orders is not None
    outcome = candidate.outcome
    if candidate.reduces_risk:
        free = Quantity(max(0, sellable(inputs.position, inputs.orders, outcome) - inputs.external_sell))
        if candidate.quantity > free:
            return Finding(f"selling {_contracts_text(candidate.quantity)}", f"{_contracts_text(free)} free")
        return None
    against = opposing(inputs.position, inputs.orders, outcome)
    if against > 0:
        return Finding(f"{_contracts_text(against)} of the other outcome held or on order", "none")
    return None


def cash(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    assert inputs.cash is not None and inputs.reserved is not None
    needed, free = inputs.reserved + _cost(candidate), inputs.cash - limits.cash_reserve
    if needed > free:
        return Finding(f"needs {_dollars(needed)} with what is on order", f"{_dollars(free)} free")
    return None


def market_loss(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    assert inputs.worst is not None
    return _over("market_loss_max", inputs.worst.market, limits)


def event_loss(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    assert inputs.worst is not None
    return _over("event_loss_max", inputs.worst.event, limits)


def desk_loss(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    assert inputs.worst is not None
    return _first(
        _over("venue_loss_max", inputs.worst.venue, limits),
        _over("total_loss_max", inputs.worst.total, limits),
    )


def correlated(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    assert inputs.worst is not None
    return _over("correlated_loss_max", inputs.worst.correlated, limits)


def open_orders(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    assert inputs.orders is not None and inputs.open_orders is not None
    return _first(
        _over("open_orders_market_max", sum(o.live for o in inputs.orders) + 1, limits),
        _over("open_orders_total_max", inputs.open_orders + 1, limits),
    )


def rate(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    return _first(
        _over("rate_second_max", len(_within(inputs, SECOND_NS)) + 1, limits),
        _over("rate_minute_max", len(_within(inputs, MINUTE_NS)) + 1, limits),
        _over("rate_hour_max", len(_within(inputs, HOUR_NS)) + 1, limits),
    )


def velocity(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    assert inputs.filled_15s is not None and inputs.filled_5min is not None
    cost = _cost(candidate)
    return _first(
        _over("velocity_15s_max", inputs.filled_15s + cost, limits),
        _over("velocity_5min_max", inputs.filled_5min + cost, limits),
    )


def day_loss(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    assert inputs.day_pnl is not None
    if -inputs.day_pnl >= limits.day_loss_max:
        return Finding(f"lost {_dollars(-inputs.day_pnl)} today", _dollars(limits.day_loss_max))
    return None


def time(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    market = inputs.market
    assert market is not None and inputs.world_ms is not None
    if market.status is not MarketStatus.ACTIVE:
        return Finding(f"market is {market.status.value}", "active")
    if not inputs.trading_active:
        return Finding("the venue is not trading", "trading")
    since, left = inputs.world_ms - market.open_ms, market.close_ms - inputs.world_ms
    if since < limits.open_margin_s * 1000:
        return Finding(f"{since // 1000} s after the open", f"{limits.open_margin_s} s")
    if left < limits.close_margin_s * 1000:
        return Finding(f"{max(0, left // 1000)} s before the close", f"{limits.close_margin_s} s")
    return None


def self_cross(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    for order in inputs.orders or ():
        own = order.intent
        if order.live and own.side is candidate.side.opposite:
            reaches = (candidate.price - own.price) * candidate.side.sign >= 0
            if reaches and order.leaves > 0:
                return Finding(f"would trade with our own order at {_cents(own.price)}", "no own order there")
    return None


def clock(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    assert inputs.clock_offset_ms is not None
    if inputs.clock_stepped:
        return Finding("the clock stepped since the last reconcile", "no step")
    return _over("clock_offset_ms_max", abs(inputs.clock_offset_ms), limits)


def health(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    assert (
        inputs.loop_lag_ms is not None and inputs.sync_p99_ms is not None and inputs.disk_free_mb is not None
    )
    if not inputs.journal_ok:
        return Finding("the journal does not accept rows", "a working journal")
    if inputs.disk_free_mb < limits.disk_free_mb_min:
        return Finding(f"{inputs.disk_free_mb} MB of disk free", f"{limits.disk_free_mb_min} MB")
    return _first(
        _over("loop_lag_ms_max", inputs.loop_lag_ms, limits), _over("sync_ms_max", inputs.sync_p99_ms, limits)
    )


def supervision(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    if inputs.presence is Presence.ABSENT:
        return Finding("nobody supervises", "an attached console, or automatic mode within its time")
    return None


def budget(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    if not inputs.budget_ok:
        return Finding("the venue's rate budget is short", "one order and every cancel")
    return None


def _within(inputs: GateInputs, window_ns: int) -> list[Sent]:
    now = inputs.now_ns
    return [s for s in inputs.recent or () if now - s.at_ns < window_ns]


def _cents(price: int) -> str:
    whole = f"{price / 100:.2f}".rstrip("0").rstrip(".")
    return f"{whole}c"


def _dollars(money: int) -> str:
    return f"{money / 1_000_000:.2f}"


def _contracts_text(quantity: int) -> str:
    return f"{quantity / 1_000_000:.2f}"
