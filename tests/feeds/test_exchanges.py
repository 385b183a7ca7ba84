"""Coinbase, Kraken, Binance: what their tickers come to, what is refused, and each against its simulator."""

import asyncio
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.feeds import binance, coinbase, kraken
from core.feeds.feed import FeedState
from core.feeds.quotes import Quote
from core.feeds.streaming import Dialogue, StreamedFeed
from core.feeds.touch import LEAP_MS, Touch, decimal, instant_ms
from core.sim.feeds import binance as sim_binance
from core.sim.feeds import coinbase as sim_coinbase
from core.sim.feeds import kraken as sim_kraken
from core.venues.socket import Socket
from tests.feeds.crypto import NOW_MS, Played, arrival
from tests.feeds.sockets import Scripted

SAMPLES = Path(__file__).resolve().parents[2].parent / "shared/data/feeds/crypto"
needs_samples = pytest.mark.skipif(not SAMPLES.is_dir(), reason="the recordings in ../shared are not here")
BTC = ("BTC/USD",)


def a_coinbase(names: tuple[str, ...] = BTC) -> coinbase.CoinbaseDialogue:
    return coinbase.CoinbaseDialogue("ws://x", names, 3)


def a_kraken(names: tuple[str, ...] = BTC) -> kraken.KrakenDialogue:
    return kraken.KrakenDialogue("ws://x", names, 3)


def a_binance(names: tuple[str, ...] = ("BTC/USDT",)) -> binance.BinanceDialogue:
    return binance.BinanceDialogue("ws://x", names, 3)


def hear(dialogue: Dialogue, message: Any) -> Any:
    return dialogue.hear(json.dumps(message).encode(), arrival())


def coinbase_ticker(number: int, bid: str = "81730.00", ask: str = "81730.10", **more: Any) -> Any:
    ticker = {"type": "ticker", "product_id": "BTC-USD", "price": bid, "best_bid": bid, "best_ask": ask}
    event = {"type": "update", "tickers": [ticker | more]}
    at = "2026-11-22T00:00:00.123456789Z"
    return {"channel": "ticker", "timestamp": at, "sequence_num": number, "events": [event]}


def kraken_ticker(**fields: Any) -> Any:
    row = {"symbol": "BTC/USD", "bid": 81730.0, "ask": 81730.1, "timestamp": "2026-11-22T00:00:00.5Z"}
    return {"channel": "ticker", "type": "update", "data": [row | fields]}


def binance_ticker(**fields: Any) -> Any:
    data = {"e": "24hrTicker", "E": NOW_MS, "s": "BTCUSDT", "b": "81730.00000000", "a": "81730.10000000"}
    return {"stream": "btcusdt@ticker", "data": data | fields}


# --- what a ticker comes to -------------------------------------------------------------------------


def test_a_ticker_is_a_quote_with_its_own_time() -> None:
    for heard, name, source, event_ms in (
        (hear(a_coinbase(), coinbase_ticker(0)), "BTC/USD", "coinbase", NOW_MS + 123),
        (hear(a_kraken(), kraken_ticker()), "BTC/USD", "kraken", NOW_MS + 500),
        (hear(a_binance(), binance_ticker()), "BTC/USDT", "binance", NOW_MS),
    ):
        [quote] = heard.values
        assert isinstance(quote, Quote)
        assert (quote.name, quote.source, quote.bid, quote.ask) == (name, source, 81_730.0, 81_730.1)
        assert quote.value == pytest.approx(81_730.05)
        assert (quote.stamp.event_ms, quote.stale_after_s) == (event_ms, 3)


@needs_samples
@pytest.mark.parametrize(
    ("sample", "dialogue", "bid", "ask"),
    [
        ("coinbase_ws_ticker", a_coinbase(), 68_900.0, 68_901.0),
        ("kraken_ws_ticker_snapshot", a_kraken(), 105_944.2, 105_944.3),
    ],
)
def test_the_recorded_tickers_are_read(sample: str, dialogue: Dialogue, bid: float, ask: float) -> None:
    [quote] = dialogue.hear((SAMPLES / f"{sample}.json").read_bytes(), arrival()).values
    assert isinstance(quote, Quote)
    assert (quote.bid, quote.ask) == (bid, ask)


