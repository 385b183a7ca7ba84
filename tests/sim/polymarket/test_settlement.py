"""From MATCHED to its end: who holds what meanwhile, and what a failed trade leaves behind."""

from __future__ import annotations

from typing import Any

import pytest

from core.domain.units import Price, parse_money
from core.sim.polymarket.contracts import Resolution
from core.sim.polymarket.events import TradeChanged
from core.sim.polymarket.orders import OrderStatus, OrderType, Refused, Stage
from core.sim.polymarket.trading import Placed
from core.sim.polymarket.wallets import PUSD


def traded(pit: Any) -> Any:
    """ann buys ten shares of bob; the trade as it is announced."""
    pit.split("bob", "50")
    pit.placed("bob", "SELL", "0.50", "10")
    done = pit.placed("ann", "BUY", "0.50", "10")
    return pit.exchange.trades[done.trades[0]]


@pytest.fixture
def told(pit: Any) -> list[Stage]:
    heard: list[Stage] = []
    pit.exchange.listeners.append(
        lambda event: heard.append(event.trade.stage) if isinstance(event, TradeChanged) else None
    )
    return heard


def test_a_trade_is_matched_then_mined_then_confirmed(pit: Any, told: list[Stage]) -> None:
    trade = traded(pit)
    assert (trade.stage, trade.hash, pit.held("ann")) == (Stage.MATCHED, "", 0)
    pit.later(2)
    assert (trade.stage, pit.held("ann"), len(trade.hash)) == (Stage.MINED, 10_000_000, 66)
    pit.later(3.9)
    assert trade.stage is Stage.MINED
    pit.later(0.2)
    assert trade.stage is Stage.CONFIRMED
    assert told == [Stage.MATCHED, Stage.MINED, Stage.CONFIRMED]


def test_what_is_bought_can_be_sold_once_it_is_mined(pit: Any) -> None:
    traded(pit)
    assert isinstance(pit.order("ann", "SELL", "0.60", "10"), Refused)
    pit.later(2)
    assert isinstance(pit.order("ann", "SELL", "0.60", "10"), Placed)


def test_what_is_paid_is_gone_at_once(pit: Any) -> None:
    traded(pit)
    wallet = pit.wallet("ann")
    assert pit.cash("ann") == parse_money("1000")
    assert wallet.available(PUSD, pit.clock.ms) == parse_money("1000") - parse_money("5.125")
    assert isinstance(pit.order("bob", "SELL", "0.60", "41"), Refused)


def test_a_ghost_fill_gives_everything_back(pit: Any, told: list[Stage]) -> None:
    pit.exchange.settlement.pace.fail_share = 1.0
    trade = traded(pit)
    pit.settled()
    assert told == [Stage.MATCHED, Stage.FAILED] and trade.hash == ""
    assert (pit.held("ann"), pit.held("bob")) == (0, 50_000_000)
    assert pit.cash("ann") == parse_money("1000") and pit.exchange.fees_collected == 0
    assert pit.wallet("ann").available(PUSD, pit.clock.ms) == parse_money("1000")
    assert trade.taker.matched == 10_000_000 and trade.taker.status is OrderStatus.MATCHED


@pytest.mark.parametrize(
    ("retry", "reorg", "fail", "expected"),
    [
        (1.0, 0.0, 0.0, "MATCHED RETRYING MINED CONFIRMED"),
        (0.0, 1.0, 0.0, "MATCHED MINED RETRYING MINED CONFIRMED"),
        (0.0, 1.0, 1.0, "MATCHED MINED RETRYING FAILED"),
        (1.0, 1.0, 1.0, "MATCHED RETRYING MINED RETRYING FAILED"),
    ],
)
def test_retries_and_reorganisations_take_their_documented_ways(
    pit: Any, told: list[Stage], retry: float, reorg: float, fail: float, expected: str
) -> None:
    pace = pit.exchange.settlement.pace
    pace.retry_share, pace.reorg_share, pace.fail_share = retry, reorg, fail
    traded(pit)
    pit.settled()
    assert [stage.value for stage in told] == expected.split()
    assert pit.held("ann") == (0 if fail else 10_000_000)
    assert pit.total() == parse_money("2000")


