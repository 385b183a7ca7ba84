"""A market's life on world time, an order's expiry on real time, amendments."""

from __future__ import annotations

from functools import partial

import pytest

from core.domain.units import Price, contracts, parse_money
from core.sim.amending import Amendment, amend, decrease
from core.sim.contracts import EventSpec, MarketSpec, MarketStatus
from core.sim.events import MarketChanged, OrderChanged
from core.sim.exchange import UNKNOWN_ORDER
from core.sim.orders import BookSide, OrderStatus, Placed, Reason, Refused

BID, ASK = BookSide.BID, BookSide.ASK
TICKER = "KXHIGHNY-26NOV23-B48.5"


def kinds(floor) -> list[str]:
    return [event.kind for event in floor.said(MarketChanged) if event.ticker == TICKER]


def test_orders_expire_at_whole_seconds_of_real_time(make_floor):
    floor = make_floor(speed=100)
    placed = floor.placed("ann", BID, "0.40", 5, expiration_ms=floor.clock.ms + 2_000)
    floor.later(1.9)
    assert placed.order.status is OrderStatus.RESTING
    floor.later(0.1)
    assert (placed.order.status, placed.order.reason) == (OrderStatus.CANCELED, Reason.EXPIRY)
    assert floor.exchange.account("ann").available == floor.cash("ann")


def test_markets_close_determine_and_pay_on_world_time(make_floor):
    floor = make_floor(speed=3_600)
    resting = floor.placed("ann", BID, "0.40", 5)
    floor.later(23.9)
    assert floor.exchange.markets[TICKER].status is MarketStatus.ACTIVE
    floor.later(0.2)
    assert resting.order.reason is Reason.CLOSE
    floor.exchange.determine(TICKER, "no", "51")
    floor.later(0.9)
    assert floor.exchange.markets[TICKER].status is MarketStatus.DETERMINED
    floor.later(0.2)
    assert floor.exchange.markets[TICKER].status is MarketStatus.FINALIZED
    assert kinds(floor) == ["created", "opened", "closed", "determined", "settled"]


def test_after_its_close_time_nothing_of_a_market_can_be_touched(floor):
    resting = floor.placed("ann", BID, "0.40", 5)
    floor.clock.ms += 86_400_000
    for answer in (floor.exchange.cancel("ann", resting.order_id), floor.order("ann", BID, "0.40", 1)):
        assert isinstance(answer, Refused)
        assert answer.code == "MARKET_INACTIVE"


def test_a_market_opens_when_its_time_comes(floor):
    start = floor.clock.ms
    spec = MarketSpec("NEW-1", "NEW", "KXHIGHNY", "t", "y", "greater", start + 5_000, start + 9_000)
    floor.exchange.list_event(EventSpec("NEW", "KXHIGHNY", "t", "s", (spec,)))
    assert floor.order("ann", BID, "0.40", 1, ticker="NEW-1").code == "MARKET_INACTIVE"
    floor.later(5)
    assert floor.placed("ann", BID, "0.40", 1, ticker="NEW-1").remaining == contracts(1)


def test_close_can_move_and_an_amended_result_pays_by_the_last_word(floor):
    floor.placed("ann", BID, "0.40", 5)
    floor.placed("bob", ASK, "0.40", 5)
    floor.exchange.move_close(TICKER, floor.clock.ms + 1_000)
    floor.later(1)
    floor.exchange.determine(TICKER, "yes", "49")
    floor.later(3_000)
    floor.exchange.determine(TICKER, "no", "50")
    before = floor.cash("bob")
    floor.later(3_000)
    assert floor.cash("bob") == before
    floor.later(600)
    assert floor.cash("bob") == before + contracts(5)
    with pytest.raises(ValueError, match="already paid"):
        floor.exchange.determine(TICKER, "yes")


def test_an_early_result_closes_the_market_first(floor):
    resting = floor.placed("ann", BID, "0.40", 5)
    floor.exchange.determine(TICKER, "yes", "48")
    assert resting.order.reason is Reason.CLOSE


def change(price: str, count: int, **more: object) -> Amendment:
    return Amendment(TICKER, BID, Price(int(float(price) * 10_000)), contracts(count), **more)  # type: ignore[arg-type]


def test_less_size_keeps_the_place_more_size_or_a_new_price_loses_it(floor):
    mine, other = floor.placed("ann", BID, "0.40", 5), floor.placed("bob", BID, "0.40", 5)
    book = floor.exchange.book(TICKER)
    amend(floor.exchange, "ann", mine.order_id, change("0.40", 3))
    amend(floor.exchange, "ann", mine.order_id, change("0.40", 3))
    assert (book.ahead_of(mine.order), book.ahead_of(other.order)) == (0, contracts(3))
    amend(floor.exchange, "ann", mine.order_id, change("0.40", 6))
    assert book.ahead_of(mine.order) == contracts(5)
    amend(floor.exchange, "ann", mine.order_id, change("0.41", 6))
    assert book.ahead_of(mine.order) == 0
    assert floor.said(OrderChanged)[-1].reason is Reason.AMEND
    assert floor.bids() == [(4100, contracts(6)), (4000, contracts(5))]


def test_an_amendment_may_trade_and_counts_what_was_filled(floor):
    mine = floor.placed("ann", BID, "0.40", 5)
    floor.placed("bob", ASK, "0.40", 2)
    floor.placed("bob", ASK, "0.45", 4)
    done = amend(floor.exchange, "ann", mine.order_id, change("0.45", 8))
    assert isinstance(done, Placed)
    assert (done.fill_count, done.remaining) == (contracts(4), contracts(2))
    assert done.average_fill_price == parse_money("0.45")
    assert mine.order.initial == contracts(8)


