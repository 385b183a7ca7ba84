"""The Bureau of Labor Statistics' release schedule (``bls.ics``) over the releases of this world.

It is written the way schedules are: folded lines, two names for one zone, days without a time, escaped
commas, an entry that comes twice. Agents that name nobody to write to are turned away.
"""

from __future__ import annotations

from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from core.sim.feeds.around import Around
from core.sim.new_york import DAY_MS, local_ms
from core.sim.releases import Release

PREFIX = "/bls"
ADDRESSES = {"bls": {"site": PREFIX}}
BACK_MS, AHEAD_MS = 120 * DAY_MS, 240 * DAY_MS
_TITLES = {"CPI": "Consumer Price Index", "JOBS": "Employment Situation"}
_LINE_OCTETS = 75


def routes(around: Around) -> list[BaseRoute]:
    return Bureau(around).routes()


class Bureau:
    """The site. ``moved`` shifts a kind's coming releases by milliseconds, as a shutdown does."""

    def __init__(self, around: Around) -> None:
        self._around = around
        self.moved: dict[str, int] = {}

    def routes(self) -> list[BaseRoute]:
        return [Route(f"{PREFIX}/schedule/news_release/bls.ics", self._schedule)]

    async def _schedule(self, request: Request) -> Response:
        agent = request.headers.get("user-agent", "")
        if "@" not in agent and "contact" not in agent:
            return HTMLResponse("<html><body><h1>Access Denied</h1></body></html>", 403)
        return Response(self._text(), media_type="text/calendar")

    def _text(self) -> str:
        now = self._around.now_ms()
        found = self._around.releases.between(now - BACK_MS, now + AHEAD_MS)
        lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//simulated//release schedule//EN"]
        for number, release in enumerate(one for one in found if one.kind.name in _TITLES):
            due_ms = release.due_ms + (self.moved.get(release.kind.name, 0) if release.due_ms > now else 0)
            lines += _event(number, release, due_ms)
        lines += ["BEGIN:VEVENT", "UID:holiday@simulated", "DTSTART;VALUE=DATE:20261225"]
        lines += ["SUMMARY:Federal holiday\\, no releases", "END:VEVENT", "END:VCALENDAR"]
        return "".join(_folded(line) for line in lines)


def _event(number: int, release: Release, due_ms: int) -> list[str]:
    begins = datetime.fromtimestamp(local_ms(due_ms) / 1000, UTC)
    zone = (";TZID=US-Eastern", ";TZID=America/New_York", "")[number % 3]
    period = datetime.fromtimestamp(release.due_ms / 1000 - 30 * 86_400, UTC)
    first = [
        "BEGIN:VEVENT",
        f"UID:{release.kind.name.lower()}-{release.due_ms}@simulated",
        f"DTSTAMP:{period:%Y%m%d}T120000Z",
        f"DTSTART{zone}:{begins:%Y%m%dT%H%M%S}",
        f"SUMMARY:{_TITLES[release.kind.name]} for {period:%B %Y}",
        "DESCRIPTION:Read the release\\, its tables\\; and the technical note on the site of the agency.",
        "END:VEVENT",
    ]
    return first * 2 if number % 4 == 0 else first


def _folded(line: str) -> str:
    """Seventy-five octets at most, then a line end and a blank."""
    parts = [line[:_LINE_OCTETS]]
    rest = line[_LINE_OCTETS:]
    while rest:
        parts.append(rest[: _LINE_OCTETS - 1])
        rest = rest[_LINE_OCTETS - 1 :]
    return "\r\n ".join(parts) + "\r\n"
