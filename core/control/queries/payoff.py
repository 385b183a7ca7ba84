"""What an event comes to, each way it may end."""

from __future__ import annotations

from core.control.queries.fields import Field, money, nested

OUTCOMES: tuple[Field, ...] = (
    Field("label", "short name of the market that pays YES, or none", lambda r, n: r.label),
    Field("made", "if it does", lambda r, n: money(r.made)),
)

PAYOFF: tuple[Field, ...] = (
    Field("ticker", "the market that was asked about", lambda r, n: r.ticker),
    Field("label", "its event, or itself where several of its event may pay YES", lambda r, n: r.label),
    Field(
        "held",
        "what the event makes in the end by all that was and is held, fees paid, see payoff.held",
        lambda r, n: nested(OUTCOMES, r.held, n),
    ),
    Field(
        "ordered",
        "the same with every working order filled, its fee apart; empty where none works",
        lambda r, n: nested(OUTCOMES, r.ordered, n),
    ),
    Field("realised", "of it closed already, before fees", lambda r, n: money(r.realised)),
    Field("fees", "paid so far", lambda r, n: money(r.fees)),
)
