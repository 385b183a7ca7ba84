"""Books from messages without sequence numbers: what is applied, what is believed, what is doubted."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.clock import Clocks, WorldClock
from core.domain.order import BookSide
from core.domain.units import Price, contracts
from core.venues.polymarket.book_wire import BookWire, Sums, book_hash
from core.venues.polymarket.books import Books, Watched
from core.venues.polymarket.facts import BookChanged, Fact, Oddity, Printed, Resolved, TickChanged
from core.venues.polymarket.line import SECOND_NS, GiveUp
from core.venues.polymarket.market_channel import MarketTalk
from core.venues.polymarket.tokens import Tokens
from core.venues.polymarket.trust import Trust
from core.venues.venue import Print

YES, NO, TICKER = "111", "222", "a-market"
SUMS = Sums("5", "0.01", False)
WALL_MS = 1_795_400_000_000


class StillClock:
    def wall_ms(self) -> int:
        return WALL_MS

    def mono_ns(self) -> int:
        return 0


CLOCKS = Clocks(StillClock(), WorldClock(WALL_MS, WALL_MS))


class Desk:
    """One watched market on as many connections as a test asks for."""

    def __init__(self) -> None:
        self.books, self.now_ns, self.heard = Books(), 0, list[Fact]()
        self.books.add(Watched(TICKER, Tokens(YES, NO), SUMS), 0)
        self.talks = {n: MarketTalk(n, self.books, [YES], CLOCKS) for n in (1, 2)}
        self.slot = self.books.slots[TICKER]

    def say(self, *frames: dict[str, Any], lane: int = 1, alone: bool = True) -> Sequence[Fact]:
        body: Any = frames[0] if alone and len(frames) == 1 else list(frames)
        said = self.talks[lane].feed(json.dumps(body).encode(), self.now_ns)
        self.heard.extend(said)
        return said

    @property
    def trust(self) -> Trust:
        assert self.slot.view.intact is self.slot.doubts.intact
        return self.slot.doubts.state

    @property
    def top(self) -> tuple[Price | None, Price | None]:
        return self.slot.view.book.best_bid, self.slot.view.book.best_ask

    def doubts(self) -> list[str]:
        return [fact.detail for fact in self.heard if isinstance(fact, Oddity)]


def book(
    at_ms: int, bids: dict[str, str], asks: dict[str, str], right_hash: bool = True, **more: Any
) -> dict[str, Any]:
    body = {
        "event_type": "book",
        "market": "0x1",
        "asset_id": YES,
        "timestamp": str(at_ms),
        "bids": [{"price": p, "size": s} for p, s in bids.items()],
        "asks": [{"price": p, "size": s} for p, s in asks.items()],
        "tick_size": "0.01",
        "last_trade_price": "",
        **more,
    }
    body["hash"] = book_hash(msgspec.convert(body, BookWire), SUMS) if right_hash else "f" * 40
    return body


def change(
    at_ms: int, side: str, price: str, size: str, best: tuple[str, str] | None = None, **more: Any
) -> dict[str, Any]:
    one = {"asset_id": YES, "price": price, "size": size, "side": side, "hash": f"{at_ms}{price}{size}"}
    if best is not None:
        one |= {"best_bid": best[0], "best_ask": best[1]}
    return {"event_type": "price_change", "timestamp": str(at_ms), "price_changes": [one | more]}


BIDS, ASKS = {"0.01": "100", "0.50": "5", "0.30": "7"}, {"0.99": "9", "0.55": "4", "0.60": "8"}


def live() -> Desk:
    desk = Desk()
    desk.say(book(1_000, BIDS, ASKS))
    assert desk.trust is Trust.LIVE
    return desk


def test_levels_in_any_order_are_read_right() -> None:
    desk = live()
    assert desk.top == (5_000, 5_500)
    assert desk.slot.view.book.levels(BookSide.ASK, 2) == [(5_500, contracts(4)), (6_000, contracts(8))]


def test_a_checksum_that_matches_is_proof_and_one_that_does_not_is_a_hint() -> None:
    desk = Desk()
    desk.say(book(1_000, BIDS, ASKS, right_hash=False))
    assert desk.trust is Trust.SNAPSHOT and not desk.doubts()
    desk.say(change(1_001, "BUY", "0.51", "3", best=("0.51", "0.55")))
    assert desk.trust is Trust.LIVE
    desk.say(book(1_002, BIDS, ASKS, right_hash=False))
    assert desk.trust is Trust.SUSPECT
    assert desk.doubts() == [f"{TICKER}: its checksum does not match"]


def test_a_book_without_a_checksum_says_nothing_by_that() -> None:
    desk = Desk()
    for at_ms in range(1_000, 1_010):
        desk.say({**book(at_ms, BIDS, ASKS), "hash": ""})
    assert desk.trust is Trust.SNAPSHOT and not desk.doubts()


def test_a_market_whose_checksum_never_holds_is_doubted_ever_more_seldom() -> None:
    desk = Desk()
    for at_ms in range(1_000, 1_030):
        desk.say(book(at_ms, BIDS, ASKS, right_hash=False))
    assert len(desk.doubts()) == 4  # after 2, 4, 8 and 16 of them


@pytest.mark.parametrize(
    "name",
    ["rest_book_v1_2026-10-05.json", "rest_book_v2_2026-10-05.json", "ws_book_snapshot_2026-08-13.json"],
)
def test_recorded_checksums(shared: Path, name: str) -> None:
    wire = msgspec.json.decode((shared / "data/polymarket" / name).read_bytes(), type=BookWire)
    assert book_hash(wire, SUMS) == wire.hash
    turned = msgspec.structs.replace(wire, bids=wire.bids[::-1], timestamp="1")
    assert book_hash(turned, SUMS) != wire.hash


def test_a_recorded_session(shared: Path) -> None:
    lines = (shared / "data/polymarket/ws_market_session_2026-10-05.jsonl").read_text().splitlines()
    frames = [json.loads(line) for line in lines]
    opening = json.loads(next(f["data"] for f in frames if f["dir"] == "send"))
    token = opening["assets_ids"][0]
    books = Books()
    books.add(Watched("recorded", Tokens(token, NO), SUMS), 0)
    talk = MarketTalk(1, books, [token], CLOCKS)
    assert [json.loads(command) for command in talk.commands()] == [opening]
    facts: list[Fact] = []
    for frame in frames:
        if frame["dir"] == "recv" and frame["data"] != "PONG":
            facts.extend(talk.feed(frame["data"].encode(), 0))
    assert facts == [BookChanged("recorded")]  # the other message was somebody else's new market
    assert books.slots["recorded"].doubts.state is Trust.LIVE  # its checksum holds
    assert talk.complete


def test_a_change_says_what_rests_from_now_on() -> None:
    desk = live()
    desk.say(change(1_001, "BUY", "0.50", "2.5", best=("0.5", "0.55")))
    assert desk.slot.view.book.size(BookSide.BID, Price(5_000)) == 2_500_000
    desk.say(change(1_002, "BUY", "0.50", "0", best=("0.30", "0.55")))
    desk.say(change(1_003, "SELL", "0.545", "1", best=("0.30", "0.545")))
    assert desk.top == (3_000, 5_450) and desk.trust is Trust.LIVE and not desk.doubts()


@pytest.mark.parametrize("nobody", ["", "0", "0.00", "1", "1.0"])
def test_an_empty_side_has_many_spellings(nobody: str) -> None:
    desk = Desk()
    desk.say(book(1_000, {"0.5": "5"}, {}))
    desk.say(change(1_001, "BUY", "0.5", "4", best=("0.5", nobody)))
    assert desk.trust is Trust.LIVE and not desk.doubts()


def test_both_outcomes_in_one_message_are_one_book() -> None:
    desk = live()
    frame = change(1_001, "BUY", "0.52", "3", best=("0.52", "0.55"))
    mirror = {"asset_id": NO, "price": "0.48", "size": "3", "side": "SELL", "hash": "m"}
    frame["price_changes"].append(mirror | {"best_bid": "0.45", "best_ask": "0.48"})
    desk.say(frame)
    assert desk.slot.view.book.size(BookSide.BID, Price(5_200)) == contracts(3)
    assert desk.trust is Trust.LIVE and not desk.doubts()
    frame["timestamp"] = "1002"
    frame["price_changes"][1] |= {"best_bid": "0.45", "best_ask": "0.47"}
    desk.say(frame)
    assert desk.trust is Trust.SUSPECT


def test_best_prices_are_compared_after_the_whole_message() -> None:
    desk = live()
    frame = change(1_001, "SELL", "0.55", "0", best=("0.56", "0.60"))
    frame["price_changes"] += change(1_001, "BUY", "0.56", "2", best=("0.56", "0.60"))["price_changes"]
    desk.say(frame)
    assert desk.trust is Trust.LIVE and desk.top == (5_600, 6_000)
    desk.say(
        {
            "event_type": "best_bid_ask",
            "asset_id": YES,
            "best_bid": "0.56",
            "best_ask": "0.60",
            "timestamp": "1001",
        }
    )
    assert desk.trust is Trust.LIVE
    desk.say(
        {
            "event_type": "best_bid_ask",
            "asset_id": YES,
            "best_bid": "0.57",
            "best_ask": "0.60",
            "timestamp": "1002",
        }
    )
    assert desk.trust is Trust.SUSPECT
    assert desk.doubts() == [f"{TICKER}: its best prices are not the venue's"]


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (change(1_001, "BUY", "0.51", "3", best=("0.52", "0.55")), "best prices"),
        (change(999, "BUY", "0.51", "3"), "backwards"),
        (change(1_001, "HOLD", "0.51", "3"), "neither BUY nor SELL"),
        (change(1_001, "BUY", "0.51", "-3"), "negative"),
        (change(1_001, "BUY", "1.51", "3"), "not between 0 and 1"),
        (change(1_001, "BUY", "0.00001", "3"), "decimals"),
        (change(1_001, "BUY", "a", "3"), "is no price"),
        (change(WALL_MS + 10**10, "BUY", "0.5", "3"), "in the future"),
        ({**change(1_001, "BUY", "0.5", "3"), "timestamp": "soon"}, "not in milliseconds"),
        (book(1_001, {"0.55": "1"}, {"0.55": "1"}), "bid not below ask"),
        (book(1_001, {"0.5": "1", "0.50": "2"}, {}), "comes twice"),
        (book(999, BIDS, ASKS), "backwards"),
    ],
)
def test_what_makes_a_book_suspect(frame: dict[str, Any], reason: str) -> None:
    desk = live()
    said = desk.say(frame)
    assert desk.trust is Trust.SUSPECT and BookChanged(TICKER) in said
    assert len(desk.doubts()) == 1 and reason in desk.doubts()[0]
    assert desk.books.due(desk.now_ns) == [desk.slot]  # REST is asked at once


def test_one_delete_of_nothing_is_forgiven_three_are_not() -> None:
    desk = live()
    for at_ms in (1_001, 1_002):
        desk.say(change(at_ms, "BUY", "0.2", "0"))
    assert desk.trust is Trust.LIVE
    desk.say(change(1_003, "BUY", "0.2", "0"))
    assert desk.trust is Trust.SUSPECT


def test_a_book_may_cross_for_a_moment_and_not_longer() -> None:
    desk = live()
    desk.say(change(1_001, "BUY", "0.55", "2"))
    desk.now_ns = SECOND_NS // 2
    assert desk.books.tick(desk.now_ns) == [] and desk.trust is Trust.LIVE
    desk.say(change(1_002, "SELL", "0.55", "0", best=("0.55", "0.6")))
    assert desk.books.tick(10 * SECOND_NS) == []
    desk.say(change(1_003, "SELL", "0.55", "2"))
    assert desk.books.tick(desk.now_ns + SECOND_NS // 2 + 1) != [] and desk.trust is Trust.SUSPECT


def test_a_suspect_book_follows_on_and_waits_for_a_whole_one() -> None:
    desk = live()
    desk.say(change(1_001, "BUY", "0.51", "3", best=("0.52", "0.55")))
    desk.say(change(1_002, "BUY", "0.53", "3", best=("0.53", "0.55")))
    assert desk.trust is Trust.SUSPECT and desk.top == (5_300, 5_500)
    wire = msgspec.convert(book(1_001, {"0.52": "1"}, {"0.55": "4"}), BookWire)
    desk.books.reload(desk.slot, wire, 5, WALL_MS)
    # The newer word on 0.53 was kept, the older one on 0.51 is in the whole book.
    assert desk.trust is Trust.LIVE and desk.top == (5_300, 5_500)
    assert desk.slot.view.book.levels(BookSide.BID, 9) == [(5_300, contracts(3)), (5_200, contracts(1))]


def test_an_older_book_by_rest_restores_nothing() -> None:
    desk = live()
    desk.books.suspect(TICKER, "for the test", 0)
    wire = msgspec.convert(book(999, {"0.52": "1"}, {}), BookWire)
    with pytest.raises(Exception, match="older"):
        desk.books.reload(desk.slot, wire, 5, WALL_MS)
    assert desk.trust is Trust.SUSPECT and desk.top == (5_000, 5_500)


def test_a_book_no_socket_brings_is_shown_and_not_believed() -> None:
    desk = Desk()
    wire = msgspec.convert(book(1_000, BIDS, ASKS), BookWire)
    desk.books.reload(desk.slot, wire, 5, WALL_MS)
    assert desk.trust is Trust.SUSPECT and desk.top == (5_000, 5_500)


def test_a_book_is_doubted_when_its_last_socket_ends() -> None:
    desk = live()
    desk.say(book(1_000, BIDS, ASKS), lane=2)
    assert list(desk.books.lane_ended(1, "cut", 0)) == [] and desk.trust is Trust.LIVE
    assert list(desk.books.lane_ended(2, "cut", 0)) and desk.trust is Trust.SUSPECT
    desk.say(book(1_500, BIDS, ASKS))
    assert desk.trust is Trust.LIVE


def test_the_slower_socket_neither_undoes_nor_repeats() -> None:
    desk = live()
    desk.say(book(1_000, BIDS, ASKS), lane=2)
    news = [
        change(1_001, "BUY", "0.51", "3", best=("0.51", "0.55")),
        change(1_002, "BUY", "0.51", "9", best=("0.51", "0.55")),
        change(1_003, "SELL", "0.60", "1", best=("0.51", "0.55")),
    ]
    for frame in news:
        desk.say(frame)
    count = desk.slot.view.sequence
    for frame in news:
        desk.say(frame, lane=2)
    assert desk.slot.view.book.size(BookSide.BID, Price(5_100)) == contracts(9)
    assert desk.slot.view.sequence == count and not desk.doubts()


def test_what_happened_later_in_one_millisecond_holds_whoever_said_it_first() -> None:
    """The second socket lost the first of two words and said the second one before anybody."""
    desk = live()
    desk.say(book(1_000, BIDS, ASKS), lane=2)
    first, second = change(1_001, "BUY", "0.40", "3"), change(1_001, "BUY", "0.40", "7")
    for frame, lane in ((second, 2), (first, 1), (second, 1)):
        desk.say(frame, lane=lane)
    assert desk.slot.view.book.size(BookSide.BID, Price(4_000)) == contracts(7)


def test_both_sockets_words_of_one_millisecond_are_taken_once() -> None:
    desk = live()
    desk.say(book(1_000, BIDS, ASKS), lane=2)
    first, second = change(1_001, "BUY", "0.40", "3"), change(1_001, "BUY", "0.40", "7")
    for frame, lane in ((first, 1), (second, 1), (first, 2), (second, 2)):
        desk.say(frame, lane=lane)
        if lane == 2:  # the slower one takes nothing back
            assert desk.slot.view.book.size(BookSide.BID, Price(4_000)) == contracts(7)


def test_the_slower_sockets_best_prices_of_one_millisecond_are_not_the_books() -> None:
    """It tells of the first of two changes while the book has both already."""
    desk = live()
    desk.say(book(1_000, BIDS, ASKS), lane=2)
    best = {"event_type": "best_bid_ask", "asset_id": YES, "timestamp": "1001", "best_ask": "0.55"}
    news = [
        change(1_001, "BUY", "0.51", "3", best=("0.51", "0.55")),
        {**best, "best_bid": "0.51"},
        change(1_001, "BUY", "0.52", "3", best=("0.52", "0.55")),
        {**best, "best_bid": "0.52"},
    ]
    for lane in (1, 2):
        for frame in news:
            desk.say(frame, lane=lane)
    assert not desk.doubts()
    desk.say(change(1_002, "BUY", "0.30", "3", best=("0.53", "0.55")), lane=2)
    assert desk.trust is Trust.SUSPECT, "the first socket to tell of a time is believed"


def test_a_book_that_comes_again_takes_back_nothing_said_since() -> None:
    desk = live()
    desk.say(change(1_000, "BUY", "0.40", "3"))
    desk.books.suspect(TICKER, "for the test", 0)
    desk.say(book(1_000, BIDS, ASKS), lane=2)
    assert desk.trust is Trust.LIVE
    assert desk.slot.view.book.size(BookSide.BID, Price(4_000)) == contracts(3)


def test_what_one_socket_lost_the_other_brings() -> None:
    desk = live()
    desk.say(book(1_000, BIDS, ASKS), lane=2)
    lost = change(1_001, "BUY", "0.40", "3")
    desk.say(change(1_002, "BUY", "0.51", "3"))
    desk.say(lost, lane=2)
    assert desk.slot.view.book.size(BookSide.BID, Price(4_000)) == contracts(3)


def test_a_tick_size_change_doubts_the_book_and_is_told() -> None:
    desk = live()
    frame = {"event_type": "tick_size_change", "asset_id": NO, "new_tick_size": "0.001", "timestamp": "1001"}
    assert TickChanged(TICKER, Price(10)) in desk.say(frame)
    assert desk.trust is Trust.SUSPECT
    desk.say({**frame, "new_tick_size": "0.03"})
    assert "not a tick size" in desk.doubts()[-1]


def test_a_trade_is_told_by_the_book_and_an_end_by_its_own_message() -> None:
    desk = live()
    trade = {"event_type": "last_trade_price", "asset_id": NO, "price": "0.46", "size": "2", "side": "BUY"}
    said = desk.say({**trade, "timestamp": "1001"})
    assert list(said) == [Printed(Print(TICKER, Price(5_400), contracts(2), BookSide.ASK, 1_001))]
    assert desk.trust is Trust.LIVE
    yes = {**trade, "asset_id": YES, "side": "SELL", "timestamp": "1001"}
    assert list(desk.say(yes)) == [Printed(Print(TICKER, Price(4_600), contracts(2), BookSide.ASK, 1_001))]
    assert list(desk.say(yes, lane=2)) == [], "the other connection says it again"
    assert list(desk.say({**yes, "asset_id": "7"})) == []
    for odd in ({"price": "1.2"}, {"side": "HOLD"}, {"size": "-1"}, {"timestamp": "soon"}):
        assert [type(fact) for fact in desk.say(yes | odd)] == [Oddity] and desk.trust is Trust.LIVE
    over = {
        "event_type": "market_resolved",
        "market": "0x1",
        "assets_ids": [YES, NO],
        "winning_asset_id": YES,
    }
    assert list(desk.say(over)) == [Resolved(TICKER)]
    assert list(desk.say({**over, "assets_ids": ["7"]})) == []


def test_other_markets_and_arrays_and_junk() -> None:
    desk = live()
    other = change(1_001, "BUY", "0.5", "1") | {"market": "0x2"}
    other["price_changes"][0]["asset_id"] = "999"
    assert list(desk.say(other)) == []
    assert list(desk.say({"event_type": "new_market", "id": "1", "question": "x", "assets_ids": ["1"]})) == []
    desk.say(other, change(1_002, "BUY", "0.52", "1", best=("0.52", "0.55")))
    assert desk.top[0] == 5_200
    assert list(desk.say({"event_type": "weather_report"})) == [
        Oddity("unreadable message", "weather_report")
    ]
    assert desk.trust is Trust.LIVE
    desk.say({"event_type": "price_change", "timestamp": 5})
    assert desk.trust is Trust.SUSPECT


@pytest.mark.parametrize(
    "junk", [b"", b"{", b"[]]", b"null", b"5", b"\xff\xfe", b'{"event_type":"book"}', b"[1]"]
)
def test_junk_never_raises(junk: bytes) -> None:
    desk = live()
    desk.talks[1].feed(junk, 0)
    assert desk.trust is Trust.SUSPECT


def test_a_silent_connection_is_given_up_when_another_one_has_news() -> None:
    desk = live()
    desk.say(book(1_000, BIDS, ASKS), lane=2)
    desk.now_ns = 10 * SECOND_NS
    assert not any(desk.talks[1].tick(desk.now_ns + n * SECOND_NS) for n in range(5))  # quiet, not dead
    desk.say(change(2_000, "BUY", "0.51", "3"), lane=2)
    ticks = [list(desk.talks[1].tick(desk.now_ns + n * SECOND_NS)) for n in range(3)]
    assert ticks == [[], [], [GiveUp("silent while another connection has news")]]


def test_a_quiet_connection_has_its_busiest_book_compared_once() -> None:
    desk = live()
    desk.slot.doubts.due_ns = 10**18
    desk.talks[1].tick(19 * SECOND_NS)
    assert not desk.books.due(20 * SECOND_NS)
    desk.talks[1].tick(21 * SECOND_NS)
    assert desk.books.due(21 * SECOND_NS) == [desk.slot]
    desk.slot.doubts.due_ns = 10**18
    desk.talks[1].tick(25 * SECOND_NS)
    assert not desk.books.due(25 * SECOND_NS)


def test_only_what_is_new_is_asked_for() -> None:
    books = Books()
    talk = MarketTalk(1, books, [], CLOCKS)
    assert talk.commands() == []
    talk.want(["2", "1"])
    opening = {"assets_ids": ["1", "2"], "type": "market", "custom_feature_enabled": True}
    assert [json.loads(c) for c in talk.commands()] == [opening]
    talk.want(["3"])
    talk.unwant("1")
    assert [json.loads(c) for c in talk.commands()] == [
        {"operation": "subscribe", "assets_ids": ["3"], "custom_feature_enabled": True},
        {"operation": "unsubscribe", "assets_ids": ["1"], "custom_feature_enabled": True},
    ]
    assert talk.commands() == []


moves = st.lists(
    st.tuples(
        st.sampled_from(["BUY", "SELL"]),
        st.integers(1, 20),
        st.integers(0, 3),
        st.integers(0, 2),  # milliseconds that pass before it
    ),
    max_size=40,
)


@settings(max_examples=300, deadline=None)
@given(moves, st.lists(st.booleans(), max_size=80), st.sets(st.integers(0, 39)), st.integers(0, 39))
def test_two_sockets_make_the_venues_book_whatever_order_they_come_in(
    made: list[tuple[str, int, int, int]], order: list[bool], lost: set[int], whole: int
) -> None:
    """Each socket keeps its own order; one loses some messages and gets a whole book in between."""
    desk, truth, at_ms = Desk(), dict[tuple[str, int], int](), 1_000
    streams: dict[int, list[dict[str, Any]]] = {1: [book(1_000, {}, {})], 2: [book(1_000, {}, {})]}
    for index, (side, cents, size, pause_ms) in enumerate(made):
        at_ms += pause_ms
        price = cents if side == "BUY" else cents + 30
        truth[side, price] = size
        frame = change(at_ms, side, f"0.{price:02d}", str(size), hash=str(index))
        streams[1].append(frame)
        if index not in lost:
            streams[2].append(frame)
        if index == whole:
            at_ms += 1  # nothing else happens in the moment of a whole book
            sides = [
                {f"0.{p:02d}": str(n) for (s, p), n in truth.items() if s == which and n}
                for which in ("BUY", "SELL")
            ]
            streams[2].append(book(at_ms, *sides))
            at_ms += 1
    for first in [*order, *([True] * 100), *([False] * 100)]:
        lane = 1 if first else 2
        if streams[lane]:
            desk.say(streams[lane].pop(0), lane=lane)
    for (side, price), size in truth.items():
        at = BookSide.BID if side == "BUY" else BookSide.ASK
        assert desk.slot.view.book.size(at, Price(price * 100)) == contracts(size)


def test_how_late_a_change_is_counts_once_however_many_sockets_bring_it() -> None:
    desk = Desk()
    for lane in (1, 2):
        desk.say(book(WALL_MS - 9_000, BIDS, ASKS), lane=lane)
    assert desk.books.lags.worst() is None  # a whole book may be as old as its last change
    for late_ms in (40, 7):
        desk.say(change(WALL_MS - late_ms, "BUY", "0.51", str(late_ms)), lane=1)
    desk.say(change(WALL_MS - 40, "BUY", "0.51", "40"), lane=2)
    assert desk.books.lags.worst() == 40
    desk.say(change(WALL_MS - 7, "BUY", "0.51", "7"), lane=2)
    assert desk.books.lags.worst() is None  # the slower socket brings nothing new
