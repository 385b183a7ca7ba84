"""What Kalshi publishes beside its markets: read, refused, and never at the expense of the connection."""

import asyncio
import json
import random
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.config import paths
from core.control.feeds_alone import NotAskedError, ask_alone
from core.feeds.feed import Tried
from core.feeds.published import FOLLOWED, PublishedFeed
from core.feeds.published import INDICES as DECLARED
from core.feeds.quotes import Average, Quote
from core.feeds.recording import Recorded
from core.feeds.values import FeedValue
from core.venues.kalshi.channel import DESK, Wanted, published
from core.venues.kalshi.facts import Denied, GiveUp, Listed, Missed, Oddity, PublicationSeen, ValueSeen
from core.venues.kalshi.hosts import Addresses
from core.venues.kalshi.publications import FAST, INDICES, PUBLISHED, PYTH
from core.venues.kalshi.publisher import Publisher
from core.venues.kalshi.sign import load_signer
from core.venues.kalshi.stream import StreamState
from core.venues.published import Mean, Published
from tests.venues.conftest import Recorder, SimKalshi

S = 1_000_000_000
SHARED = Path(__file__).resolve().parents[2].parent / "shared"
MESSAGES = SHARED / "data/feeds/venue_feeds/documented_messages.jsonl"
NAMES = {"kalshi-indices": ("BRTI",), "kalshi-pyth": ("EUR/USD",)}


def index(**fields: Any) -> Any:
    data = {"type": "value", "id": "BRTI", "time": 1_795_292_081_000, "value": "81764.70"}
    body = {
        "index_id": "BRTI",
        "received_at": 1_795_292_081_214,
        "data": json.dumps(data | fields.pop("data", {})),
        "avg_60s_data": {"value": "81770.11", "window_size": 60},
        "last_60s_windowed_average_15min": {"value": "81768.33", "window_size": 41},
    }
    return {"type": INDICES, "sid": 1, "seq": 1, "msg": body | fields}


def fast(**fields: Any) -> Any:
    body = {
        "index_id": "BRTI",
        "value_usd": "81764.90000000",
        "source_ts_ms": 1_795_292_081_200,
        "received_at": 1_795_292_081_214,
        "data": "{}",
    }
    return {"type": FAST, "sid": 1, "seq": 1, "msg": body | fields}


def feed(message: Any) -> list[Any]:
    """What a message comes to, beside its own bytes for the record."""
    data = json.dumps(message).encode()
    came, *facts = StreamState(published(NAMES)).feed(data, 0)
    assert came == PublicationSeen(message["type"], data)
    return facts


def test_each_publication_is_a_source_of_the_same_name() -> None:
    assert set(PUBLISHED.values()) == set(FOLLOWED)


def test_a_value_comes_with_its_own_time_and_both_averages() -> None:
    quarter_ms = 1_795_292_100_000
    assert feed(index()) == [
        ValueSeen(
            Published(
                "kalshi-indices",
                "BRTI",
                81_764.70,
                1_795_292_081_000,
                Mean(81_770.11, 60, 60, 1_795_292_081_000),
                Mean(81_768.33, 41, 60, quarter_ms),
            )
        )
    ]


@pytest.mark.skipif(not MESSAGES.is_file(), reason="the recordings in ../shared are not here")
def test_the_documented_messages_are_read() -> None:
    lines = [json.loads(line) for line in MESSAGES.read_text().splitlines()]
    frames = [line["frame"] for line in lines if line["source"] == "kalshi_ws" and "type" in line["frame"]]
    found = [seen.value for frame in frames for seen in feed(frame)]
    assert [(one.source, one.name, one.value) for one in found] == [
        ("kalshi-indices", "BRTI", 81_730.21),
        ("kalshi-indices", "BRTI", 81_764.70),
        ("kalshi-pyth", "XAU/USD", 4_123.55),
    ]
    assert [one.settling is not None for one in found] == [False, True, False]


