"""Cadence, backoff, breaker and health in virtual time."""

import asyncio
import random
from typing import Any

import pytest

from core.feeds.feed import FeedState
from core.feeds.fetch import Failed
from core.feeds.nws import GRID
from core.feeds.polling import Polled, PolledFeed


class Scripted:
    """A source that notes when it was asked and answers what the test says."""

    stale_after_s = 3600

    def __init__(self, virtual: Any, key: str = "KNYC") -> None:
        self.key, self.newest_ms = key, None
        self._virtual = virtual
        self.answer: Any = Polled(0, changed=True)
        self.asked_s: list[float] = []

    async def poll(self) -> Polled | Failed:
        self.asked_s.append(self._virtual.loop.time())
        return self.answer(self) if callable(self.answer) else self.answer


def feed(virtual: Any, *sources: Scripted, interval_s: float = 600, speed: float = 1.0) -> PolledFeed:
    return PolledFeed(GRID, sources, interval_s, virtual.clocks(speed), random.Random(7))


def gaps(source: Scripted) -> list[float]:
    return [b - a for a, b in zip(source.asked_s, source.asked_s[1:], strict=False)]


@pytest.mark.parametrize(
    ("speed", "interval_s", "expected"),
    [
        (1.0, 600.0, 600.0),
        (144.0, 600.0, 600 / 144),
        (10_000.0, 600.0, 2.0),
        (1.0, 1.0, 1.0),
        (1.0, 0.5, 1.0),
    ],
)
def test_cadence_is_world_time_never_under_a_real_second_nor_in_a_fast_world_under_two(
    virtual: Any, speed: float, interval_s: float, expected: float
) -> None:
    source = Scripted(virtual)
    virtual.run_for(expected * 4.5, feed(virtual, source, interval_s=interval_s, speed=speed).run)
    assert gaps(source) == pytest.approx([expected] * 4)


def test_a_source_may_ask_to_be_polled_sooner_once(virtual: Any) -> None:
    source = Scripted(virtual)
    source.answer = lambda s: Polled(0, True, again_in_s=30.0 if len(s.asked_s) == 1 else None)
    virtual.run_for(1000, feed(virtual, source).run)
    assert gaps(source) == [30.0, 600.0]


def test_backoff_is_jittered_and_the_breaker_probes_once_a_minute(virtual: Any) -> None:
    source = Scripted(virtual)
    source.answer = Failed("HTTP 503", 503)
    polled = feed(virtual, source)
    virtual.run_for(400, polled.run)
    early, probes = gaps(source)[:2], gaps(source)[2:]
    assert early[0] == 1.0
    assert 1.0 <= early[1] <= 2
    assert probes == pytest.approx([60.0] * len(probes))
    assert len(probes) >= 5
    health = polled.health()
    assert health.state is FeedState.DOWN
    assert "KNYC: HTTP 503" in health.detail
    assert health.retry_at_ns is not None


def test_an_open_breaker_lets_one_source_ask_for_all(virtual: Any) -> None:
    sources = [Scripted(virtual, key) for key in ("KNYC", "KMDW", "KMIA", "KAUS", "KDEN")]
    for source in sources:
        source.answer = Failed("HTTP 503", 503)
    polled = feed(virtual, *sources)

    def heal(asked: Scripted) -> Polled | Failed:
        return Polled(0, True) if virtual.loop.time() > 300 else Failed("HTTP 503", 503)

    for source in sources:
        source.answer = heal
    virtual.run_for(420, polled.run)
    asked = sorted(at for s in sources for at in s.asked_s)
    assert len([at for at in asked if 10 < at < 299]) <= 5
    # Back: the others follow at once, and nobody waits for another probe.
    assert all(s.asked_s[-1] > 300 for s in sources)
    assert polled.health().failures == 0