def test_a_mined_trade_whose_proceeds_are_spent_stays(pit: Any) -> None:
    pit.exchange.settlement.pace.reorg_share = 1.0
    trade, told = traded(pit), []
    pit.exchange.listeners.append(
        lambda event: told.append(event.trade.stage) if getattr(event, "trade", None) is trade else None
    )
    pit.later(2)
    pit.placed("cyd", "BUY", "0.40", "10")
    pit.placed("ann", "SELL", "0.40", "10", kind=OrderType.FAK)
    pit.settled()
    assert told == [Stage.MINED, Stage.CONFIRMED] and pit.total() == parse_money("3000")


def test_a_mined_trade_thrown_back_takes_the_orders_that_counted_on_it(pit: Any) -> None:
    pit.exchange.settlement.pace.reorg_share = pit.exchange.settlement.pace.fail_share = 1.0
    traded(pit)
    pit.later(2)
    resting = pit.placed("ann", "SELL", "0.60", "10").order
    pit.settled()
    assert resting.cause is not None and resting.cause.value == "CANCELED_NOT_ENOUGH_BALANCE"


def test_nothing_moves_while_settlement_is_stuck(pit: Any) -> None:
    pit.exchange.settlement.pace.stuck = True
    trade = traded(pit)
    pit.settled()
    assert trade.stage is Stage.MATCHED
    pit.exchange.settlement.pace.stuck = False
    pit.later(0)
    assert trade.stage is Stage.CONFIRMED


def test_the_cache_lags_until_it_is_told_to_read_again(pit: Any) -> None:
    pit.exchange.balance_lag_ms = 30_000
    traded(pit)
    pit.later(2)
    wallet, token = pit.wallet("ann"), pit.plain.spec.tokens[0]
    assert (wallet.balance(token), wallet.seen(token, pit.clock.ms)) == (10_000_000, 0)
    assert isinstance(pit.order("ann", "SELL", "0.60", "10"), Refused)
    wallet.refresh(token)
    assert isinstance(pit.order("ann", "SELL", "0.60", "10"), Placed)


def test_orders_a_withdrawal_uncovers_are_cancelled_newest_first(pit: Any) -> None:
    old = pit.placed("ann", "BUY", "0.50", "1000").order
    new = pit.placed("ann", "BUY", "0.40", "1000").order
    pit.exchange.withdraw(pit.wallet("ann"), PUSD, parse_money("400"))
    assert (old.status, new.status) == (OrderStatus.LIVE, OrderStatus.CANCELED)


def test_a_resolved_market_pays_and_its_orders_go(pit: Any) -> None:
    traded(pit)
    pit.settled()
    resting = pit.placed("bob", "SELL", "0.90", "5").order
    pit.exchange.propose(pit.plain.condition_id, 0)
    assert pit.plain.resolution is Resolution.PROPOSED and pit.plain.tradeable
    pit.exchange.resolve(pit.plain.condition_id, 0)
    assert resting.status is OrderStatus.CANCELED_MARKET_RESOLVED and not pit.plain.tradeable
    before = pit.cash("ann")
    assert pit.exchange.resolving.redeem(pit.wallet("ann"), pit.plain) == parse_money("10")
    assert pit.exchange.resolving.redeem(pit.wallet("bob"), pit.plain) == parse_money("40")
    assert pit.cash("ann") == before + parse_money("10") and pit.plain.vault == 0
    with pytest.raises(ValueError, match="already resolved"):
        pit.exchange.resolve(pit.plain.condition_id, 1)


def test_what_is_on_its_way_to_somebody_else_is_not_redeemed(pit: Any) -> None:
    traded(pit)
    pit.exchange.resolve(pit.plain.condition_id, 0)
    assert pit.exchange.resolving.redeem(pit.wallet("bob"), pit.plain) == parse_money("40")
    pit.settled()
    assert (pit.held("bob"), pit.held("ann")) == (0, 10_000_000)
    assert pit.exchange.resolving.redeem(pit.wallet("ann"), pit.plain) == parse_money("10")


