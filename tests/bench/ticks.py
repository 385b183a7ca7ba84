"""The tick path (a frame's bytes to an updated book) against decoding the same bytes alone."""

from __future__ import annotations

import msgspec

from core.domain.market import CENT_GRID
from core.venues.kalshi.frames import frame_decoder
from core.venues.kalshi.stream import StreamState
from tests.bench.harness import Pair

TICKERS = tuple(f"KXHIGHNY-26NOV23-B{number}.5" for number in range(500))
MESSAGES = 10_000


def _frame(kind: str, seq: int, body: dict[str, object]) -> bytes:
    return msgspec.json.encode(
        {"type": kind, "sid": 1, "seq": seq, "sending_ts_ms": 1_795_420_000_000 + seq, "msg": body}
    )


def _delta(seq: int) -> bytes:
    price = f"0.{20 + seq % 11:02d}00"
    side = "yes" if seq % 2 else "no"
    body: dict[str, object] = {
        "market_ticker": TICKERS[seq * 7919 % len(TICKERS)],
        "price_dollars": price if side == "yes" else f"0.{60 + seq % 11:02d}00",
        "delta_fp": f"{1 + seq % 90}.00",
        "side": side,
        "ts_ms": 1_795_420_000_000 + seq,
    }
    return _frame("orderbook_delta", seq, body)


def _subscribed() -> StreamState:
    state = StreamState()
    state.watch([(ticker, CENT_GRID) for ticker in TICKERS], 0)
    state.opened(0)
    state.commands()
    state.feed(b'{"type":"subscribed","id":1,"msg":{"channel":"orderbook_delta","sid":1}}', 0)
    for seq, ticker in enumerate(TICKERS, 1):
        state.feed(_frame("orderbook_snapshot", seq, {"market_ticker": ticker}), 0)
    return state


def pair() -> Pair:
    first = len(TICKERS) + 1
    stream = [_delta(seq) for seq in range(first, first + MESSAGES)]

    def apply() -> StreamState:
        state = _subscribed()
        for number, data in enumerate(stream):
            state.feed(data, number)
        return state

    if not all(view.intact for view in apply().books.values()):
        raise AssertionError("the stream lost a message: the comparison would be of two different works")

    def decode() -> None:
        _subscribed()
        for data in stream:
            frame_decoder.decode(data)

    return Pair("tick path / decode alone", apply, decode, MESSAGES, "what a tick costs beside its JSON")
