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
from core.control.queries.payoff import OUTCOMES

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

PREVIEW: tuple[Field, ...] = (
    PRICE,
    Field("quantity", "contracts", lambda r, n: quantity(r.quantity)),
    Field("cost", "without fee", lambda r, n: money(r.cost)),
    Field("fee", "at the assumed role", lambda r, n: money(r.fee)),
    Field("max_loss", "fee included", lambda r, n: money(r.max_loss)),
    Field("edge", "net edge a contract; null without a fair value", lambda r, n: price(r.edge)),
    Field("fill", "share expected to fill within an hour", lambda r, n: round(r.fill, 2)),
    Field("blocked", "the first rule that would block it, empty for none", lambda r, n: r.blocked),
)

BATCH: tuple[Field, ...] = (
    Field("event", "the venue's name of it", lambda r, n: r.event),
    Field("cards", "that stand", lambda r, n: r.cards),
    Field("cost", "of those that open, without fees", lambda r, n: money(r.cost)),
    Field("fee", "of all", lambda r, n: money(r.fee)),
    Field("event_now", "worst case of the event as it is", lambda r, n: money(r.event_now)),
    Field("event_after", "and with every card sent", lambda r, n: money(r.event_after)),
    Field("event_limit", "its limit", lambda r, n: money(r.event_limit)),
    Field("total_now", "worst case of the desk as it is", lambda r, n: money(r.total_now)),
    Field("total_after", "and with every card sent", lambda r, n: money(r.total_after)),
    Field("total_limit", "its limit", lambda r, n: money(r.total_limit)),
    Field(
        "outcomes",
        "what all cards make, filled whole, fees paid, see batch.outcomes; empty where several may pay YES",
        lambda r, n: nested(OUTCOMES, r.outcomes, n),
    ),
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
    Field("style", "post-only, limit or IOC", lambda r, n: r.style),
    Field("cost", "without fee", lambda r, n: money(r.cost)),
    Field("fee", "at the assumed role", lambda r, n: money(r.fee)),
    Field("fee_role", "maker or taker", lambda r, n: r.fee_role),
    Field("max_loss", "fee included", lambda r, n: money(r.max_loss)),
    Field("max_gain", "fee included", lambda r, n: money(r.max_gain)),
    Field(
        "fair",
        "in terms of the outcome: model and market pooled; null where none stands behind it, as for a plan",
        lambda r, n: price(r.fair),
    ),
    Field("model", "what the model says alone", lambda r, n: price(r.model)),
    Field("market", "what the market says; null: not pooled", lambda r, n: price(r.market)),
    Field(
        "market_sharpened",
        "and as it counts in fair: more certain than it says, by what past prices have shown",
        lambda r, n: price(r.sharpened),
    ),
    Field("weight", "of the model in the pool, 0 to 1", lambda r, n: r.weight),
    Field(
        "sigma",
        "one standard error of fair; null without one",
        lambda r, n: None if r.fair is None else price(r.sigma),
    ),
    Field(
        "edge",
        "net edge a contract, of a plan what a set brings; null without either",
        lambda r, n: None if r.fair is None and r.plan is None else price(r.edge),
    ),
    Field("fill", "share expected to fill within an hour", lambda r, n: round(r.fill, 2)),
    Field(
        "kelly_full",
        "full Kelly of the bankroll, as far as the event's other orders can be had; null where a person chose"
        " the size",
        lambda r, n: None if r.by_hand else round(r.kelly_full, 4),
    ),
    Field(
        "kelly_used",
        "what part of it is used, for error and other events",
        lambda r, n: round(r.kelly_used * r.shrink, 4),
    ),
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