def test_half_each_pays_half_each(pit: Any) -> None:
    pit.split("bob", "10")
    pit.exchange.resolve(pit.plain.condition_id, None)
    assert pit.exchange.resolving.redeem(pit.wallet("bob"), pit.plain) == parse_money("10")


def test_everybody_is_paid_by_itself_once_nothing_is_under_way(pit: Any) -> None:
    pit.exchange.auto_redeem_ms = 1_000
    traded(pit)
    pit.exchange.resolve(pit.plain.condition_id, 0)
    pit.later(1.5)
    assert pit.held("bob", 1) == 50_000_000
    pit.settled()
    assert (pit.held("ann"), pit.held("bob", 1), pit.plain.vault) == (0, 0, 0)


def test_gtd_orders_stop_a_minute_before_their_end(pit: Any) -> None:
    order = pit.placed("ann", "BUY", "0.50", "10", kind=OrderType.GTD,
                       expiration_s=pit.clock.ms // 1000 + 200).order  # fmt: skip
    pit.later(139)
    assert order.status is OrderStatus.LIVE
    pit.later(1.1)
    assert order.cause is not None and order.cause.value == "CANCELED_EXPIRED_ORDER"


def test_a_finer_tick_leaves_resting_orders_where_they_are(pit: Any) -> None:
    order = pit.placed("ann", "BUY", "0.50", "10").order
    pit.exchange.flip_tick(pit.plain.condition_id, Price(10))
    assert order.status is OrderStatus.LIVE and pit.plain.tick == 10


@pytest.mark.parametrize(("price", "tick"), [("0.04", 100), ("0.03", 10), ("0.96", 100), ("0.97", 10)])
def test_a_market_that_is_almost_decided_gets_a_finer_grid(make_pit: Any, price: str, tick: int) -> None:
    pit = make_pit(refines=True)
    pit.split("bob", "100")
    pit.placed("bob", "SELL", price, "50")
    assert pit.plain.tick == 100
    pit.placed("ann", "BUY", price, "50")
    assert (pit.plain.tick, pit.ladder.tick) == (tick, 100)


def test_a_cleared_book_is_empty(pit: Any) -> None:
    order = pit.placed("ann", "BUY", "0.50", "10").order
    pit.exchange.clear_book(pit.plain.condition_id)
    assert order.status is OrderStatus.CANCELED and pit.bids() == []


class TestHeartbeats:
    def test_the_chain_and_what_its_silence_costs(self, pit: Any) -> None:
        beats = pit.exchange.heartbeats
        order, other = (pit.placed(who, "BUY", "0.50", "10").order for who in ("ann", "bob"))
        taken, first = beats.beat("ann", "")
        assert taken and beats.beat("ann", "")[0] is False
        assert beats.beat("ann", "wrong") == (False, first)
        pit.later(9)
        taken, second = beats.beat("ann", first)
        assert taken and second != first
        pit.later(9.9)
        assert order.status is OrderStatus.LIVE
        pit.later(5.2)
        assert (order.status, other.status) == (OrderStatus.CANCELED, OrderStatus.LIVE)
        assert beats.beat("ann", second)[0]

    def test_orders_live_ten_to_fifteen_seconds_after_the_last_beat(self, pit: Any) -> None:
        order = pit.placed("ann", "BUY", "0.50", "10").order
        pit.later(1)
        pit.exchange.heartbeats.beat("ann", "")
        while order.status is OrderStatus.LIVE:
            pit.later(0.1)
        assert 10_000 < pit.clock.ms - 1_795_400_001_000 <= 15_000

    def test_who_never_beats_is_never_cut(self, pit: Any) -> None:
        order = pit.placed("ann", "BUY", "0.50", "10").order
        pit.later(600)
        assert order.status is OrderStatus.LIVE
