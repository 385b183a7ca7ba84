"""The steps that pricing a range begins and ends with, whatever its markets settle on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from core.domain.market import Market
from core.feeds.quotes import Quote, Volatility
from core.models import rungs as ladder
from core.models.fair_value import InputAge
from core.models.prediction import Laws, Part, Prediction
from core.models.ranges.volatility import STILL_MAX, Realised
from core.models.refusal import RefusedError, Term


def settles_on(
    markets: Sequence[Market], term: Callable[[Market], Term | None], absent: str, kind: str
) -> Term:
    """The one ``term`` of all markets of an event, a ``kind`` of thing to settle on; raises ``RefusedError``,
    ``absent`` being why there is none."""
    if doubt := next((market.doubt for market in markets if market.doubt), ""):
        raise RefusedError(doubt)
    found = term(markets[0]) if markets else None
    if found is None:
        raise RefusedError(absent)
    for market in markets:
        if term(market) != found:
            raise RefusedError(f"{market.label} settles on another {kind} than its event's other markets")
    return found


def placed(markets: Sequence[Market], precision: float) -> tuple[ladder.Rung, ...]:
    """``rungs``; raises ``RefusedError`` where they do not fit together."""
    found = ladder.rungs(markets, precision)
    if isinstance(found, str):
        raise RefusedError(found)
    return found


def age_of(name: str, value: Quote | Volatility) -> InputAge:
    """A value as an input of a price, by ``name`` and the source that tells it."""
    return InputAge(f"{name} ({value.source})", value.stamp.event_ms, value.stale_after_s)


def check_moves(name: str, seen: Realised) -> None:
    """Raises ``RefusedError`` for a price whose source goes on telling the same one."""
    if seen.same >= STILL_MAX:
        raise RefusedError(f"{name} came as {seen.last:.6g} for {seen.same} samples: it stands still")


def check_age(age: InputAge, now_ms: int) -> None:
    """Raises ``RefusedError`` for an input beyond its limit, with its name and age."""
    if not age.fresh(now_ms):
        raise RefusedError(f"{age.name} is {too_old(age, now_ms)}")


def too_old(age: InputAge, now_ms: int) -> str:
    """How old and its limit; rounded up, so that what is beyond a limit reads as more than it."""
    return f"{-(-(now_ms - age.event_ms) // 1000)} s old, limit {age.stale_after_s} s"


def predicted(
    markets: Sequence[Market],
    found: Sequence[ladder.Rung],
    part: Part,
    *,
    model: str,
    version: str,
    mean: float,
    spread: float,
    ages: Sequence[InputAge],
    evidence: Sequence[str],
    now_ms: int,
) -> Prediction:
    """An event by one law; ``found`` are its markets on it, and what is said first is why."""
    return Prediction(
        event_ticker=markets[0].event_ticker,
        tickers=tuple(rung.ticker for rung in found),
        exclusive=ladder.exclusive(markets),
        says=Laws((part,)),
        model=model,
        version=version,
        mean=mean,
        spread=spread,
        inputs=tuple(ages),
        computed_ms=now_ms,
        evidence=tuple(evidence),
        why=evidence[0],
    )
