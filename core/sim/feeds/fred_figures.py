"""Series of this world's releases as FRED keeps them: indices and levels by the month or quarter they are of.

A period's value is that of its newest release: another one of the same month or quarter revises it.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from core.sim.feeds.around import Around
from core.sim.new_york import DAY_MS, local_ms
from core.sim.releases import Release

SERIES = {
    "CPIAUCSL": "CPI",
    "CPILFESL": "CPI",
    "CPIAUCNS": "CPI",
    "PAYEMS": "JOBS",
    "UNRATE": "JOBS",
    "A191RL1Q225SBEA": "GDP",
}
"""The kind of release that tells each."""
_BACK_MS = 11 * 365 * DAY_MS
_INDEX, _JOBS, _IDLE = 240.0, 140_000.0, 4.5


def observations(name: str, around: Around) -> list[tuple[date, str]]:
    """What is published of a series now, oldest first."""
    now_ms = around.now_ms()
    told = around.releases.between(now_ms - _BACK_MS, now_ms, SERIES[name])
    newest = {_period(release): release.value for release in told if release.printed_ms <= now_ms}
    days = sorted(newest)
    return list(zip(days, _texts(name, [newest[day] for day in days]), strict=True))


def _texts(name: str, values: list[float]) -> list[str]:
    level, texts = _JOBS if name == "PAYEMS" else _INDEX, []
    for value in values:
        if SERIES[name] == "CPI":
            level *= 1 + value / 100
            texts.append(f"{level:.3f}")
        elif name == "PAYEMS":
            level += value
            texts.append(f"{level:.0f}")
        else:
            texts.append(f"{_IDLE - value / 1_000 if name == 'UNRATE' else value:.1f}")
    return texts


def _period(release: Release) -> date:
    """The month before a release; of output the quarter before."""
    first = datetime.fromtimestamp(local_ms(release.due_ms) / 1000, UTC).date().replace(day=1)
    month = (first - timedelta(days=1)).replace(day=1)
    if release.kind.name != "GDP":
        return month
    back = (month - timedelta(days=32)).replace(day=1)
    return back.replace(month=(back.month - 1) // 3 * 3 + 1)
