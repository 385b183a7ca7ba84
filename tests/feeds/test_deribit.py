"""Deribit: DVOL and option marks, its heartbeat, and its simulator."""

import asyncio
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.feeds import deribit
from core.feeds.deribit import DeribitDialogue, Option, option_of
from core.feeds.feed import FeedState
from core.feeds.quotes import OptionMark, Volatility
from core.feeds.streaming import Heard
from core.sim.feeds import deribit as sim
from tests.feeds.crypto import NOW_MS, Played, arrival

SAMPLES = Path(__file__).resolve().parents[2].parent / "shared/data/feeds/crypto"
OPTION = "BTC-27NOV26-85000-C"
NAMES = ("DVOL BTC", OPTION)


def hear(message: Any, names: tuple[str, ...] = NAMES) -> Heard:
    return DeribitDialogue("ws://x", names, 10).hear(json.dumps(message).encode(), arrival())


def note(channel: str, **data: Any) -> Any:
    params = {"channel": channel, "data": {"timestamp": NOW_MS} | data}
    return {"jsonrpc": "2.0", "method": "subscription", "params": params}


def ticker(**data: Any) -> Any:
    return note(f"ticker.{OPTION}.agg2", **({"mark_iv": 48.3, "underlying_price": 91_300.5} | data))


def dvol(**data: Any) -> Any:
    return note("deribit_volatility_index.btc_usd", **({"volatility": 44.2} | data))


def test_dvol_and_a_mark_are_values_with_their_own_times() -> None:
    [index] = hear(dvol()).values
    assert index == Volatility("DVOL BTC", "deribit", 44.2, 30, arrival().stamp(NOW_MS), 10)
    [mark] = hear(ticker()).values
    expires_ms = 1_795_766_400_000  # 2026-11-27 08:00 UTC
    assert mark == OptionMark(
        OPTION, "deribit", 91_300.5, 85_000.0, expires_ms, True, 48.3, arrival().stamp(NOW_MS), 10
    )


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the recordings in ../shared are not here")
def test_the_recorded_messages_are_read() -> None:
    [index] = hear(json.loads((SAMPLES / "deribit_ws_volatility_index.json").read_text())).values
    assert isinstance(index, Volatility)
    assert (index.percent, index.stamp.event_ms) == (129.36, 1_619_777_946_007)
    for other in ("deribit_ws_ticker", "deribit_ws_quote", "deribit_http_get_order_book"):
        assert hear(json.loads((SAMPLES / f"{other}.json").read_text())) == Heard(), other


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("ETH-1DEC26-3000-P", Option(3_000.0, 1_796_112_000_000, False)),
        (OPTION, Option(85_000.0, 1_795_766_400_000, True)),
        ("BTC-PERPETUAL", None),
        ("BTC-31FEB26-85000-C", None),
        ("BTC-27XYZ26-85000-C", None),
        ("DVOL BTC", None),
    ],
)
def test_an_options_name_says_what_it_is(name: str, says: Option | None) -> None:
    assert option_of(name) == says


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (dvol(volatility=None), "its volatility is none"),
        (dvol(volatility=0.44), "its volatility is none"),
        (dvol(timestamp=None), "it has no time"),
        (ticker(mark_iv=0.0), "its mark has no volatility"),
        (ticker(underlying_price=None), "its underlying has no price"),
        ({"id": 2, "error": {"code": 10_028, "message": "too_many_requests"}}, "too_many_requests"),
        ({"id": 2, "result": ["deribit_volatility_index.btc_usd"]}, f"Deribit does not know {OPTION}"),
    ],
)
def test_what_is_no_value_is_refused_in_words(message: Any, why: str) -> None:
    heard = hear(message)
    assert heard.values == ()
    assert why in heard.fault


def test_a_test_request_is_answered_and_a_heartbeat_needs_none() -> None:
    beat = {"jsonrpc": "2.0", "method": "heartbeat", "params": {"type": "test_request"}}
    [answer] = hear(beat).replies
    assert json.loads(answer)["method"] == "public/test"
    assert hear(beat | {"params": {"type": "heartbeat"}}) == Heard()


ANYTHING = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6) | st.lists(st.integers())
)


@given(st.sampled_from(["timestamp", "volatility", "mark_iv", "underlying_price"]), ANYTHING, st.binary())
def test_whatever_comes_nothing_is_raised_and_no_value_is_absurd(
    field: str, value: Any, noise: bytes
) -> None:
    DeribitDialogue("ws://x", NAMES, 10).hear(noise, arrival())
    for message in (dvol(**{field: value}), ticker(**{field: value}), {"id": 2, "result": value}):
        for found in hear(message).values:
            percent = found.percent if isinstance(found, Volatility) else found.mark_percent  # type: ignore[union-attr]
            assert 0.5 <= percent <= 500
            assert isinstance(found.stamp.event_ms, int)


def test_the_stream_outlives_its_test_requests_and_names_what_is_silent(virtual: Any) -> None:
    played = Played(virtual, deribit, sim.Deribit, addresses=sim.ADDRESSES, follows=(OPTION,))

    async def script() -> None:
        await asyncio.sleep(60)
        assert played.opened == 1
        assert played.feed.health().state is FeedState.OK
        played.answers_nothing()
        played.sim.silent.add("deribit_volatility_index.eth_usd")
        await asyncio.sleep(12)
        health = played.feed.health()
        assert (health.state, health.detail[:8]) == (FeedState.STALE, "DVOL ETH")

    played.run(script)
    last = {value.name if isinstance(value, Volatility) else value.instrument: value for value in played.got}  # type: ignore[union-attr]
    assert set(last) == {"DVOL BTC", "DVOL ETH", OPTION}
    mark = last[OPTION]
    assert isinstance(mark, OptionMark)
    assert mark.underlying == pytest.approx(played.prices.value("BTC/USD", mark.stamp.event_ms), rel=0.001)


def test_who_does_not_answer_is_hung_up_on(virtual: Any) -> None:
    played = Played(virtual, deribit, sim.Deribit, addresses=sim.ADDRESSES)
    dialogue = played.talk
    heard = dialogue.hear
    dialogue.hear = lambda data, at: Heard(heard(data, at).values)

    async def script() -> None:
        await asyncio.sleep(19.5)
        assert played.opened == 1
        await asyncio.sleep(2)
        assert played.opened == 2

    played.run(script)


def test_an_option_that_expired_is_no_lack_and_is_asked_for_no_more(virtual: Any) -> None:
    expiry_ms = NOW_MS + 8 * 3_600_000
    over = "BTC-22NOV26-85000-C"
    played = Played(
        virtual, deribit, sim.Deribit, addresses=sim.ADDRESSES, follows=(over,), now_ms=expiry_ms - 5_000
    )
    asked: list[str] = []
    question = played.talk.question
    played.talk.question = lambda name, at: asked.append(name) or question(name, at)  # type: ignore[func-returns-value]

    async def script() -> None:
        await asyncio.sleep(4)
        assert played.feed.health().state is FeedState.OK
        await asyncio.sleep(40)
        health = played.feed.health()
        assert (health.state, health.detail) == (FeedState.OK, f"{over} expired: take it out of follows")
        played.hang_up()
        await asyncio.sleep(20)
        assert played.opened == 2 and played.feed.health() == msgspec.structs.replace(
            played.feed.health(), state=FeedState.OK, detail=f"{over} expired: take it out of follows"
        ), "nor is that it is no longer there a refusal"

    played.run(script)
    assert over not in asked
    marks = [value for value in played.got if isinstance(value, OptionMark)]
    assert marks and max(mark.stamp.event_ms for mark in marks) < expiry_ms