def test_one_broken_source_backs_off_by_itself_while_the_others_work(virtual: Any) -> None:
    good, bad = Scripted(virtual, "KNYC"), Scripted(virtual, "KDEN")
    good.newest_ms = virtual.clocks().world_ms()
    bad.answer = Failed("HTTP 500", 500)
    polled = feed(virtual, good, bad, interval_s=5.0)
    virtual.run_for(300, polled.run)
    assert len(good.asked_s) >= 55
    assert len(bad.asked_s) <= 150
    assert "KDEN: HTTP 500" in polled.health().detail


def test_retry_after_is_honoured(virtual: Any) -> None:
    source = Scripted(virtual)
    source.answer = lambda s: Failed("HTTP 429", 429, 45.0) if len(s.asked_s) == 1 else Polled(0, True)
    virtual.run_for(100, feed(virtual, source).run)
    assert gaps(source)[0] == pytest.approx(45.0)


def test_a_providers_wish_to_be_left_alone_is_about_all_that_asks_it(virtual: Any) -> None:
    told, other = Scripted(virtual, "KNYC"), Scripted(virtual, "KDEN")
    told.answer = lambda s: Failed("HTTP 429", 429, 45.0) if len(s.asked_s) == 2 else Polled(0, True)
    other.answer = Polled(0, True)
    virtual.run_for(120, feed(virtual, told, other, interval_s=10).run)
    assert told.asked_s[:3] == pytest.approx([0.0, 10.0, 55.0])
    assert not [at for at in other.asked_s if 10.0 < at < 55.0], "one provider, one wish"
    assert next(at for at in other.asked_s if at >= 55.0) == pytest.approx(55.0)


def test_a_wish_that_is_said_again_meanwhile_moves_those_who_wait(virtual: Any) -> None:
    class Slow(Scripted):
        async def poll(self) -> Polled | Failed:
            outcome = await super().poll()
            await asyncio.sleep(20)
            return outcome

    told, late, other = Scripted(virtual, "KNYC"), Slow(virtual, "KMDW"), Scripted(virtual, "KDEN")
    told.answer = lambda s: Failed("", 429, 45.0) if len(s.asked_s) == 1 else Polled(0, True)
    late.answer = lambda s: Failed("", 429, 90.0) if len(s.asked_s) == 1 else Polled(0, True)
    virtual.run_for(112, feed(virtual, late, told, other, interval_s=10).run)
    assert other.asked_s == pytest.approx([110.0]), "it waited for 45, and at 20 came 110"


def test_of_two_wishes_to_be_left_alone_the_longer_one_holds(virtual: Any) -> None:
    """Both were asked before the first answer came."""

    class Slow(Scripted):
        async def poll(self) -> Polled | Failed:
            outcome = await super().poll()
            await asyncio.sleep(20)
            return outcome

    long, short, other = Scripted(virtual, "KNYC"), Slow(virtual, "KMDW"), Scripted(virtual, "KDEN")
    long.answer = lambda s: Failed("", 429, 90.0) if len(s.asked_s) == 1 else Polled(0, True)
    short.answer = lambda s: Failed("", 429, 5.0) if len(s.asked_s) == 1 else Polled(0, True)
    virtual.run_for(95, feed(virtual, other, short, long, interval_s=30).run)
    assert other.asked_s == pytest.approx([0.0, 90.0])


def test_a_remark_is_shown_and_is_no_failure(virtual: Any) -> None:
    source = Scripted(virtual)
    source.answer = lambda s: Polled(0, True, remark="x set aside" if len(s.asked_s) == 1 else "")
    source.newest_ms = virtual.clocks().world_ms()
    polled = feed(virtual, source)
    virtual.run_for(5, polled.run)
    health = polled.health()
    assert (health.state, health.failures, health.detail) == (FeedState.OK, 0, "KNYC: x set aside")
    virtual.run_for(700, polled.run)
    assert polled.health().detail == ""


def test_a_test_does_not_ask_either_what_wants_to_be_left_alone(virtual: Any) -> None:
    source = Scripted(virtual)
    source.answer = Failed("HTTP 429", 429, 45.0)
    polled = feed(virtual, source)
    virtual.run_for(5, polled.run)
    tried = virtual.run(polled.trial())
    assert (tried.passed, source.asked_s) == (False, [0.0])
    assert tried.text == "Nothing was asked: its provider wants no questions for 40 s."
    virtual.run_for(41, lambda: asyncio.sleep(100))
    source.answer = Polled(0, changed=True)
    assert virtual.run(polled.trial()).passed