@needs_samples
@pytest.mark.parametrize("sample", sorted(SAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_no_other_recording_becomes_a_value_by_mistake(sample: Path) -> None:
    """A book ticker without time, trades, other exchanges' messages: whoever hears them."""
    names = {"coinbase_ws_ticker": coinbase.DECLARATION.name, "kraken_ws_ticker_snapshot": "kraken"}
    for dialogue in (a_coinbase(), a_kraken(), a_binance(("BTC/USDT", "ETH/USDT"))):
        for value in dialogue.hear(sample.read_bytes(), arrival()).values:
            assert isinstance(value, Quote)
            assert value.source == names.get(sample.stem)


@needs_samples
def test_the_recorded_day_ticker_of_binance_is_read_but_its_instant_is_none_of_our_days() -> None:
    """Its documentation's example, wrapped as the combined stream does."""
    data = json.loads((SAMPLES / "binance_ws_spot_ticker_24hr.json").read_text())
    heard = hear(a_binance(("BNB/BTC",)), {"stream": "bnbbtc@ticker", "data": data})
    assert heard.fault.startswith("BNB/BTC refused: bid 0.0024 and ask 0.0026 are 8% apart")
    [quote] = hear(
        a_binance(("BNB/BTC",)), {"stream": "bnbbtc@ticker", "data": data | {"a": "0.0025"}}
    ).values
    assert quote.stamp.event_ms == data["E"]


# --- what is refused --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("heard", "why"),
    [
        (lambda: hear(a_coinbase(), coinbase_ticker(0, bid="")), "no price"),
        (lambda: hear(a_coinbase(), coinbase_ticker(0, bid="NaN")), "no price"),
        (lambda: hear(a_coinbase(), coinbase_ticker(0, bid="81731", ask="81730")), "is above"),
        (lambda: hear(a_coinbase(), coinbase_ticker(0) | {"timestamp": "2026-11-22 00:00:00"}), "no time"),
        (lambda: hear(a_coinbase(), {"type": "error", "message": "nope is not a valid product"}), "nope is"),
        (lambda: hear(a_kraken(), kraken_ticker(bid=None)), "no bid and ask"),
        (lambda: hear(a_kraken(), kraken_ticker(timestamp="")), "no time"),
        (lambda: hear(a_kraken(), kraken_ticker(bid=-1.0)), "no price"),
        (lambda: hear(a_kraken(), kraken_ticker(bid=70_000.0)), "apart"),
        (
            lambda: hear(a_kraken(), {"method": "subscribe", "success": False, "error": "Currency pair"}),
            "Currency",
        ),
        (
            lambda: hear(a_kraken(), {"channel": "status", "data": [{"system": "maintenance"}]}),
            "maintenance",
        ),
        (lambda: hear(a_binance(), binance_ticker(E=None)), "no time"),
        (lambda: hear(a_binance(), binance_ticker(a="1e5")), "no price"),
        (lambda: hear(a_binance(), {"error": {"code": 2, "msg": "Invalid request"}}), "Invalid request"),
    ],
)
def test_what_is_no_ticker_is_refused_in_words(heard: Callable[[], Any], why: str) -> None:
    refused = heard()
    assert refused.values == ()
    assert why in refused.fault


@pytest.mark.parametrize("made", [a_coinbase, a_kraken, a_binance])
def test_a_wrong_answer_has_no_quote_of_the_stream_refused(made: Callable[[], Any]) -> None:
    talk = made()
    [name, *_] = talk.names
    wrong = talk._asked.quote(name, 1.0, 1.01, arrival().stamp(NOW_MS))
    assert isinstance(wrong, Quote)
    assert isinstance(talk._touch.quote(name, 80_000.0, 80_001.0, arrival().stamp(NOW_MS + 1)), Quote)
    assert isinstance(talk._asked.quote(name, 80_000.0, 80_001.0, arrival().stamp(NOW_MS + 1)), str)


def test_a_leap_is_refused_for_a_minute_and_on_the_same_connection_alone() -> None:
    touch = Touch("kraken", 3)

    def at(ms: int, bid: float) -> Quote | str:
        return touch.quote("BTC/USD", bid, bid + 1, arrival().stamp(NOW_MS + ms))

    assert isinstance(at(0, 80_000), Quote)
    assert isinstance(at(1_000, 87_000), Quote), "not a tenth"
    leapt = at(2_000, 97_000)
    assert leapt == "BTC/USD refused: 97000.5 is +11% from 87000.5 within a minute"
    assert isinstance(at(1_000 + LEAP_MS, 97_000), Quote)
    touch.forget()
    assert isinstance(at(1_001 + LEAP_MS, 50_000), Quote)


def test_why_it_is_refused_is_told_until_a_value_comes(virtual: Any) -> None:
    refusal = {"method": "subscribe", "success": False, "error": "Currency pair not supported"}
    says = [json.dumps(one).encode() for one in (refusal, {"channel": "heartbeat"})]
    tells = json.dumps(kraken_ticker(timestamp="2026-11-22T00:00:00Z")).encode()
    sockets = [Scripted(*says), Scripted(*says, tells)]
    for socket, why in zip(sockets, ("refused: Currency pair not supported", ""), strict=True):

        async def connect(url: str, headers: Any, socket: Socket = socket) -> Socket:
            return socket

        clocks = virtual.clocks(1.0, NOW_MS)
        feed = StreamedFeed(
            kraken.DECLARATION, a_kraken(), connect, clocks, random.Random(1), lambda _: None
        )  # fmt: skip
        virtual.run_for(1, feed.run)
        assert feed.health().detail.startswith(why) and bool(why) == ("refused" in feed.health().detail)


def test_one_message_dated_ahead_makes_no_later_price_a_leap(virtual: Any) -> None:
    told: list[Any] = []
    wrong = kraken_ticker(bid=8_173.0, ask=8_173.1, timestamp="2026-11-23T00:00:00Z")
    right = kraken_ticker(timestamp="2026-11-22T00:00:00Z")
    says = [json.dumps(message).encode() for message in (wrong, right)]

    async def connect(url: str, headers: Any) -> Socket:
        return Scripted(*says)

    clocks = virtual.clocks(1.0, NOW_MS)
    feed = StreamedFeed(kraken.DECLARATION, a_kraken(), connect, clocks, random.Random(1), told.append)
    virtual.run_for(1, feed.run)
    assert [quote.value for quote in told] == [pytest.approx(81_730.05)]


def test_a_missing_number_ends_the_connection_and_a_copy_is_passed_over() -> None:
    dialogue = a_coinbase()
    assert hear(dialogue, coinbase_ticker(4)).values, "numbers begin where the connection does"
    assert hear(dialogue, coinbase_ticker(4)).values == ()
    assert hear(dialogue, coinbase_ticker(3)).values == (), "overtaken"
    assert hear(dialogue, {"channel": "heartbeats", "timestamp": "", "sequence_num": 5}).fault == ""
    torn = hear(dialogue, coinbase_ticker(7))
    assert torn.ends
    assert torn.fault.startswith("message 7 came after 5")
    dialogue.greet()
    assert not hear(dialogue, coinbase_ticker(0)).ends


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELD = JSON | st.sampled_from(["1", "0.0", "-1", "1_0", "inf", "2026-11-22T00:00:00Z", "9999-12-31T23:59Z"])


@given(
    st.sampled_from([a_coinbase, a_kraken, a_binance]),
    st.sampled_from(["bid", "ask", "best_bid", "best_ask", "b", "a", "E", "timestamp", "s", "product_id"]),
    FIELD,
    st.binary(max_size=40),
)
def test_whatever_comes_nothing_is_raised_and_no_value_is_absurd(
    make: Callable[[], Dialogue], field: str, value: Any, noise: bytes
) -> None:
    dialogue = make()
    dialogue.hear(noise, arrival())
    for message in (
        coinbase_ticker(1, **{field: value}),
        coinbase_ticker(2) | {field: value},
        kraken_ticker(**{field: value}),
        binance_ticker(**{field: value}),
        {"channel": value, "data": value, "method": field},
    ):
        for quote in hear(dialogue, message).values:
            assert isinstance(quote, Quote)
            assert quote.bid is not None and quote.ask is not None
            assert 0 < quote.bid <= quote.value <= quote.ask < float("inf")
            assert isinstance(quote.stamp.event_ms, int)


@given(st.text(max_size=20))
def test_numbers_and_times_are_read_strictly(text: str) -> None:
    number = decimal(text)
    assert number is None or (number >= 0 and text.isascii() and "_" not in text and text.strip() == text)
    instant_ms(text)


# --- against the simulators -------------------------------------------------------------------------

PAIRS = [
    (coinbase, sim_coinbase, sim_coinbase.Coinbase),
    (kraken, sim_kraken, sim_kraken.Kraken),
    (binance, sim_binance, sim_binance.Binance),
]


@pytest.fixture(params=PAIRS, ids=lambda pair: pair[0].DECLARATION.name)
def played(request: pytest.FixtureRequest, virtual: Any) -> Played:
    source, sim, provider = request.param
    return Played(virtual, source, provider, addresses=sim.ADDRESSES)


def test_each_exchange_ticks_within_its_limit_of_age(played: Played) -> None:
    async def script() -> None:
        for _ in range(20):
            await asyncio.sleep(1.7)
            health = played.feed.health()
            assert health.state is FeedState.OK, health
        assert health.latency_ms is not None and health.latency_ms < 1_000

    played.run(script)
    names = {value.name for value in played.got if isinstance(value, Quote)}
    assert names in ({"BTC/USD", "ETH/USD"}, {"BTC/USDT", "ETH/USDT"})
    for quote in (value for value in played.got if isinstance(value, Quote)):
        expected = played.prices.value(quote.name.replace("USDT", "USD"), quote.stamp.event_ms)
        assert quote.value == pytest.approx(expected, rel=0.001)


def test_a_symbol_that_falls_silent_is_named_and_the_other_goes_on(played: Played) -> None:
    async def script() -> None:
        await asyncio.sleep(3)
        played.answers_nothing()
        played.sim.silent.update({"ETH-USD", "ETH/USD", "ethusdt"})
        await asyncio.sleep(8)
        health = played.feed.health()
        assert health.state is FeedState.STALE
        assert health.detail.startswith("ETH/USD") and "old" in health.detail
        last = played.got[-1]
        assert isinstance(last, Quote) and last.name.startswith("BTC/")
        played.sim.silent.clear()
        await asyncio.sleep(2)
        assert played.feed.health().state is FeedState.OK

    played.run(script)


def test_a_lost_message_is_healed_by_a_new_connection(virtual: Any) -> None:
    played = Played(virtual, coinbase, sim_coinbase.Coinbase, addresses=sim_coinbase.ADDRESSES)

    async def script() -> None:
        await asyncio.sleep(3)
        played.sim.skip = 1
        await asyncio.sleep(3.5)
        assert played.opened == 2
        assert played.feed.health().state is FeedState.OK

    played.run(script)


def test_a_ticker_of_kraken_without_a_time_is_not_used(virtual: Any) -> None:
    played = Played(virtual, kraken, sim_kraken.Kraken, addresses=sim_kraken.ADDRESSES)
    played.sim.timeless = True

    async def script() -> None:
        await asyncio.sleep(3)
        assert "its ticker has no time" in played.feed.health().detail

    played.run(script)
    assert played.got == []


def test_where_binance_does_not_serve_it_says_so_and_is_left_alone(virtual: Any) -> None:
    played = Played(virtual, binance, sim_binance.Binance, addresses=sim_binance.ADDRESSES)
    played.sim.blocked = True

    async def script() -> None:
        await asyncio.sleep(600)
        health = played.feed.health()
        assert (health.state, health.failures) == (FeedState.DOWN, 1)
        assert "does not serve this country" in health.detail

    played.run(script)


def test_the_daily_end_of_a_connection_costs_a_second(virtual: Any) -> None:
    played = Played(virtual, binance, sim_binance.Binance, addresses=sim_binance.ADDRESSES)
    played.sim.close_after_s = 30.0

    async def script() -> None:
        await asyncio.sleep(30.1)
        assert "24 hours" in played.feed.health().detail
        await asyncio.sleep(2.5)
        assert played.feed.health().state is FeedState.OK

    played.run(script)


def test_coinbase_drops_whom_subscribes_to_nothing(virtual: Any) -> None:
    played = Played(virtual, coinbase, sim_coinbase.Coinbase, addresses=sim_coinbase.ADDRESSES)
    played.talk.greet = tuple  # type: ignore[method-assign]

    async def script() -> None:
        await asyncio.sleep(2.9)
        assert played.feed.health().state is FeedState.WAITING
        await asyncio.sleep(0.2)
        assert "nothing came for 3 s" in played.feed.health().detail

    played.run(script)
