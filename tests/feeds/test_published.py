"""What a venue publishes, told as values of a source: times, averages, refusals."""

import asyncio
from typing import Any

import pytest

from core.engine.venue_ears import VenueEars
from core.feeds.feed import FeedState
from core.feeds.published import INDICES, PYTH, PublishedFeed, last_minute
from core.feeds.quotes import Average, Quote
from core.feeds.recording import Recorded
from core.feeds.values import FeedValue
from core.venues.published import Mean, Published

WORLD_MS = 1_700_000_000_000
SPEED = 10.0


class Hearing:
    """A feed in a world that runs ten times as fast, at its origin."""

    def __init__(self, virtual: Any) -> None:
        self.got: list[FeedValue] = []
        self.virtual = virtual
        clocks = virtual.clocks(SPEED, WORLD_MS)
        self.feed = PublishedFeed(INDICES, ("BRTI", "ETHUSD_RTI"), clocks, self.got.append)

    def hear(self, value: float = 81_730.21, at_ms: int = WORLD_MS, **more: Any) -> None:
        self.feed.hear(Published(INDICES.name, "BRTI", value, at_ms, **more))

    def later(self, seconds: float) -> None:
        self.virtual.run_for(seconds, asyncio.Event().wait)


@pytest.fixture
def hearing(virtual: Any) -> Hearing:
    return Hearing(virtual)


def test_values_are_told_with_their_averages(hearing: Hearing) -> None:
    minute = Mean(81_722.9, 60, 60, WORLD_MS)
    hearing.hear(last_minute=minute, settling=Mean(81_768.33, 41, 60, WORLD_MS + 19_000))
    quote, rolling, settling = hearing.got
    assert isinstance(quote, Quote)
    assert (quote.name, quote.source, quote.value) == ("BRTI", "kalshi-indices", 81_730.21)
    assert quote.stamp.event_ms == WORLD_MS
    assert isinstance(rolling, Average) and isinstance(settling, Average)
    assert (rolling.name, rolling.value) == (last_minute("BRTI"), 81_722.9)
    assert (settling.name, settling.value, settling.seconds, settling.of) == ("BRTI", 81_768.33, 41, 60)
    assert settling.ends_ms == WORLD_MS + 19_000


def test_it_waits_is_well_and_grows_old(hearing: Hearing) -> None:
    health = hearing.feed.health()
    assert (health.state, health.detail) == (FeedState.WAITING, "waiting for BRTI, ETHUSD_RTI")
    hearing.hear()
    health = hearing.feed.health()
    assert (health.state, health.detail) == (FeedState.OK, "waiting for ETHUSD_RTI")
    hearing.later(0.4)
    health = hearing.feed.health()
    assert (health.state, health.detail) == (FeedState.STALE, "BRTI 4s old")


@pytest.mark.parametrize(
    ("value", "at_ms", "why"),
    [
        (0.0, WORLD_MS, "it is no price"),
        (float("inf"), WORLD_MS, "it is no price"),
        (1.0, WORLD_MS + 5_001, "in the future"),
        (1.0, WORLD_MS - 1_000, "older than what is held"),
    ],
)
def test_what_cannot_be_is_refused_in_words(hearing: Hearing, value: float, at_ms: int, why: str) -> None:
    hearing.hear()
    told = len(hearing.got)
    hearing.hear(value, at_ms)
    assert len(hearing.got) == told
    assert hearing.feed.health().detail.startswith("BRTI refused: ")
    assert why in hearing.feed.health().detail


def test_what_nobody_asked_for_is_neither_told_nor_kept(hearing: Hearing) -> None:
    for number in range(3):
        hearing.feed.hear(Published(INDICES.name, f"X{number}", 1.0, WORLD_MS))
    health = hearing.feed.health()
    assert (hearing.got, health.state) == ([], FeedState.WAITING)
    assert health.detail == "a value of something that nobody asked for"


def test_averages_that_a_value_between_the_seconds_overtook_are_told_and_their_value_is_not(
    hearing: Hearing,
) -> None:
    hearing.hear(81_740.0, WORLD_MS + 200)
    hearing.hear(last_minute=Mean(81_722.9, 60, 60, WORLD_MS), settling=Mean(81_768.33, 41, 60, WORLD_MS))
    hearing.hear(81_741.0, WORLD_MS + 400)
    assert [(type(value), value.stamp.event_ms - WORLD_MS) for value in hearing.got] == [
        (Quote, 200), (Average, 0), (Average, 0), (Quote, 400),
    ]  # fmt: skip
    assert hearing.feed.health().detail == "waiting for ETHUSD_RTI", "that is no fault of the source"
    hearing.hear(last_minute=Mean(1.0, 60, 60, WORLD_MS - 1_000), at_ms=WORLD_MS - 1_000)
    assert "older than what is held" in hearing.feed.health().detail and len(hearing.got) == 4


def test_every_message_is_recorded_as_it_came(virtual: Any) -> None:
    clocks, kept = virtual.clocks(SPEED, WORLD_MS), list[Recorded]()
    feed = PublishedFeed(INDICES, ("BRTI",), clocks, lambda _: None, kept.append)
    ears = VenueEars()
    ears.publications = {feed.source: feed}
    for source in (INDICES.name, PYTH.name):
        ears.on_publication(source, "cfbenchmarks_value_5hz", b'{"type":')
    [one] = kept
    assert (one.feed, one.what, one.status, one.body) == (
        INDICES.name,
        "cfbenchmarks_value_5hz",
        0,
        b'{"type":',
    )
    assert (one.received_wall_ms, one.received_ns, one.world_ms) == (
        clocks.wall_ms(), clocks.mono_ns(), clocks.world_ms(),
    )  # fmt: skip