def test_a_failing_source_is_never_asked_twice_in_a_second(virtual: Any) -> None:
    good, bad = Scripted(virtual, "KNYC"), Scripted(virtual, "KDEN")
    bad.answer = Failed("HTTP 500", 500)
    virtual.run_for(200, feed(virtual, good, bad, interval_s=2.0).run)
    assert len(bad.asked_s) > 50 and min(gaps(bad)) >= 0.999


def test_a_429_without_a_wish_halves_the_cadence_for_ten_minutes(virtual: Any) -> None:
    source = Scripted(virtual)
    source.answer = lambda s: Failed("HTTP 429", 429) if len(s.asked_s) == 1 else Polled(0, True)
    virtual.run_for(1500, feed(virtual, source, interval_s=100).run)
    spaced = gaps(source)[1:]
    assert spaced[:3] == pytest.approx([200.0] * 3)
    assert spaced[-1] == pytest.approx(100.0)


def test_health_ages_in_world_time_and_names_the_laggard(virtual: Any) -> None:
    fresh, old = Scripted(virtual, "KNYC"), Scripted(virtual, "KDEN")
    polled = feed(virtual, fresh, old)
    assert polled.health().state is FeedState.WAITING
    now_ms = virtual.clocks().world_ms()
    fresh.newest_ms, old.newest_ms = now_ms, now_ms - 3_599_000
    assert polled.health().state is FeedState.OK
    assert polled.health().newest_event_ms == old.newest_ms
    old.newest_ms = now_ms - 3_601_000
    assert polled.health().state is FeedState.STALE
    assert polled.health().detail == "KDEN 60m old"
    old.newest_ms = now_ms - 33 * 3_600_000
    assert polled.health().detail == "KDEN 33h old"
    old.newest_ms = now_ms - 2163 * 3_600_000
    assert polled.health().detail == "KDEN 90d old"


def test_a_row_shows_the_age_and_the_limit_of_what_is_nearest_to_it(virtual: Any) -> None:
    daily, quarterly = Scripted(virtual, "VIXCLS"), Scripted(virtual, "GDP")
    daily.stale_after_s, quarterly.stale_after_s = 4 * 86_400, 230 * 86_400
    polled = feed(virtual, daily, quarterly)
    now_ms = virtual.clocks().world_ms()
    daily.newest_ms, quarterly.newest_ms = now_ms - 86_400_000, now_ms - 151 * 86_400_000
    health = polled.health()
    assert (health.newest_event_ms, health.stale_after_s) == (quarterly.newest_ms, 230 * 86_400)
    daily.newest_ms = now_ms - 3 * 86_400_000
    assert polled.health().newest_event_ms == daily.newest_ms
    assert polled.health().stale_after_s == 4 * 86_400


def test_unchanged_polls_are_counted(virtual: Any) -> None:
    source = Scripted(virtual)
    source.answer = lambda s: Polled(0, changed=len(s.asked_s) == 1)
    polled = feed(virtual, source)
    virtual.run_for(1900, polled.run)
    assert polled.health().unchanged_polls == 3


def test_an_unexpected_error_ends_the_feed_for_its_supervisor(virtual: Any) -> None:
    source = Scripted(virtual)

    def broken(_: Scripted) -> Polled:
        raise ZeroDivisionError

    source.answer = broken
    with pytest.raises(ExceptionGroup):
        virtual.run_for(5, feed(virtual, source).run)


def test_a_service_that_says_retry_at_once_is_still_given_a_second(virtual: Any) -> None:
    source = Scripted(virtual)
    source.answer = Failed("HTTP 429", 429, retry_after_s=0.0)
    virtual.run_for(30, feed(virtual, source).run)
    assert min(gaps(source)) >= 1.0
    assert len(source.asked_s) >= 20