@given(
    st.sampled_from(["data", "index_id", "avg_60s_data", "last_60s_windowed_average_15min"]),
    st.none() | st.integers() | st.text(max_size=9) | st.dictionaries(st.text(max_size=5), st.integers()),
    st.sampled_from(["time", "value"]),
)
def test_whatever_is_in_it_nothing_is_raised(field: str, value: Any, inner: str) -> None:
    for message in (index(**({field: value} if field != "data" else {})), index(data={inner: value})):
        for fact in feed(message):
            assert isinstance(fact, ValueSeen | Oddity), "whatever it is, its bytes are kept"
            if isinstance(fact, ValueSeen):
                assert 0 <= fact.value.value < float("inf")
    feed(index() | {"msg": index()["msg"] | {"data": value}})
    feed(fast(**{"value_usd" if field == "data" else "source_ts_ms": value}))


def test_a_value_between_the_seconds_comes_without_averages() -> None:
    [seen] = feed(fast())
    assert seen == ValueSeen(Published("kalshi-indices", "BRTI", 81_764.90, 1_795_292_081_200))


@pytest.mark.parametrize("window", [-1, 61, 62])
def test_an_average_that_cannot_be_is_left_out_and_its_value_is_told(window: int) -> None:
    """The rolling window has its first moment and not its last: 61 values may be in it."""
    for field, most in (("avg_60s_data", 61), ("last_60s_windowed_average_15min", 60)):
        seen, *odd = feed(index(**{field: {"value": "81768.33", "window_size": window}}))
        assert isinstance(seen, ValueSeen) and seen.value.value == 81_764.70
        mean = seen.value.last_minute if most == 61 else seen.value.settling
        if window == most:
            assert mean == Mean(81_768.33, 60, 60, 1_795_292_081_000) and not odd
        else:
            assert (
                mean is None and f"{field}: its window_size {window} is not from 0 to {most}" in odd[0].detail
            )
    [_, odd] = feed(index(avg_60s_data={"value": "-1", "window_size": 60}))
    assert "avg_60s_data: '-1' is no positive number" in odd.detail


def opened() -> tuple[StreamState, dict[str, int]]:
    """A desk's stream on which everything but the publications is granted, and their commands' ids."""
    state = StreamState((*DESK, *published(NAMES)))
    state.opened(0)
    asked = {}
    for sid, command in enumerate(map(json.loads, state.commands()), 1):
        [name] = command["params"]["channels"]
        if name in PUBLISHED:
            asked[name] = command["id"]
        else:
            granted = {"type": "subscribed", "id": command["id"], "msg": {"channel": name, "sid": sid}}
            state.feed(json.dumps(granted).encode(), 0)
    return state, asked


def test_they_are_asked_for_by_the_venues_own_names() -> None:
    state = StreamState(published(NAMES))
    state.opened(0)
    assert [json.loads(command)["params"] for command in state.commands()] == [
        {"channels": [INDICES], "index_ids": ["BRTI"]},
        {"channels": [FAST], "index_ids": ["BRTI"]},
        {"channels": [PYTH], "underlying_tickers": ["FX.EUR/USD"]},
    ]


def test_an_index_the_fast_channel_does_not_have_is_not_asked_of_it() -> None:
    asked = published({"kalshi-indices": ("LINKUSD_RTI",)})
    assert asked == (Wanted(INDICES, index_ids=("LINKUSD_RTI",)),)


def test_one_that_is_refused_or_never_answered_is_told_and_costs_nothing_else() -> None:
    state, asked = opened()
    error = {"type": "error", "id": asked[PYTH], "msg": {"code": 8, "msg": "Unknown channel name"}}
    facts = list(state.feed(json.dumps(error).encode(), S))
    assert Denied(PYTH, "8 Unknown channel name") in facts
    late = list(state.tick(6 * S))
    assert late == [Denied(channel, "no answer in 5 s") for channel in (INDICES, FAST)]
    assert not any(isinstance(fact, GiveUp) for fact in (*facts, *late, *state.tick(60 * S)))