def test_one_pair_is_not_taken_for_another(virtual: Any) -> None:
    got: list[FeedValue] = []
    feed = PublishedFeed(PYTH, ("EUR/USD", "USD/JPY"), virtual.clocks(1.0, WORLD_MS), got.append)
    feed.hear(Published(PYTH.name, "EUR/USD", 155.4, WORLD_MS))
    assert (got, feed.health().detail) == ([], "EUR/USD refused: 155.4 is not from 0.5 to 2.5")
    feed.hear(Published(PYTH.name, "USD/JPY", 155.4, WORLD_MS))
    assert len(got) == 1


def test_over_a_weekend_no_new_price_is_due_but_none_may_be_used(virtual: Any) -> None:
    friday_ms = 1_795_816_800_000  # 2026-11-27 17:00 in New York
    got: list[FeedValue] = []
    feed = PublishedFeed(PYTH, ("EUR/USD",), virtual.clocks(1.0, friday_ms - 1_000), got.append)
    feed.hear(Published(PYTH.name, "EUR/USD", 1.15, friday_ms - 1_000))
    virtual.run_for(48 * 3_600, asyncio.Event().wait)
    assert feed.health().state is FeedState.CLOSED
    [quote] = got
    assert isinstance(quote, Quote) and quote.stale_after_s == 5
    virtual.run_for(6, asyncio.Event().wait)
    assert feed.health().state is FeedState.STALE


def test_where_nothing_trades_a_new_connection_waits_for_nothing_and_a_test_says_so(virtual: Any) -> None:
    saturday_ms = 1_795_881_600_000  # 2026-11-28 16:00Z
    for names, state, why in (
        (("EUR/USD", "US10Y"), FeedState.CLOSED, "does not trade now"),
        (("EUR/USD", "XYZ"), FeedState.WAITING, "connection is down"),
    ):
        feed = PublishedFeed(PYTH, names, virtual.clocks(1.0, saturday_ms), lambda _: None)
        assert feed.health().state is state
        assert why in virtual.run(feed.trial()).text
        feed.refuse("8 Unknown channel name")
        assert feed.health().state is FeedState.DOWN
        assert virtual.run(feed.trial()).text == (
            "Nothing came: the venue refuses it: 8 Unknown channel name. "
            "Kalshi charges for it: it wants an entitlement of your account."
        ), "at once"


def test_a_refusal_is_down_in_the_venues_words_until_a_value_comes(hearing: Hearing) -> None:
    hearing.feed.refuse("8 Unknown channel name")
    health = hearing.feed.health()
    assert (health.state, health.detail) == (FeedState.DOWN, "the venue refuses it: 8 Unknown channel name")
    hearing.hear()
    assert hearing.feed.health().state is FeedState.OK


def test_a_test_of_it_waits_for_the_venues_next_value(hearing: Hearing) -> None:
    async def tried(comes: bool) -> Any:
        trial = asyncio.ensure_future(hearing.feed.trial())
        await asyncio.sleep(1)
        if comes:
            hearing.hear(at_ms=WORLD_MS + 10_000)
        return await trial

    found = hearing.virtual.run(tried(comes=True))
    assert (found.passed, found.text) == (
        True, "BRTI 81730.21 came on the venue's connection, 0 ms old.",
    )  # fmt: skip
    found = hearing.virtual.run(tried(comes=False))
    assert (found.passed, found.text.startswith("Nothing came within 10 s")) == (False, True)


def test_where_nothing_trades_the_venues_list_is_the_answer(virtual: Any) -> None:
    saturday_ms = 1_795_881_600_000  # 2026-11-28 16:00Z
    feed = PublishedFeed(PYTH, ("EUR/USD",), virtual.clocks(1.0, saturday_ms), lambda _: None)

    async def lists(source: str) -> None:
        assert source == PYTH.name
        feed.offer(("EUR/USD", "XAU/USD"))

    feed.ask = lists
    found = virtual.run(feed.trial())
    assert (found.passed, found.text) == (
        True,
        "Nothing came within 10 s: what it tells of does not trade now. "
        "The venue lists 2 names, all that is followed among them.",
    )


def test_the_engines_ears_hand_each_publication_to_its_source(hearing: Hearing) -> None:
    ears = VenueEars()
    value = Published(INDICES.name, "BRTI", 81_730.21, WORLD_MS)
    ears.on_published(value)
    ears.on_unpublished(INDICES.name, "why")
    assert hearing.got == [], "nobody is wired yet"
    ears.publications = {hearing.feed.source: hearing.feed}
    ears.on_published(value)
    ears.on_published(Published(PYTH.name, "EUR/USD", 1.15, WORLD_MS))
    assert [quote.name for quote in hearing.got if isinstance(quote, Quote)] == ["BRTI"]
    ears.on_unpublished(INDICES.name, "why")
    assert hearing.feed.health().detail == "the venue refuses it: why"
