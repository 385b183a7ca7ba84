"""Who wins a game, from what bookmakers offer on it: a consensus of their prices without their margins.

Each book's prices lose its margin (``devig.py``); the books' log-odds are averaged by how sharp they are
(``books.toml``), without those far from the weighted median. A price that has not moved for ten minutes
before a game, or a minute during it, counts for nothing: the provider's own stamp says when it looked, not
that anything is so still. How far the ways of taking out the margin are apart, and the books among each
other, is the standard error; that books copy one another makes their number no merit.
"""

from __future__ import annotations

import functools
import importlib.resources
import math
import tomllib
from collections.abc import Mapping, Sequence

import msgspec

from core.feeds.sports import BookOdds, Game
from core.models.devig import DEFAULT, Method, fair
from core.models.fair_value import InputAge, NoPrice
from core.models.families import ODDS_CONSENSUS
from core.models.prediction import Chances, Prediction

VERSION = f"{ODDS_CONSENSUS}-1"
WINNER = "h2h"
BEFORE_S, IN_PLAY_S = 600, 60
"""World seconds after its last change at which a book's price counts no more."""
WEIGHT_MIN = 0.5
"""Of all books together: nothing is priced by a soft book or two."""
APART_MAX = 0.4
"""Log-odds from the weighted median, ten points at even odds: a price that is old or wrong."""
FLOOR = 0.03
"""Log-odds that a consensus is wrong by though all agree: a prior, not measured."""


class Pays(msgspec.Struct, frozen=True):
    """A market, and the team of the game whose win it pays."""

    ticker: str
    team: str


class Consensus(msgspec.Struct, frozen=True):
    """What bookmakers give each outcome of a game, and one standard error of it."""

    chances: Mapping[str, float]
    errors: Mapping[str, float]
    books: tuple[BookOdds, ...]
    """Those it rests on, the sharpest first."""
    left_out: tuple[str, ...]
    """Which were not listened to, and why, a clause each."""
    methods_apart: float
    """The largest difference that the way of taking out the margin makes, as probability."""


def predict(
    event_ticker: str, markets: Sequence[Pays], game: Game, exclusive: bool, why: str, now_ms: int
) -> Prediction | NoPrice:
    """Markets of one event on the winner of one game; ``why`` says how it is known to be about it."""
    found = consensus(game, now_ms)
    if isinstance(found, str):
        return NoPrice(event_ticker, f"{game.away} at {game.home}: {found}")
    unknown = next((one for one in markets if one.team not in found.chances), None)
    if unknown is not None:
        return NoPrice(event_ticker, f"{unknown.ticker}: no bookmaker offers {unknown.team!r}")
    probabilities = [found.chances[one.team] for one in markets]
    errors = [found.errors[one.team] for one in markets]
    whole = math.fsum(probabilities)
    if exclusive and abs(whole - 1.0) > 1e-9:
        return NoPrice(event_ticker, f"its markets hold {whole:.3f} of the game's outcomes, not all of them")
    limit_s = IN_PLAY_S if now_ms >= game.starts_ms else BEFORE_S
    oldest_ms = min(book.moved_ms for book in found.books)
    names = ", ".join(book.book for book in found.books[:4])
    evidence = (
        why,
        f"{len(found.books)} books, the sharpest {names}; ways to take out the margin differ by "
        f"{found.methods_apart * 100:.1f}c",
        *(f"left out: {one}" for one in found.left_out[:3]),
    )
    return Prediction(
        event_ticker=event_ticker,
        tickers=tuple(one.ticker for one in markets),
        exclusive=exclusive,
        says=Chances(tuple(probabilities), tuple(errors)),
        model=ODDS_CONSENSUS,
        version=VERSION,
        mean=probabilities[0],
        spread=errors[0],
        inputs=(InputAge(f"odds ({game.source})", oldest_ms, limit_s),),
        computed_ms=now_ms,
        evidence=evidence,
        why=why,
        sources=len(found.books),
    )


def consensus(game: Game, now_ms: int) -> Consensus | str:
    """Of the books that can be listened to at ``now_ms``, world time, or why there are too few."""
    limit_s = IN_PLAY_S if now_ms >= game.starts_ms else BEFORE_S
    heard: list[BookOdds] = []
    left_out: list[str] = []
    for book in game.books:
        if book.market != WINNER:
            continue
        why = _unheard(book, limit_s, now_ms)
        if why:
            left_out.append(f"{book.book} ({why})")
        else:
            heard.append(book)
    if not heard:
        if not left_out:
            return "no bookmaker offers its winner"
        return f"none of {len(left_out)} bookmakers can be listened to: {left_out[0]}"
    outcomes = tuple(sorted({offer.outcome for book in heard for offer in book.offers}))
    whole = [book for book in heard if {offer.outcome for offer in book.offers} == set(outcomes)]
    left_out += [f"{book.book} (it offers other outcomes)" for book in heard if book not in whole]
    agreed = _agreed(tuple(whole), outcomes)
    left_out += [f"{book.book} (far from the others)" for book in agreed.far]
    total = sum(weight_of(book.book) for book in agreed.kept)
    if total < WEIGHT_MIN - 1e-9:
        names = ", ".join(book.book for book in agreed.kept)
        return f"only {names or 'nobody'} can be listened to: a weight of {total:.2g}, needed {WEIGHT_MIN:g}"
    return Consensus(agreed.chances, agreed.errors, agreed.kept, tuple(left_out), agreed.apart)


