"""Brings the histories up to date: what is missing, asked within the quotas, written down answer by answer.

It can end at any point and be started again: what is on the disk is not asked for any more. An answer that
cannot be used is refused as a whole and told; a provider that fails again and again is left for another day,
the others go on.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Final

import msgspec

from core.domain.text import clean_text
from core.feeds.declaration import Per, Quota
from core.feeds.fetch import Failed, Fetcher
from core.feeds.stations import HOUR_MS, Station, climate_day
from core.training import guidance, outcomes, previous_runs
from core.training.archive import Archive
from core.training.asks import Ask, Found, Provider

KNOWN_AFTER_MS: Final = 12 * HOUR_MS
"""After its end a day is over for every source."""
RETRY_AFTER_S: Final = (2.0, 8.0, 30.0)
"""Real seconds before another try where the provider names none."""
WAIT_S_MAX: Final = 900.0
"""Real seconds that a quota or a provider is waited for; where it takes longer the rest is for later."""
_ROLLING_SHARE, _CALENDAR_SHARE = 0.5, 0.75
"""Of a quota. The rest is the running engine's, whose short counts nobody else sees."""


class Progress(msgspec.Struct, frozen=True):
    """After each question."""

    done: int
    total: int
    ask: Ask
    rows: int
    """That were added."""
    said: str = ""
    """Why there are none, or what is waited for; empty when all went well."""


class Outcome(msgspec.Struct, frozen=True):
    """How it went."""

    asked: int
    rows: int
    left: int
    """Questions that were not answered."""
    refused: tuple[str, ...] = ()
    """Answers that could not be used, a sentence each."""
    given_up: Mapping[str, str] = {}
    """Providers that were left, with the reason."""


Sleep = Callable[[float], Awaitable[None]]


def quota_share(quotas: Sequence[Quota]) -> tuple[Quota, ...]:
    """What of a provider's quotas an update may use."""
    calendar = (Per.DAY, Per.MONTH)
    return tuple(
        Quota(int(of.most * (_CALENDAR_SHARE if of.per in calendar else _ROLLING_SHARE)), of.per, of.unit)
        for of in quotas
    )


def last_day(station: Station, world_ms: int) -> date:
    """The newest climate day that is over for every source."""
    return date.fromisoformat(climate_day(station, world_ms - KNOWN_AFTER_MS)) - timedelta(days=1)


def plan(archive: Archive, station: Station, days: int, world_ms: int) -> list[Ask]:
    """Everything that is missing of the newest ``days`` days, outcomes first."""
    last = last_day(station, world_ms)
    wanted = [(last - timedelta(days=back)).isoformat() for back in range(days)]
    today, held = date.fromisoformat(climate_day(station, world_ms)), archive.figures
    return [
        *outcomes.plan(station, wanted, held, today),
        *guidance.plan(station, wanted, held),
        *previous_runs.plan(station, wanted, held),
    ]


class Update:
    """One run of it. ``fetchers`` hold to their budgets."""

    def __init__(
        self,
        archives: Mapping[str, Archive],
        fetchers: Mapping[Provider, Fetcher],
        sleep: Sleep,
        tell: Callable[[Progress], None],
    ) -> None:
        self._archives, self._fetchers = archives, fetchers
        self._sleep, self._tell = sleep, tell
        self._given_up: dict[Provider, str] = {}
        self._refused: list[str] = []

    async def run(self, asks: Sequence[Ask]) -> Outcome:
        """Ask all; raises ``OSError`` where a history cannot be written."""
        asked = rows = 0
        for number, ask in enumerate(asks, 1):
            if ask.provider in self._given_up:
                continue
            found = await self._answer(ask, number, len(asks))
            if isinstance(found, Failed):
                if not found.of_provider:
                    self._refused.append(_sentence(ask, found))
                else:
                    self._given_up[ask.provider] = found.reason
                self._tell(Progress(number, len(asks), ask, 0, _sentence(ask, found)))
                continue
            asked += 1
            fresh = {key: value for key, value in found.items() if key in ask.wanted}
            self._archives[ask.station.icao].add(fresh)
            rows += len(fresh)
            self._tell(Progress(number, len(asks), ask, len(fresh)))
        given_up = {provider.value: reason for provider, reason in self._given_up.items()}
        return Outcome(asked, rows, len(asks) - asked, tuple(self._refused), given_up)

    async def _answer(self, ask: Ask, number: int, total: int) -> Found | Failed:
        """The answer after as many tries as a provider in trouble is worth."""
        tries = iter(RETRY_AFTER_S)
        while True:
            found = await ask.answer(self._fetchers[ask.provider])
            if not isinstance(found, Failed) or not found.of_provider or found.key_refused:
                return found
            wait_s = found.retry_after_s
            if not found.spent:
                pause_s = next(tries, None)
                if pause_s is None:
                    return found
                wait_s = pause_s if wait_s is None else wait_s
            if wait_s is None or wait_s > WAIT_S_MAX:
                return found
            said = f"{found.reason}: goes on in {wait_s:.0f} s"
            self._tell(Progress(number, total, ask, 0, said))
            await self._sleep(wait_s)


class _Refusal(msgspec.Struct, frozen=True):
    """How the providers say no."""

    reason: str = ""


def _sentence(ask: Ask, failed: Failed) -> str:
    told = failed.reason
    try:
        said = msgspec.json.decode(failed.body, type=_Refusal).reason if failed.body else ""
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        said = ""
    told += f" ({clean_text(said, 120)})" if said else ""
    return f"{ask.station.icao} {ask.what} {ask.days}: {told.removeprefix(f'{ask.station.icao}: ')}"
