"""What an exchange's stream does not tell of is asked for: seldom, by its own time, until it tells."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.feeds import binance, coinbase, deribit, kraken
from core.feeds.exchange import Askable
from core.feeds.feed import FeedState
from core.feeds.fetch import Body
from core.sim.feeds import binance as sim_binance
from core.sim.feeds import coinbase as sim_coinbase
from core.sim.feeds import deribit as sim_deribit
from core.sim.feeds import kraken as sim_kraken
from core.venues.socket import SocketError
from tests.feeds.crypto import NOW_MS, Played, arrival

ALL = [
    (coinbase, sim_coinbase, sim_coinbase.Coinbase),
    (kraken, sim_kraken, sim_kraken.Kraken),
    (binance, sim_binance, sim_binance.Binance),
    (deribit, sim_deribit, sim_deribit.Deribit),
]
DIALOGUES: list[Callable[[], Askable]] = [
    lambda: coinbase.CoinbaseDialogue("ws://x", ("BTC/USD",), 3),
    lambda: kraken.KrakenDialogue("ws://x", ("BTC/USD",), 3),
    lambda: binance.BinanceDialogue("ws://x", ("BTC/USDT",), 3),
    lambda: deribit.DeribitDialogue("ws://x", ("DVOL BTC",), 10),
    lambda: deribit.DeribitDialogue("ws://x", ("BTC-27NOV26-85000-C",), 10),
]


@pytest.fixture(params=ALL, ids=lambda one: one[0].DECLARATION.name)
def played(request: pytest.FixtureRequest, virtual: Any) -> Played:
    source, sim, provider = request.param
    return Played(virtual, source, provider, addresses=sim.ADDRESSES)


def body(said: Any) -> Body:
    return Body(json.dumps(said).encode(), NOW_MS, 1)


def answers(talk: Askable, said: Any) -> Any:
    return talk.answer(talk.names[0], body(said), arrival())


def test_while_the_stream_is_away_it_is_asked_once_a_second_and_no_more_when_it_is_back(
    played: Played,
) -> None:
    down = [False]

    async def script() -> None:
        await asyncio.sleep(5)
        assert not played.recorded or all(record.status == 0 for record in played.recorded), "not asked"
        down[0] = True
        played.hang_up()
        await asyncio.sleep(40)
        health = played.feed.health()
        assert health.state is FeedState.OK, health
        assert health.detail.startswith("the stream is down (") and health.detail.endswith(
            "asked for instead"
        )
        assert health.newest_event_ms is not None
        assert played.clocks.world_ms() - health.newest_event_ms <= 3_000
        asked = [record.received_ns / 1e9 for record in played.recorded if record.status == 200]
        assert 30 <= len(asked) <= 41, "one question a second for all of it"
        down[0] = False
        await asyncio.sleep(70)
        played.recorded.clear()
        await asyncio.sleep(5)
        assert played.recorded and all(record.status == 0 for record in played.recorded), "told again"
        assert (played.feed.health().state, played.feed.health().detail) == (FeedState.OK, "")

    played.refuse = lambda: SocketError("cannot connect: no route to host") if down[0] else None
    played.run(script)
    times: dict[str, int] = {}
    for value in played.got:
        name = getattr(value, "name", "")
        assert value.stamp.event_ms >= times.get(name, 0), "nothing older than what was told"  # type: ignore[union-attr]
        times[name] = value.stamp.event_ms  # type: ignore[union-attr]


def test_one_thing_the_stream_is_silent_on_is_asked_for_and_named(played: Played) -> None:
    eth = played.talk.names[1]

    async def script() -> None:
        await asyncio.sleep(3)
        played.sim.silent.update({"ETH-USD", "ETH/USD", "ethusdt", "deribit_volatility_index.eth_usd"})
        await asyncio.sleep(20)
        health = played.feed.health()
        assert health.state is FeedState.OK
        assert health.detail == f"the stream is silent on {eth}: asked for instead"

    played.run(script)
    assert played.opened == 1


def test_a_stream_that_never_tells_is_no_reason_to_wait_where_the_answers_are_fresh(played: Played) -> None:
    names = played.talk.names
    played.sim.silent.update(
        {"BTC-USD", "BTC/USD", "btcusdt", "deribit_volatility_index.btc_usd"},
        {"ETH-USD", "ETH/USD", "ethusdt", "deribit_volatility_index.eth_usd"},
    )

    async def script() -> None:
        await asyncio.sleep(played.feed.health().stale_after_s + 5)
        health = played.feed.health()
        assert health.state is FeedState.OK
        assert health.detail == f"the stream is silent on {', '.join(names)}: asked for instead"

    played.run(script)


def test_an_answer_older_than_what_the_stream_told_is_not_told_and_is_no_failure(virtual: Any) -> None:
    played = Played(virtual, kraken, sim_kraken.Kraken, addresses=sim_kraken.ADDRESSES)
    depth, late_s = played.sim.depth, [0]

    def lagging(pair: str) -> dict[str, Any]:
        told: dict[str, Any] = depth(pair)
        for side in next(iter(told["result"].values())).values():
            side[0][2] -= late_s[0]
        return told

    played.sim.depth = lagging

    async def script() -> None:
        await asyncio.sleep(5)
        played.refuse = lambda: SocketError("cannot connect: no route to host")
        late_s[0] = 60
        played.hang_up()
        await asyncio.sleep(1)
        told = list(played.got)
        await asyncio.sleep(20)
        assert played.got == told and played.recorded[-1].status == 200
        health = played.feed.health()
        assert (health.state, health.detail) == (FeedState.DOWN, "cannot connect: no route to host")
        late_s[0] = 0
        await asyncio.sleep(3)
        assert played.feed.health().state is FeedState.OK and len(played.got) > len(told)

    played.run(script)


def test_where_neither_way_works_both_reasons_are_told(played: Played) -> None:
    played.answers_nothing()
    played.refuse = lambda: SocketError("cannot connect: no route to host")

    async def script() -> None:
        await asyncio.sleep(60)
        health = played.feed.health()
        assert health.state is FeedState.DOWN
        assert health.detail.startswith("cannot connect: no route to host; asked for instead, ")
        assert "HTTP 404" in health.detail

    played.run(script)


def test_who_is_not_served_is_not_asked_another_way(virtual: Any) -> None:
    played = Played(virtual, binance, sim_binance.Binance, addresses=sim_binance.ADDRESSES)
    played.sim.blocked = True

    async def script() -> None:
        await asyncio.sleep(30)

    played.run(script)
    assert played.recorded == []


def test_who_is_served_after_all_is_asked_for_what_the_stream_does_not_tell(virtual: Any) -> None:
    played = Played(virtual, binance, sim_binance.Binance, addresses=sim_binance.ADDRESSES)
    played.sim.blocked = True
    played.sim.silent.add("ethusdt")

    async def script() -> None:
        await asyncio.sleep(10)
        played.sim.blocked = False
        await asyncio.sleep(3_600)
        assert played.feed.health().detail == "the stream is silent on ETH/USDT: asked for instead"

    played.run(script)


def test_answers_are_values_with_their_own_times() -> None:
    touch = {"bid": "81730.00", "ask": "81730.10"}
    book = {"bids": [["81730.0", "1", NOW_MS // 1000 - 2]], "asks": [["81730.1", "1", NOW_MS // 1000 - 1]]}
    day = {"symbol": "BTCUSDT", "bidPrice": "81730.00", "askPrice": "81730.10", "closeTime": NOW_MS}
    for make, said, event_ms in (
        (DIALOGUES[0], touch | {"time": "2026-11-22T00:00:00.123456Z"}, NOW_MS + 123),
        (DIALOGUES[1], {"error": [], "result": {"XXBTZUSD": book}}, NOW_MS - 1_000),
        (DIALOGUES[2], day, NOW_MS),
    ):
        quote = answers(make(), said)
        assert (quote.bid, quote.ask, quote.stamp.event_ms) == (81_730.0, 81_730.1, event_ms)
    index = answers(DIALOGUES[3](), {"result": {"data": [[1, 2, 2, 2, 2], [NOW_MS, 51, 53, 50, 52.5]]}})
    assert (index.percent, index.stamp.event_ms) == (52.5, NOW_MS)


@pytest.mark.parametrize(
    ("make", "said", "why"),
    [
        (DIALOGUES[0], {"bid": "1", "ask": "2", "time": "yesterday"}, "has no time"),
        (DIALOGUES[0], {"bid": "", "ask": "2", "time": "2026-11-22T00:00:00Z"}, "no bid and ask"),
        (DIALOGUES[0], {"message": "NotFound"}, "does not parse"),
        (DIALOGUES[1], {"error": ["EQuery:Unknown asset pair"]}, "refused: EQuery:Unknown asset pair"),
        (DIALOGUES[1], {"error": [], "result": {"X": {"asks": [], "bids": []}}}, "is empty"),
        (DIALOGUES[1], {"result": {"X": {"asks": [["2", "1", 0]], "bids": [["1", "1", 0]]}}}, "no time"),
        (DIALOGUES[2], {"code": -1121, "msg": "Invalid symbol."}, "does not parse"),
        (DIALOGUES[3], {"result": {"data": []}}, "no candle"),
        (DIALOGUES[3], {"result": {"data": [[NOW_MS, 1, 1, 1, 9_000]]}}, "its volatility is none"),
        (DIALOGUES[4], {"result": {"mark_iv": 50.0, "underlying_price": 1.0}}, "it has no time"),
    ],
)  # fmt: skip
def test_an_answer_that_is_no_value_is_refused_in_words(
    make: Callable[[], Askable], said: Any, why: str
) -> None:
    found = answers(make(), said)
    assert isinstance(found, str) and why in found


@given(st.sampled_from(DIALOGUES), st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(
        st.sampled_from(["bid", "ask", "time", "error", "result", "asks", "bids", "data", "closeTime",
                         "bidPrice", "askPrice", "timestamp", "mark_iv"]), inner, max_size=5),
    max_leaves=12,
))  # fmt: skip
def test_whatever_is_answered_nothing_is_raised(make: Callable[[], Askable], said: Any) -> None:
    talk = make()
    talk.answer(talk.names[0], body(said), arrival())
    talk.answer(talk.names[0], Body(repr(said).encode(), NOW_MS, 1), arrival())