def weight_of(book: str) -> float:
    """How sharp a book is, from nothing to one."""
    weights, unlisted = _weights()
    return weights.get(book, unlisted)


class _Agreed(msgspec.Struct, frozen=True):
    """What the books near one another say together; the sharpest first."""

    kept: tuple[BookOdds, ...]
    far: tuple[BookOdds, ...]
    chances: Mapping[str, float]
    errors: Mapping[str, float]
    apart: float


@functools.lru_cache(maxsize=1_000)
def _agreed(books: tuple[BookOdds, ...], outcomes: tuple[str, ...]) -> _Agreed:
    """Known by heart: prices are looked at every second and move once a minute."""
    near, far = _together(books, outcomes)
    kept = sorted(near, key=lambda book: (-weight_of(book.book), book.book))
    if not kept:
        return _Agreed((), tuple(far), {}, {}, 0.0)
    weights = [weight_of(book.book) for book in kept]
    centre = _average(kept, outcomes, weights, DEFAULT)
    assert centre is not None, "every book was heard by this way"
    ways = [found for way in Method if (found := _average(kept, outcomes, weights, way)) is not None]
    errors: list[float] = []
    apart = [max(way[at] for way in ways) - min(way[at] for way in ways) for at in range(len(centre))]
    for at, p in enumerate(centre):
        among = _deviation([_odds(_fair(book, outcomes, DEFAULT)[at]) for book in kept], weights)
        errors.append(math.hypot(apart[at] / 2, p * (1.0 - p) * math.hypot(among, FLOOR)))
    return _Agreed(
        tuple(kept),
        tuple(far),
        dict(zip(outcomes, centre, strict=True)),
        dict(zip(outcomes, errors, strict=True)),
        max(apart),
    )


def _average(
    books: Sequence[BookOdds], outcomes: Sequence[str], weights: Sequence[float], way: Method
) -> tuple[float, ...] | None:
    """Weighted mean of the log-odds, normalised; ``None`` where this way has no answer for a book."""
    found = [fair(_decimals(book, outcomes), way) for book in books]
    if any(isinstance(one, str) for one in found):
        return None
    total = math.fsum(weights)
    means = [
        math.fsum(w * _odds(float(one[at])) for w, one in zip(weights, found, strict=True)) / total
        for at in range(len(outcomes))
    ]
    chances = [1.0 / (1.0 + math.exp(-mean)) for mean in means]
    whole = math.fsum(chances)
    return tuple(chance / whole for chance in chances)


def _together(books: Sequence[BookOdds], outcomes: Sequence[str]) -> tuple[list[BookOdds], list[BookOdds]]:
    """The books near the weighted median in every outcome, and the others."""
    if not books:
        return [], []
    weights = [weight_of(book.book) for book in books]
    odds = [[_odds(p) for p in _fair(book, outcomes, DEFAULT)] for book in books]
    medians = [_median([one[at] for one in odds], weights) for at in range(len(outcomes))]
    near = [
        all(abs(one - median) <= APART_MAX for one, median in zip(of, medians, strict=True)) for of in odds
    ]
    return (
        [book for book, kept in zip(books, near, strict=True) if kept],
        [book for book, kept in zip(books, near, strict=True) if not kept],
    )


def _unheard(book: BookOdds, limit_s: int, now_ms: int) -> str:
    """Why a book's prices count for nothing, a clause; empty where they do."""
    age_ms = now_ms - book.moved_ms
    if age_ms > limit_s * 1000:
        age_s = -(-age_ms // 1000)
        long = f"{age_s} s" if age_s < 3600 else f"{age_s // 3600} h {age_s // 60 % 60:02} min"
        return f"unmoved for {long}, limit {limit_s} s"
    found = fair(tuple(offer.decimal for offer in book.offers), DEFAULT)
    return found if isinstance(found, str) else ""


def _fair(book: BookOdds, outcomes: Sequence[str], way: Method) -> tuple[float, ...]:
    found = fair(_decimals(book, outcomes), way)
    assert not isinstance(found, str), found
    return found


def _decimals(book: BookOdds, outcomes: Sequence[str]) -> tuple[float, ...]:
    prices = {offer.outcome: offer.decimal for offer in book.offers}
    return tuple(prices[outcome] for outcome in outcomes)


def _odds(p: float) -> float:
    held = min(max(p, 1e-9), 1.0 - 1e-9)
    return math.log(held / (1.0 - held))


def _median(values: Sequence[float], weights: Sequence[float]) -> float:
    """The lowest value that half of the weight does not exceed."""
    half, below = math.fsum(weights) / 2, 0.0
    for value, weight in sorted(zip(values, weights, strict=True)):
        below += weight
        if below >= half - 1e-12:
            return value
    raise ValueError("no values")


def _deviation(values: Sequence[float], weights: Sequence[float]) -> float:
    total = math.fsum(weights)
    mean = math.fsum(w * v for w, v in zip(weights, values, strict=True)) / total
    return math.sqrt(math.fsum(w * (v - mean) ** 2 for w, v in zip(weights, values, strict=True)) / total)


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    unlisted: float
    weights: dict[str, float]


@functools.cache
def _weights() -> tuple[Mapping[str, float], float]:
    text = (importlib.resources.files("core.models") / "books.toml").read_text("utf-8")
    table = msgspec.convert(tomllib.loads(text), _Table)
    return table.weights, table.unlisted
