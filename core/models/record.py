"""Every model's record: its looks at the events of each series that are over, and what it may do by them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from core.models.calibration import Standing, standing
from core.models.foreseen import Came, Foreseen, Moment
from core.models.pooling import Weights
from core.models.track import Calibration, Scored, Worth, calibration, scored, worth

LOOKS_MAX = 6_000
"""The newest of a series and a model count."""
SURE = 0.8
"""A bet that fair value gave more is one that five in a row lose once in 3,000 times, were it right."""
Key = tuple[str, str]
"""A series and a model."""


class Track(NamedTuple):
    """A record with what it allows."""

    series: str
    model: str
    simulated: bool
    worth: Worth
    calibration: Calibration
    standing: Standing


class Bet(NamedTuple):
    """A bet that was all but sure, as it ended."""

    at_ms: int
    """World time at which its outcome came."""
    won: bool


class Record:
    """``simulated`` says what the desk's world is: looks at a simulated one count in no other."""

    def __init__(self, *, simulated: bool) -> None:
        self._simulated = simulated
        self._over: dict[Key, dict[tuple[str, Moment], tuple[Foreseen, Came]]] = {}
        """Looks whose outcome is known and that nobody has asked after yet."""
        self._scored: dict[Key, dict[tuple[str, Moment], tuple[Scored, ...]]] = {}
        self._beaten: dict[Key, dict[str, tuple[int, float]]] = {}
        self._sure: dict[str, dict[str, tuple[Bet, ...]]] = {}
        """Bets of more than ``SURE``, by series and event."""
        self._worths: dict[Key, Worth | None] = {}
        self._calibrations: dict[Key, Calibration] = {}
        self._standings: dict[tuple[str, str, Weights], Standing] = {}

    def add(self, looks: Sequence[Foreseen], came: Came) -> None:
        """Score what was said of an event; a second outcome takes the first one's place."""
        if not looks or (looks[0].simulated and not self._simulated):
            return
        self._standings.clear()
        for look in looks:
            key = look.series, look.model
            self._over.setdefault(key, {})[look.event, look.moment] = look, came
            self._worths.pop(key, None)
            self._calibrations.pop(key, None)
        sure = [entry for entry in came.entries if entry.said > SURE and entry.ticker in came.paid]
        if sure:
            bets = tuple(Bet(came.at_ms, came.paid[entry.ticker] is entry.yes) for entry in sure)
            self._sure.setdefault(looks[0].series, {})[came.event] = bets
        whole = sum(entry.contracts for entry in came.entries)
        if whole:
            first = looks[0]
            value = sum(entry.beaten * entry.contracts for entry in came.entries) / whole
            day = date.fromisoformat(first.day).toordinal()
            self._beaten.setdefault((first.series, first.model), {})[came.event] = day, value

    def judge(self, series: str, model: str, usual: Weights) -> Standing:
        """What a record allows; asked for every event of every pass, so that an answer is kept."""
        asked = series, model, usual
        if asked not in self._standings:
            found = self._worth((series, model))
            evidence = found.evidence(series, model, simulated=self._simulated) if found is not None else None
            self._standings[asked] = standing(evidence, usual)
        return self._standings[asked]

    def sure_lost(self, since: Callable[[str], int]) -> Mapping[str, int]:
        """How many bets that were all but sure each series has lost in a row, of those whose outcome came
        after ``since`` of it, world time; without series that have lost none."""
        lost = {}
        for series, events in self._sure.items():
            bets = sorted(bet for each in events.values() for bet in each if bet.at_ms > since(series))
            row = len(list(itertools.takewhile(lambda bet: not bet.won, reversed(bets))))
            if row:
                lost[series] = row
        return lost

    def tracks(self) -> Sequence[Track]:
        """Every record there is, by series and model."""
        found = []
        for key in sorted({*self._over, *self._scored}):
            known = self._worth(key)
            if known is not None:
                if key not in self._calibrations:
                    self._calibrations[key] = calibration(self._looks(key))
                judged = self.judge(*key, Weights(0.0))
                found.append(Track(*key, self._simulated, known, self._calibrations[key], judged))
        return found

    def score(self, series: str, model: str) -> str:
        """A record in a few words; empty for none."""
        found = self._worth((series, model))
        if found is None:
            return ""
        mark = "SIM " if self._simulated else ""
        both = f"model {found.alone.value:.2f} market {found.market.value:.2f}"
        return f"{mark}{both} pooled {found.pooled.value:.2f}, {found.gain.days} d"

    def _worth(self, key: Key) -> Worth | None:
        if key not in self._worths:
            self._worths[key] = worth(self._looks(key), list(self._beaten.get(key, {}).values()))
        return self._worths[key]

    def _looks(self, key: Key) -> list[Scored]:
        """What is asked after is scored then: a start has better things to do."""
        held = self._scored.setdefault(key, {})
        over = self._over.pop(key, {})
        names = list(over)[-LOOKS_MAX:]
        held |= dict(zip(names, scored([over[name] for name in names]), strict=True))
        while len(held) > LOOKS_MAX:
            del held[next(iter(held))]
        return [one for each in held.values() for one in each]