def test_what_a_channel_has_is_asked_of_it_and_one_that_was_refused_is_asked_for_anew() -> None:
    state, asked = opened()
    state.commands()
    state.ask("kalshi-indices", 0)
    assert not state.commands(), "it is asked for already"
    granted = {"type": "subscribed", "id": asked[INDICES], "msg": {"channel": INDICES, "sid": 77}}
    state.feed(json.dumps(granted).encode(), 0)
    refused = {"type": "error", "id": asked[PYTH], "msg": {"code": 8, "msg": "Unknown channel name"}}
    state.feed(json.dumps(refused).encode(), 0)
    state.ask("kalshi-indices", S)
    state.ask("kalshi-pyth", S)
    [listing, anew] = [json.loads(command) for command in state.commands()]
    assert (listing["cmd"], listing["params"]) == (
        "update_subscription",
        {"sids": [77], "action": "indexlist"},
    )
    assert (anew["cmd"], anew["params"]["channels"]) == ("subscribe", [PYTH])
    reply = {
        "type": f"{INDICES}_indexlist",
        "id": listing["id"],
        "sid": 77,
        "seq": 1,
        "msg": {"index_ids": ["BRTI"]},
    }
    assert list(state.feed(json.dumps(reply).encode(), S)) == [Listed(INDICES, ("BRTI",))]
    again = {"type": "error", "id": anew["id"], "msg": {"code": 8, "msg": "Unknown channel name"}}
    assert Denied(PYTH, "8 Unknown channel name") in state.feed(json.dumps(again).encode(), S)
    gap = index() | {"sid": 77, "seq": 3}
    assert Missed(INDICES) in state.feed(json.dumps(gap).encode(), S), "the reply has a number like any other"
    state.closed()
    state.ask("kalshi-indices", S)
    assert not state.commands()


def test_a_gap_in_it_is_no_gap_in_the_account() -> None:
    state, asked = opened()
    granted = {"type": "subscribed", "id": asked[INDICES], "msg": {"channel": INDICES, "sid": 77}}
    state.feed(json.dumps(granted).encode(), 0)
    for seq in (1, 4):
        facts = list(state.feed(json.dumps(index() | {"sid": 77, "seq": seq}).encode(), seq))
    assert Missed(INDICES) in facts
    assert [fact.value.name for fact in facts if isinstance(fact, ValueSeen)] == ["BRTI"]


async def test_what_is_lost_of_it_does_not_have_the_account_read(sim: SimKalshi, recorder: Recorder) -> None:
    venue = sim.client(recorder, publishes=FOLLOWED)
    venue._deliver(Listed(PYTH, ("EUR/USD",)))
    assert recorder.publication_lists == [("kalshi-pyth", ("EUR/USD",))]
    for channel in PUBLISHED:
        venue._deliver(Missed(channel))
        venue._deliver(Denied(channel, "8 Unknown channel name"))
    venue._deliver(PublicationSeen(FAST, b"as it came"))
    assert recorder.publications == [("kalshi-indices", FAST, b"as it came")]
    assert recorder.reconnects == 0
    refused = [(PUBLISHED[channel], "8 Unknown channel name") for channel in (INDICES, PYTH)]
    assert recorder.unpublished == refused, "without the fast channel its source is as well as it was"
    assert ("no values between seconds", f"{FAST}: 8 Unknown channel name") in recorder.anomalies
    venue._deliver(Missed("fill"))
    assert recorder.reconnects == 1
    await venue.close()


async def test_the_simulators_values_reach_the_listener(sim: SimKalshi, recorder: Recorder) -> None:
    venue = sim.client(recorder, publishes=FOLLOWED)
    running = asyncio.create_task(venue.run())
    wanted = {(source, name) for source, names in FOLLOWED.items() for name in names}
    await recorder.until(lambda: wanted <= {(one.source, one.name) for one in recorder.published})
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await venue.close()
    assert recorder.unpublished == []
    index = next(one for one in recorder.published if one.name == "BRTI")
    assert index.last_minute is not None and index.last_minute.seconds == 60
    assert abs(index.at_ms - sim.clock.wall_ms()) < 5_000


