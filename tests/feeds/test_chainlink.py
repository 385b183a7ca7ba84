"""Chainlink's aggregators: the ABI by hand, what a node may answer, and the simulated nodes."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.feeds import abi, chainlink
from core.feeds.chainlink import LATE_S, fresh_s, quantity
from core.feeds.chains import BOUNDS, CHAINS
from core.feeds.feed import FeedState
from core.feeds.quotes import Quote
from core.sim.feeds import chainlink as sim
from tests.feeds.crypto import NOW_MS, Played

VECTORS = Path(__file__).resolve().parents[2].parent / "shared/data/feeds/chainlink/eth_call_vectors.json"
HOUR_MS = 3_600_000


def word(value: int) -> str:
    return f"{value % (1 << 256):064x}"


# --- the ABI ----------------------------------------------------------------------------------------


@pytest.mark.skipif(not VECTORS.is_file(), reason="the vectors in ../shared are not here")
def test_the_vectors_are_decoded() -> None:
    vectors = json.loads(VECTORS.read_text())
    expected = vectors["decoded"]
    found = abi.round_data(vectors["response_ok"]["result"])
    assert isinstance(found, abi.Round)
    assert (str(found.round_id), found.round_id >> 64) == (expected["roundId"], expected["phase"])
    assert (found.answer, found.started_s) == (expected["answer"], expected["startedAt"])
    assert found.updated_s == expected["updatedAt"]
    assert abi.number(vectors["response_decimals"]["result"]) == expected["decimals"]
    assert found.answer / 10 ** expected["decimals"] == float(expected["price"])
    none_there = abi.round_data(vectors["response_no_contract"]["result"])
    assert isinstance(none_there, str) and "no contract" in none_there
    assert abi.signed(int(vectors["negative_answer_word"], 16)) == vectors["negative_answer_value"]


@given(st.integers(-(1 << 255), (1 << 255) - 1), st.integers(0, (1 << 80) - 1), st.integers(0, 1 << 40))
def test_a_round_is_read_as_it_was_written(answer: int, number: int, updated_s: int) -> None:
    encoded = "0x" + "".join(map(word, (number, answer, updated_s, updated_s, number)))
    assert abi.round_data(encoded) == abi.Round(number, answer, updated_s, updated_s)
    assert isinstance(abi.round_data(encoded[:-2]), str)


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), max_size=60))
def test_a_text_is_read_as_it_was_written(said: str) -> None:
    padded = said.encode().hex()
    encoded = "0x" + word(32) + word(len(said)) + padded + "0" * (-len(padded) % 64)
    assert abi.text(encoded) == said


@given(st.none() | st.integers() | st.text(max_size=200) | st.from_regex(r"\A0x[0-9a-f]{0,400}\Z"))
def test_nothing_a_node_says_raises(result: Any) -> None:
    for read in (abi.round_data, abi.number, abi.text, quantity):
        read(result)


def test_it_is_known_what_every_price_can_be() -> None:
    assert {name for chain in CHAINS.values() for name in chain.aggregators} == BOUNDS.keys()


# --- how long a value is fresh ----------------------------------------------------------------------


def test_a_value_is_fresh_for_a_heartbeat_but_not_beyond_its_market() -> None:
    coin, share = CHAINS[1].aggregators["BTC/USD"], CHAINS[1].aggregators["SPY"]
    friday_close_ms = (
        1_795_816_800_000 - 60 * HOUR_MS // 60
    )  # just before Friday 2026-11-27 17:00 in New York
    assert fresh_s(coin, friday_close_ms) == 3_600 + LATE_S
    assert fresh_s(share, friday_close_ms - 5 * HOUR_MS) == 3_600 + LATE_S
    assert fresh_s(share, 1_795_816_800_000 - 600_000) == 600
    assert fresh_s(share, 1_795_816_800_000) == 0


# --- against the simulated nodes --------------------------------------------------------------------


@pytest.fixture
def played(virtual: Any) -> Played:
    """Sunday 00:00 UTC."""
    return Played(virtual, chainlink, sim.Chainlink, addresses=sim.ADDRESSES)


def coins(played: Played) -> list[Quote]:
    return [value for value in played.got if isinstance(value, Quote) and value.name != "SPY"]


def test_the_coins_are_read_with_their_update_as_their_time(played: Played) -> None:
    async def script() -> None:
        await asyncio.sleep(3_600)
        assert played.feed.health().state is FeedState.OK

    played.run(script)
    [spy] = [value for value in played.got if isinstance(value, Quote) and value.name == "SPY"]
    assert (NOW_MS - spy.stamp.event_ms, spy.stale_after_s) == (26 * HOUR_MS, 0), "closed since Friday"
    btc = [quote for quote in coins(played) if quote.name == "BTC/USD"]
    assert [quote.stamp.event_ms for quote in btc] == [NOW_MS + step * 20 * 60_000 for step in range(4)][
        : len(btc)
    ]
    assert len(btc) >= 3, "a value that has not changed is not told again"
    for quote in btc:
        assert quote.value == played.prices.value("BTC/USD", quote.stamp.event_ms, "chainlink")
        assert (quote.source, quote.stale_after_s) == ("chainlink", 3_720)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (lambda at: at.limited.update(sim.NODES), "its limit is exceeded"),
        (lambda at: at.reverting.update(sim.NODES), "the contract reverts"),
        (lambda at: at.foreign.update(sim.NODES), "tells no name"),
        (lambda at: at.paged.update(sim.NODES), "text/html"),
        (lambda at: at.behind_s.update(dict.fromkeys(sim.NODES, 200)), "its newest block is 2"),
        (lambda at: setattr(at, "negative", True), "is no price"),
        (lambda at: setattr(at, "misscaled", True), "is not from 1000 to 1e+07"),
        (lambda at: setattr(at, "renamed", "DOGE / USD"), "calls itself 'DOGE / USD'"),
    ],
)
def test_what_is_wrong_at_both_nodes_is_told_and_no_value_comes(
    played: Played, fault: Any, words: str
) -> None:
    fault(played.sim)

    async def script() -> None:
        await asyncio.sleep(100)
        health = played.feed.health()
        assert health.state is FeedState.DOWN
        assert words in health.detail
        assert "sim: " in health.detail, "the host is named"

    played.run(script)
    assert played.got == []


def test_one_bad_node_costs_nothing(played: Played) -> None:
    played.sim.limited.add("one")

    async def script() -> None:
        await asyncio.sleep(100)
        assert played.feed.health().state is FeedState.OK

    played.run(script)
    assert {quote.name for quote in coins(played)} == {"BTC/USD", "ETH/USD"}


def test_a_contract_that_stands_still_grows_old_though_every_answer_comes(played: Played) -> None:
    played.sim.held_ms = NOW_MS

    async def script() -> None:
        await asyncio.sleep(4_000)
        health = played.feed.health()
        assert health.state is FeedState.STALE
        assert (health.failures, health.unchanged_polls > 60) == (0, True)

    played.run(script)
    assert len(coins(played)) == 2


def test_a_price_that_leaps_within_a_day_is_refused(played: Played) -> None:
    """And the last one grows old."""

    async def script() -> None:
        await asyncio.sleep(30)
        held = coins(played)
        prices = played.sim.around.prices
        prices.value = lambda name, at_ms, source="": 2 * type(prices).value(prices, name, at_ms, source)
        await asyncio.sleep(3_600)
        assert coins(played) == held
        assert "is more than 50% from" in played.feed.health().detail

    played.run(script)


def test_a_price_may_have_leapt_while_nobody_heard_of_it_for_a_day(played: Played) -> None:
    async def script() -> None:
        await asyncio.sleep(30)
        held = coins(played)
        prices = played.sim.around.prices
        prices.value = lambda name, at_ms, source="": 2 * type(prices).value(prices, name, at_ms, source)
        played.virtual.loop._jumping.now_s += 86_400  # the machine slept
        await asyncio.sleep(120)
        assert [quote.name for quote in coins(played)[len(held) :]][:2] == ["BTC/USD", "ETH/USD"]

    played.run(script)


def test_an_address_shows_nothing_but_its_host(virtual: Any) -> None:
    """Node providers put the key into the path."""
    addresses = {"chainlink": {"rpc": "/chainlink/planted-key-123"}}
    played = Played(virtual, chainlink, sim.Chainlink, addresses=addresses)
    played.sim.limited.add("planted-key-123")

    async def script() -> None:
        await asyncio.sleep(10)
        assert "limit is exceeded" in played.feed.health().detail

    played.run(script)
    assert played.recorded
    shown = repr(played.feed.health()) + "".join(f"{one.what} {one.headers}" for one in played.recorded)
    assert "planted-key-123" not in shown
    assert played.recorded[0].what == "http://sim/(key)"
