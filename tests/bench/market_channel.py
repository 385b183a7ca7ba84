"""Polymarket's tick path (bytes to an updated and compared book) against decoding the same bytes alone."""

from __future__ import annotations

import msgspec

from core.domain.clock import Clocks, WorldClock
from core.venues.polymarket.book_wire import Sums
from core.venues.polymarket.books import Books, Watched
from core.venues.polymarket.market_channel import MarketTalk
from core.venues.polymarket.market_frames import frame_decoder
from core.venues.polymarket.tokens import Tokens
from tests.bench.harness import Pair

MARKETS = 500
MESSAGES = 9_000
"""Three seconds of the busiest traffic there should be."""
START_MS = 1_795_420_000_000


class StillClock:
    def wall_ms(self) -> int:
        return START_MS

    def mono_ns(self) -> int:
        return 0


CLOCKS = Clocks(StillClock(), WorldClock(START_MS, START_MS))
TOKENS = tuple((f"{10**76 + n}", f"{2 * 10**76 + n}") for n in range(MARKETS))


def _book(yes: str) -> bytes:
    return msgspec.json.encode(
        {
            "event_type": "book",
            "market": "0x" + "ab" * 32,
            "asset_id": yes,
            "timestamp": str(START_MS),
            "bids": [{"price": "0.39", "size": "250.5"}],
            "asks": [{"price": "0.61", "size": "250.5"}],
            "tick_size": "0.01",
        }
    )


def _change(number: int) -> bytes:
    """A level changes on both outcomes of one market, as the venue tells it."""
    yes, no = TOKENS[number * 7919 % MARKETS]
    cents, at_ms = 20 + number % 19, START_MS + number // 3
    rows = [
        {"asset_id": yes, "price": f"0.{cents}", "side": "BUY", "best_bid": "0.39", "best_ask": "0.61"},
        {"asset_id": no, "price": f"0.{100 - cents}", "side": "SELL", "best_bid": "0.39", "best_ask": "0.61"},
    ]
    more = {"size": f"{1 + number % 90}.5", "hash": f"{number:040x}"}
    return msgspec.json.encode(
        {
            "event_type": "price_change",
            "market": "0x" + "ab" * 32,
            "timestamp": str(at_ms),
            "price_changes": [{**row, **more} for row in rows],
        }
    )


def _subscribed() -> tuple[Books, MarketTalk]:
    books = Books()
    for number, (yes, no) in enumerate(TOKENS):
        books.add(Watched(f"m{number}", Tokens(yes, no), Sums("5", "0.01", False)), 0)
    talk = MarketTalk(1, books, [yes for yes, _ in TOKENS], CLOCKS)
    talk.commands()
    for yes, _ in TOKENS:
        talk.feed(_book(yes), 0)
    return books, talk


def pair() -> Pair:
    stream = [_change(number) for number in range(MESSAGES)]

    def apply() -> Books:
        books, talk = _subscribed()
        for number, data in enumerate(stream):
            talk.feed(data, number)
        return books

    if not all(view.intact for view in apply().views.values()):
        raise AssertionError("a book is in doubt: the comparison would be of two different works")

    def decode() -> None:
        _subscribed()
        for data in stream:
            frame_decoder.decode(data)

    return Pair(
        "Polymarket tick path / decode alone",
        apply,
        decode,
        MESSAGES,
        "what a message of two changes costs beside its JSON",
    )
