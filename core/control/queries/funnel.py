"""How far markets get on their way to a proposal, and what stops them."""

from __future__ import annotations

from core.control.queries.fields import Field, nested

STOPS: tuple[Field, ...] = (
    Field("why", "what keeps them there, in the words of the first", lambda r, n: r.why),
    Field("markets", "how many", lambda r, n: r.markets),
    Field("examples", "their tickers, at most fifty", lambda r, n: list(r.examples)),
)

FUNNEL: tuple[Field, ...] = (
    Field("stage", "seen, mapped, modelled, fresh, edge, gated or proposed", lambda r, n: r.stage),
    Field("reached", "markets that came at least so far", lambda r, n: r.reached),
    Field("here", "and no further", lambda r, n: r.here),
    Field("reasons", "one object a reason, see funnel.reasons", lambda r, n: nested(STOPS, r.reasons, n)),
)
