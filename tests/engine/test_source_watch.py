"""Sources that are bad call somebody once a family, and only when they stay so."""

from __future__ import annotations

import asyncio

import msgspec

from core.engine.source_watch import GRACE_NS
from core.engine.state import Alarm, AlarmLevel
from core.feeds.feed import FeedHealth, FeedState, Tried
from tests.execution.bench import Bench, running
from tests.virtual import VirtualLoop, run_virtual

GRACE_S = GRACE_NS / 1e9


class Played:
    """A source whose state a test sets."""

    def __init__(self, name: str, family: str) -> None:
        self.name = name
        self.at = FeedHealth(name, FeedState.OK, 0, 0, 3, family=family, source=name.lower())

    def turns(self, state: FeedState, detail: str = "", failures: int = 0) -> None:
        self.at = msgspec.structs.replace(self.at, state=state, detail=detail, failures=failures)

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def trial(self) -> Tried:
        return Tried(False, "")

    def health(self) -> FeedHealth:
        return self.at


def played(bench: Bench) -> tuple[Played, Played, Played]:
    sources = Played("ONE", "tides"), Played("TWO", "tides"), Played("SUN", "suns")
    bench.engine.guard.feeds = (*bench.engine.guard.feeds, *sources)
    return sources


def standing(bench: Bench) -> list[Alarm]:
    names = ("ONE", "TWO", "SUN")
    return [a for a in bench.engine.state.alarms.values() if a.active and any(n in a.what for n in names)]


def test_a_hiccup_calls_nobody_and_what_stays_bad_calls_once_a_family() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, ready=False) as bench:
            one, two, sun = played(bench)
            await asyncio.sleep(2)
            one.turns(FeedState.STALE, "BTC/USD 4s old")
            await asyncio.sleep(GRACE_S - 2)
            one.turns(FeedState.OK)
            await asyncio.sleep(2)
            one.turns(FeedState.DOWN, "HTTP 503")
            sun.turns(FeedState.DOWN, "no route")
            await asyncio.sleep(GRACE_S - 2)
            assert not standing(bench), "its grace begins anew each time"
            one.turns(FeedState.STALE, "BTC/USD 40s old")
            await asyncio.sleep(4)
            tides, suns = standing(bench)
            assert tides.what == "ONE STALE: BTC/USD 40s old", "bad is bad, in whichever way"
            assert tides.level is AlarmLevel.CHECK and tides.effect.startswith("entries that rest on it")
            assert suns.effect == "no source of suns is good: entries that rest on them stop"
            two.turns(FeedState.AUTH, "the key is refused")
            await asyncio.sleep(GRACE_S + 2)
            assert standing(bench) == [tides, suns], "one alarm a family"
            assert tides.what == "2 sources of tides: ONE STALE: BTC/USD 40s old; TWO AUTH"
            assert tides.clears == "its next good answer and another key and a restart"
            one.turns(FeedState.OK)
            two.turns(FeedState.CLOSED)
            await asyncio.sleep(2)
            assert standing(bench) == [suns]

    run_virtual(main)


def test_a_connection_that_is_opened_anew_and_says_nothing_is_not_back() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, ready=False) as bench:
            one, _, _ = played(bench)
            for turn in range(1, 4):
                assert not standing(bench)
                one.turns(FeedState.DOWN, "closed: 1008", failures=turn)
                await asyncio.sleep(GRACE_S / 4)
                one.turns(FeedState.WAITING, failures=turn)
                await asyncio.sleep(3)
            [alarm] = standing(bench)
            assert alarm.clears == "its next good answer"
            one.turns(FeedState.WAITING)  # it has answered, and knows of nothing
            await asyncio.sleep(2)
            assert not standing(bench)

    run_virtual(main)


def test_one_more_source_rings_again_where_somebody_has_seen_the_first() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, ready=False) as bench:
            one, two, _ = played(bench)
            one.turns(FeedState.DOWN, "HTTP 503")
            await asyncio.sleep(GRACE_S + 2)
            [first] = standing(bench)
            assert bench.engine.desk.alarms.acknowledge(first.id, "x")
            one.turns(FeedState.DOWN, "HTTP 502")
            await asyncio.sleep(GRACE_S)
            assert standing(bench) == [first], "other words are the same alarm"
            two.turns(FeedState.DOWN, "HTTP 503")
            await asyncio.sleep(GRACE_S + 2)
            [second] = standing(bench)
            assert second.id != first.id and not second.acknowledged

    run_virtual(main)
