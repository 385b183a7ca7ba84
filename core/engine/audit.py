"""Every settlement against the climate report that stood proxy for its source.

The models know the climate report; the rules name another source. As long as every settled value equals
the report's the proxy holds. The first one that does not calls somebody: what the models know would then no
longer be what pays.
"""

from __future__ import annotations

from typing import TypeVar

from core.domain.market import Extreme, Market, settled_f
from core.engine.alarms import Alarms
from core.engine.record import Scribe
from core.engine.state import AlarmLevel
from core.feeds.values import ClimateReport
from core.journal.events import Kind

KEPT_MAX = 500
"""Reports and settlements remembered, each."""
_Asked = tuple[str, str, Extreme]
"""Station, climate day, and what of it."""
_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


class Audit:
    """Fed by final reports and by markets with a result, in whatever order they come."""

    def __init__(self, scribe: Scribe, alarms: Alarms) -> None:
        self._scribe, self._alarms = scribe, alarms
        self._finals: dict[_Asked, tuple[int, int]] = {}
        """Issue time and value of the final report that counts."""
        self._open: dict[_Asked, Market] = {}
        """Settled and waiting for its report, one market of each event."""
        self._judged: dict[tuple[str, float], bool] = {}
        """Whether the two agreed, by event and settled value: a venue may amend one."""

    @property
    def equal(self) -> int:
        """Settlements that equalled the report."""
        return sum(self._judged.values())

    @property
    def judged(self) -> int:
        return len(self._judged)

    def report(self, report: ClimateReport) -> None:
        """A report: the first final one that holds a value is the one that counts, later ones do not."""
        issued_ms = report.stamp.event_ms
        for extreme, value in ((Extreme.HIGH, report.max_f), (Extreme.LOW, report.min_f)):
            asked = (report.station, report.day, extreme)
            if (
                not report.final
                or value is None
                or self._finals.get(asked, (issued_ms + 1, 0))[0] <= issued_ms
            ):
                continue
            _keep(self._finals, asked, (issued_ms, value))
            if asked in self._open:
                self._compare(asked, self._open.pop(asked), value)

    def settled(self, market: Market) -> None:
        """A market as the venue describes it now; one of an event is enough."""
        if not market.authority or not market.expiration_value:
            return
        if market.station is None or market.climate_day is None or market.extreme is None:
            return
        settled = settled_f(market.expiration_value)
        if settled is None:
            self._unread(market)
            return
        if (market.event_ticker, settled) in self._judged:
            return
        asked = (market.station, market.climate_day, market.extreme)
        if asked in self._finals:
            self._compare(asked, market, self._finals[asked][1])
        else:
            _keep(self._open, asked, market)

    def _compare(self, asked: _Asked, market: Market, reported: int) -> None:
        settled = settled_f(market.expiration_value)
        assert settled is not None
        _keep(self._judged, (market.event_ticker, settled), settled == reported)
        station, day, _ = asked
        text = (
            f"{market.event_ticker} settled on {settled:g}F, the final climate report of {station} "
            f"for {day} says {reported}F"
        )
        self._scribe.desk(
            Kind.FEED if settled == reported else Kind.ANOMALY,
            f"{text}: {self.equal} of {self.judged} settlements equal",
            ticker=market.ticker,
            settled_f=settled,
            reported_f=reported,
        )
        if settled != reported:
            self._alarms.raise_(
                f"audit {market.event_ticker}",
                AlarmLevel.ACT,
                text,
                f"fair values stand for the report, {market.authority} pays: read the rules again",
                "by acknowledging it",
                market.ticker,
            )

    def _unread(self, market: Market) -> None:
        self._alarms.raise_(
            f"audit {market.event_ticker}",
            AlarmLevel.CHECK,
            f"{market.event_ticker} settled on {market.expiration_value!r}, which begins with no number",
            "not compared with the climate report",
            "by acknowledging it",
            market.ticker,
        )


def _keep(held: dict[_Key, _Value], key: _Key, value: _Value) -> None:
    held[key] = value
    if len(held) > KEPT_MAX:
        del held[next(iter(held))]