async def test_the_simulated_venue_lists_what_it_publishes(
    sim: SimKalshi, recorder: Recorder, run_venue: Any
) -> None:
    venue = sim.client(recorder, publishes=FOLLOWED)
    async with run_venue(venue):
        await recorder.until(lambda: bool(recorder.published))
        for source in FOLLOWED:
            await venue.ask_published(source)
        await recorder.until(lambda: len(recorder.publication_lists) == 2)
    lists = dict(recorder.publication_lists)
    assert {"BRTI", "ETHUSD_RTI"} <= set(lists["kalshi-indices"])
    assert {"EUR/USD", "USD/JPY", "US10Y"} <= set(lists["kalshi-pyth"]), "by the desk's names"


async def test_from_the_wire_to_the_quote_the_index_comes_five_times_a_second(sim: SimKalshi) -> None:
    got, kept = list[FeedValue](), list[Recorded]()
    feed = PublishedFeed(DECLARED, ("BRTI",), sim.clocks, got.append, kept.append)
    entry = sim.keys[0]
    at = Addresses("", f"ws://127.0.0.1:{sim.port}/trade-api/ws/v2")
    signer = load_signer(entry.key_id, Path(entry.private_key_path))
    names, rng = {DECLARED.name: ("BRTI",)}, random.Random(1)
    hearing = asyncio.ensure_future(Publisher(at, signer, names, feed, clocks=sim.clocks, rng=rng).run())
    async with asyncio.timeout(10):
        while len([value for value in got if isinstance(value, Quote)]) < 12:
            assert (await feed.trial()).passed
    hearing.cancel()
    await asyncio.gather(hearing, return_exceptions=True)
    times = [value.stamp.event_ms for value in got if isinstance(value, Quote)]
    seconds = [value.stamp.event_ms for value in got if isinstance(value, Average)]
    assert times == sorted(times) and len(set(times)) >= 9 and all(at_ms % 200 == 0 for at_ms in times)
    assert 2 <= len(set(seconds)) <= 4 and all(at_ms % 1_000 == 0 for at_ms in seconds)
    assert {one.what for one in kept} == {INDICES, FAST}, "and every message is kept as it came"
    assert all(json.loads(one.body)["type"] == one.what for one in kept)


async def test_without_an_engine_a_test_opens_a_connection_of_its_own(
    sim: SimKalshi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PMCONSOLE_HOME", str(tmp_path))
    place = paths.profile("demo")
    paths.prepare(place)
    at, key = f"127.0.0.1:{sim.port}/trade-api", {"key_id": "", "private_key_path": ""}

    async def tried(source: str, number: int, key_id: str = "") -> Tried:
        entry = sim.keys[number]
        mine = {"key_id": key_id or entry.key_id, "private_key_path": str(entry.private_key_path)}
        ready = {
            "kalshi": {"rest": f"http://{at}/v2", "ws": f"ws://{at}/ws/v2", **mine, "watchdog": key},
            "feeds": {"sources": {name: {} for name in FOLLOWED}},
            "clock": sim.clocks.world,
            "world": {"id": "w1"},
        }
        place.sim_ready.write_bytes(msgspec.json.encode(ready))
        return await asyncio.to_thread(ask_alone, place, source)

    found = await tried("kalshi-indices", 0)
    assert found.passed and "came on the venue's connection" in found.text
    found = await tried("kalshi-indices", 1, key_id="nobody")
    assert (found.passed, found.text) == (
        False,
        "Nothing came: the venue does not accept the key: HTTP 401 authentication_error.",
    )
    with pytest.raises(NotAskedError, match="no trading key"):
        live = paths.profile("live")
        paths.prepare(live)
        await asyncio.to_thread(ask_alone, live, "kalshi-indices")
    off = await asyncio.to_thread(ask_alone, live, "kalshi-pyth")
    assert off.text.startswith("Nothing was asked. Kalshi charges for it")