def test_amendments_that_cannot_be_are_refused(floor):
    mine = floor.placed("ann", BID, "0.40", 5, client_order_id="first")
    floor.placed("bob", ASK, "0.40", 2)
    floor.placed("ann", ASK, "0.60", 5)
    cases = {
        "INVALID_AMEND_QTY_FOR_ORDER": change("0.40", 1),
        "SELF_CROSS_ATTEMPT": change("0.60", 5),
        "invalid_price": change("0.405", 5),
        "insufficient_balance": change("0.40", 9_999),
        "order_already_exists": change("0.40", 4, client_order_id="taken"),
        "invalid_order": Amendment(TICKER, ASK, Price(4000), contracts(5)),
    }
    floor.placed("ann", BID, "0.10", 1, client_order_id="taken")
    for code, wanted in cases.items():
        answer = amend(floor.exchange, "ann", mine.order_id, wanted)
        assert isinstance(answer, Refused)
        assert answer.code == code
    assert mine.order.remaining == contracts(3)


def test_no_amendment_trades_while_trading_is_paused(floor):
    mine = floor.placed("ann", BID, "0.40", 5)
    floor.placed("bob", ASK, "0.45", 5)
    for pause, resume, code in (
        (
            partial(floor.exchange.set_trading, False),
            partial(floor.exchange.set_trading, True),
            "TRADING_PAUSED",
        ),
        (partial(floor.exchange.pause_market, TICKER), lambda: None, "MARKET_INACTIVE"),
    ):
        pause()
        for wanted in (change("0.45", 5), change("0.41", 5), change("0.40", 6)):
            answer = amend(floor.exchange, "ann", mine.order_id, wanted)
            assert isinstance(answer, Refused) and answer.code == code
        assert isinstance(amend(floor.exchange, "ann", mine.order_id, change("0.40", 5)), Placed)
        resume()
    assert floor.bids() == [(4000, contracts(5))]


def test_a_renewal_keeps_the_place_in_the_queue_and_its_last_word_counts(floor):
    mine = floor.placed("ann", BID, "0.40", 5, expiration_ms=floor.clock.ms + 5_000)
    behind = floor.placed("bob", BID, "0.40", 5)
    for seconds in (30, 3):
        renewed = change("0.40", 5, expiration_ms=floor.clock.ms + seconds * 1_000)
        answer = amend(floor.exchange, "ann", mine.order_id, renewed)
        assert isinstance(answer, Placed)
        assert (answer.fill_count, answer.remaining) == (0, contracts(5))
    floor.placed("cyd", ASK, "0.40", 1)
    assert (mine.order.remaining, behind.order.remaining) == (contracts(4), contracts(5))
    floor.later(3)
    assert (mine.order.status, mine.order.reason) == (OrderStatus.CANCELED, Reason.EXPIRY)
    late = amend(
        floor.exchange, "ann", mine.order_id, change("0.40", 5, expiration_ms=floor.clock.ms + 9_000)
    )
    assert late == UNKNOWN_ORDER


def test_amending_to_what_is_filled_cancels_and_expiry_can_change(floor):
    mine = floor.placed("ann", BID, "0.40", 5, expiration_ms=floor.clock.ms + 5_000)
    amend(floor.exchange, "ann", mine.order_id, change("0.40", 5, expiration_ms=floor.clock.ms + 9_000))
    floor.later(6)
    assert mine.order.status is OrderStatus.RESTING
    amend(floor.exchange, "ann", mine.order_id, change("0.40", 5, expiration_ms=0))
    floor.later(6)
    assert mine.order.status is OrderStatus.RESTING
    floor.placed("bob", ASK, "0.40", 2)
    amend(floor.exchange, "ann", mine.order_id, change("0.40", 2))
    assert mine.order.status is OrderStatus.CANCELED


def test_decrease_keeps_the_place_and_zero_cancels(floor):
    mine = floor.placed("ann", BID, "0.40", 5)
    floor.placed("bob", BID, "0.40", 5)
    decrease(floor.exchange, "ann", mine.order_id, contracts(2))
    assert floor.exchange.book(TICKER).ahead_of(mine.order) == 0
    assert floor.bids() == [(4000, contracts(7))]
    assert isinstance(decrease(floor.exchange, "ann", mine.order_id, contracts(3)), Refused)
    decrease(floor.exchange, "ann", mine.order_id, contracts(0))
    assert mine.order.status is OrderStatus.CANCELED


def test_a_scalar_result_pays_both_sides_in_whole_cents_and_keeps_the_rest_as_a_fee(floor):
    floor.placed("bob", ASK, "0.40", "10.01")
    floor.placed("ann", BID, "0.40", "10.01")
    before = floor.cash("ann"), floor.cash("bob"), floor.exchange.fees_collected
    floor.exchange.determine(TICKER, "scalar", "48.25", Price(2_537))
    floor.later(3_600)
    # 10.01 x 0.2537 = 2.539537 and 10.01 x 0.7463 = 7.470463
    assert floor.cash("ann") - before[0] == parse_money("2.53")
    assert floor.cash("bob") - before[1] == parse_money("7.47")
    assert floor.exchange.fees_collected - before[2] == parse_money("0.01")
    paid = floor.exchange.account("ann").settlements[0]
    assert (paid.result, paid.value, paid.revenue) == ("scalar", 2_537, parse_money("2.53"))
    held = floor.exchange.account("ann").holding(TICKER)
    assert held.realized - held.fees == paid.revenue - parse_money("4.004") - paid.fees + parse_money(
        "0.009537"
    )
    with pytest.raises(ValueError, match="with a value"):
        floor.exchange.determine("KXHIGHNY-26NOV23-T50", "scalar")
