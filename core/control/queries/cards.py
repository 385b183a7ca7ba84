"""Proposals and their plans."""

from __future__ import annotations

from core.control.queries.fields import (
    LABEL,
    PRICE,
    SIDE,
    TICKER,
    Field,
    money,
    nested,
    optional,
    price,
    quantity,
    venue_of,
    wait,
)

LEG: tuple[Field, ...] = (
    TICKER,
    Field("outcome", "bought", lambda r, n: r.outcome),
    PRICE,
    Field("quantity", "contracts", lambda r, n: quantity(r.quantity)),
)

PLAN: tuple[Field, ...] = (
    Field("kind", "what sort of set", lambda r, n: r.kind),
    Field("pays", "all of it in the worst outcome, every leg filled", lambda r, n: money(r.pays)),
    Field("profit", "that less cost, fees and the charge for two venues", lambda r, n: money(r.profit)),
    Field("worst", "most that can be lost whichever legs fail", lambda r, n: money(r.worst)),
    Field("cautions", "what can still go wrong", lambda r, n: list(r.cautions)),
    Field("legs", "one object each, in the order they leave", lambda r, n: nested(LEG, r.legs, n)),
)

PROPOSALS: tuple[Field, ...] = (
    Field("id", "for approve and veto: number and fingerprint", lambda r, n: f"{r.id}-{r.fingerprint}"),
    TICKER,
    LABEL,
    Field("venue", "where it would be sent", lambda r, n: venue_of(r.key, n)),
    Field(
        "state", "OPEN, MOVED, BLOCKED, SENT, EXPIRED, VETOED, WITHDRAWN or DEFERRED", lambda r, n: r.state
    ),
    SIDE,
    PRICE,
    Field("quantity", "contracts", lambda r, n: quantity(r.quantity)),
    Field("style", "post-only or IOC", lambda r, n: r.style),
    Field("cost", "without fee", lambda r, n: money(r.cost)),
    Field("fee", "at the assumed role", lambda r, n: money(r.fee)),
    Field("fee_role", "maker or taker", lambda r, n: r.fee_role),
    Field("max_loss", "fee included", lambda r, n: money(r.max_loss)),
    Field("max_gain", "fee included", lambda r, n: money(r.max_gain)),
    Field("fair", "in terms of the outcome: model and market pooled", lambda r, n: price(r.fair)),
    Field("model", "what the model says alone", lambda r, n: price(r.model)),
    Field("market", "what the market says; null: not pooled", lambda r, n: price(r.market)),
    Field("weight", "of the model in the pool, 0 to 1", lambda r, n: r.weight),
    Field("sigma", "one standard error of fair", lambda r, n: price(r.sigma)),
    Field("edge", "net edge a contract", lambda r, n: price(r.edge)),
    Field("fill", "share expected to fill within an hour", lambda r, n: round(r.fill, 2)),
    Field("kelly_full", "full Kelly, of the bankroll", lambda r, n: round(r.kelly_full, 4)),
    Field("kelly_used", "what part of it is used", lambda r, n: round(r.kelly_used * r.shrink, 4)),
    Field("bound_by", "what set the size", lambda r, n: r.bound_by),
    Field("position", "contracts held before", lambda r, n: quantity(r.position)),
    Field("position_after", "and after a complete fill", lambda r, n: quantity(r.position_after)),
    Field("why", "the strongest reason for it", lambda r, n: r.why),
    Field("against", "and against it", lambda r, n: r.against),
    Field("checks", "risk checks that block or warn", lambda r, n: [f"{c.code} {c.text}" for c in r.checks]),
    Field("expires_in_s", "until the card expires", lambda r, n: wait(r.expires_ns, n)),
    Field(
        "plan",
        "orders decided on together, see proposals.plan; null for one order alone",
        lambda r, n: optional(PLAN, r.plan, n),
    ),
)
