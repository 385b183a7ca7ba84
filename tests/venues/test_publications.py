"""What Kalshi publishes beside its markets: read, refused, and never at the expense of the connection."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.feeds.published import FOLLOWED
from core.venues.kalshi.channel import DESK, published
from core.venues.kalshi.facts import Denied, GiveUp, Missed, Oddity, ValueSeen
from core.venues.kalshi.publications import INDICES, PUBLISHED, PYTH
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


def feed(message: Any) -> list[Any]:
    return list(StreamState(published(NAMES)).feed(json.dumps(message).encode(), 0))


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
            assert isinstance(fact, ValueSeen | Oddity)
            if isinstance(fact, ValueSeen):
                assert 0 <= fact.value.value < float("inf")
    feed(index() | {"msg": index()["msg"] | {"data": value}})


@pytest.mark.parametrize("window", [-1, 61])
def test_an_average_of_more_than_a_minute_is_none(window: int) -> None:
    for field in ("avg_60s_data", "last_60s_windowed_average_15min"):
        [odd] = feed(index(**{field: {"value": "81768.33", "window_size": window}}))
        assert isinstance(odd, Oddity) and f"{window} is not from 0 to 60" in odd.detail


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
        {"channels": [PYTH], "underlying_tickers": ["FX.EUR/USD"]},
    ]


def test_one_that_is_refused_or_never_answered_is_told_and_costs_nothing_else() -> None:
    state, asked = opened()
    error = {"type": "error", "id": asked[PYTH], "msg": {"code": 8, "msg": "Unknown channel name"}}
    facts = list(state.feed(json.dumps(error).encode(), S))
    assert Denied(PYTH, "8 Unknown channel name") in facts
    late = list(state.tick(6 * S))
    assert late == [Denied(INDICES, "no answer in 5 s")]
    assert not any(isinstance(fact, GiveUp) for fact in (*facts, *late, *state.tick(60 * S)))


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
    for channel in PUBLISHED:
        venue._deliver(Missed(channel))
        venue._deliver(Denied(channel, "8 Unknown channel name"))
    assert recorder.reconnects == 0
    assert recorder.unpublished == [(source, "8 Unknown channel name") for source in PUBLISHED.values()]
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
