"""The default scenario's first three minutes, staged on the real clock: the same beats for every seed.

A beat is a row of the scenario file. Nothing here waits for the
operator: every beat happens at its time and ends by itself.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import msgspec

from core.domain.clock import Clock
from core.sim.faults import Faults
from core.sim.feeds.switchboard import Switches
from core.sim.polymarket.faults import Faults as PolymarketFaults
from core.sim.scenarios.loader import (
    Beat,
    FeedFault,
    FreezeBooks,
    LagBook,
    LoseAnswer,
    NudgeBook,
    PolymarketFault,
    ShiftForecast,
    TradeWithUs,
    Undersell,
)
from core.sim.traders import Traders
from core.sim.world import World


class Stage(msgspec.Struct, frozen=True):
    """What beats act on. ``account`` is the one the story is told to."""

    world: World
    traders: Traders
    faults: Faults
    polymarket: PolymarketFaults
    feeds: Switches
    account: str


class Story:
    """Plays the scenario's beats once, from ``begin`` on."""

    def __init__(self, beats: tuple[Beat, ...], stage: Stage, real: Clock) -> None:
        self._beats, self._stage, self._real = beats, stage, real
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0
        self.began_ms: int | None = None
        """Real wall time of the start."""

    def begin(self) -> None:
        """The curtain rises, the first time this is called."""
        if self.began_ms is not None:
            return
        self.began_ms = self._real.wall_ms()
        for beat in self._beats:
            self._at(beat.at_s, partial(self._play, beat))

    def step(self) -> None:
        """Play what is due by now."""
        now_ms = self._real.wall_ms()
        while self._due and self._due[0][0] <= now_ms:
            heapq.heappop(self._due)[2]()

    def _at(self, at_s: float, action: Callable[[], None]) -> None:
        assert self.began_ms is not None
        self._count += 1
        heapq.heappush(self._due, (self.began_ms + int(at_s * 1000), self._count, action))

    def _lag(self, station: str, day: int, cents: float) -> None:
        listed = self._stage.world.event(station, day)
        if listed is not None:
            self._stage.traders.lag(listed, cents)

    def _undersell(self, station: str, day: int, cents: float) -> None:
        listed = self._stage.world.event(station, day)
        if listed is not None:
            self._stage.traders.undersell(listed, cents)

    def _play(self, beat: Beat) -> None:
        stage = self._stage
        match beat:
            case ShiftForecast(station=station, shift_f=shift_f):
                day = stage.world.first_day + timedelta(days=beat.day)
                stage.world.weather.publish(station, day, shift_f, stage.world.now_ms())
            case LagBook(cents=cents):
                self._lag(beat.station, beat.day, cents)
            case NudgeBook(ticks=ticks, for_s=for_s):
                listed = stage.world.event(beat.station, beat.day)
                cents = stage.traders.beliefs.lag(listed.event_ticker) if listed else 0.0
                if cents:
                    self._lag(beat.station, beat.day, cents - ticks)
                    self._at(beat.at_s + for_s, partial(self._lag, beat.station, beat.day, cents))
            case Undersell(cents=cents, for_s=for_s):
                self._undersell(beat.station, beat.day, cents)
                self._at(beat.at_s + for_s, partial(self._undersell, beat.station, beat.day, 0.0))
            case TradeWithUs(share=share):
                for order in stage.traders.customer_orders():
                    stage.traders.meet(order, share)
            case FreezeBooks(station=station, for_s=for_s):
                tickers = [t for x in stage.world.open_listings() if x.station == station for t in x.tickers]
                stage.faults.freeze_books(tickers)
                self._at(beat.at_s + for_s, partial(stage.faults.thaw_books, tickers))
            case FeedFault(feed=feed, fault=fault, value=value, for_s=for_s):
                stage.feeds.flip(feed, fault, value)
                self._at(beat.at_s + for_s, partial(stage.feeds.end, feed, fault))
            case PolymarketFault(fault=fault, value=value, for_s=for_s):
                stage.polymarket.flip(fault, value)
                if for_s:
                    self._at(beat.at_s + for_s, partial(stage.polymarket.end, fault))
            case LoseAnswer(hide_s=hide_s):
                stage.faults.lose_next_create_answer(stage.account, int(hide_s * 1000))
