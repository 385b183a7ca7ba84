"""Both outcomes in one book: priority, mints, merges, budgets, who pays what."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.domain.units import parse_money, parse_quantity
from core.sim.polymarket.contracts import Fee
from core.sim.polymarket.orders import OrderStatus, OrderType, Refused, Stage
from core.sim.polymarket.trading import CROSSES, FAK_KILLED, FOK_KILLED, Placed
from core.sim.polymarket.wallets import needed

FOK, FAK = OrderType.FOK, OrderType.FAK


@pytest.mark.parametrize(
    ("shares", "price", "rate", "fee"),
    [
        ("7.042251", 7100, 500, "0.07249"),
        ("2.083334", 4800, 700, "0.03640"),
        ("5", 3100, 500, "0.05347"),
        ("21.13", 7000, 500, "0.22186"),
        ("5.14", 9650, 700, "0.01215"),
        ("100", 5200, 500, "1.24800"),
        ("1", 1, 500, "0.00000"),
    ],
)
def test_fees_are_those_charged_on_the_chain(shares: str, price: int, rate: int, fee: str) -> None:
    assert Fee("any", rate).of(parse_quantity(shares), price) == parse_money(fee)


def test_a_taker_gets_the_resting_price_and_pays_its_fee_on_top(pit: Any) -> None:
    pit.split("bob", "100")
    pit.placed("bob", "SELL", "0.52", "100")
    done = pit.placed("ann", "BUY", "0.55", "40")
    assert (done.status, done.shares, done.money) == ("matched", 40_000_000, 20_800_000)
    pit.settled()
    assert pit.held("ann") == 40_000_000
    fee = parse_money("0.49920")  # 40 x 0.05 x 0.52 x 0.48
    assert pit.cash("ann") == parse_money("1000") - 20_800_000 - fee
    assert pit.cash("bob") == parse_money("900") + 20_800_000
    assert pit.asks() == [(5200, 60_000_000)]


def test_sellers_pay_the_fee_out_of_what_they_receive(pit: Any) -> None:
    pit.placed("bob", "BUY", "0.60", "20")
    pit.split("ann", "20")
    pit.placed("ann", "SELL", "0.60", "20", kind=FAK)
    pit.settled()
    assert pit.cash("ann") == parse_money("980") + parse_money("12") - parse_money("0.24")


def test_two_buyers_of_both_outcomes_mint_pairs(pit: Any) -> None:
    pit.placed("bob", "BUY", "0.45", "30", outcome=1)
    assert pit.asks() == [(5500, 30_000_000)] and pit.bids(1) == [(4500, 30_000_000)]
    done = pit.placed("ann", "BUY", "0.57", "30")
    trade = pit.exchange.trades[done.trades[0]]
    assert (trade.price, trade.money) == (5500, parse_money("16.5"))
    [fill] = trade.makers
    assert (fill.order.token_id, fill.price, fill.money) == (pit.plain.spec.tokens[1], 4500, 13_500_000)
    pit.settled()
    assert (pit.held("ann"), pit.held("bob", 1), pit.plain.vault) == (30_000_000,) * 3
    assert pit.total() == parse_money("2000")


def test_two_sellers_of_both_outcomes_merge_pairs(pit: Any) -> None:
    pit.split("ann", "30")
    pit.split("bob", "30")
    pit.placed("bob", "SELL", "0.40", "30", outcome=1)
    assert pit.bids() == [(6000, 30_000_000)]
    pit.placed("ann", "SELL", "0.60", "30")
    pit.settled()
    assert (pit.held("ann"), pit.held("bob", 1), pit.plain.vault) == (0, 0, 30_000_000)
    assert pit.cash("bob") == parse_money("982")


def test_price_then_time_whatever_the_outcome(pit: Any) -> None:
    pit.split("bob", "10")
    first = pit.placed("bob", "SELL", "0.50", "10").order
    second = pit.placed("cyd", "BUY", "0.50", "10", outcome=1).order
    better = pit.placed("dee", "BUY", "0.51", "10", outcome=1).order
    done = pit.placed("ann", "BUY", "0.50", "25")
    prices = [[f.order.order_id for f in pit.exchange.trades[t].makers] for t in done.trades]
    assert prices == [[better.order_id], [first.order_id, second.order_id]]
    assert (second.matched, second.status) == (5_000_000, OrderStatus.LIVE)
    buckets = [pit.exchange.trades[t].bucket for t in done.trades]
    assert buckets == [0, 1]


def test_a_dollar_budget_buys_what_it_buys_at_each_price(pit: Any) -> None:
    pit.split("bob", "100")
    pit.placed("bob", "SELL", "0.50", "10")
    pit.placed("bob", "SELL", "0.52", "50")
    done = pit.placed("ann", "BUY", "0.53", "18.86", kind=FAK, spend="10")
    assert (done.money, done.shares) == (9_999_999, 10_000_000 + 9_615_384)
    assert done.order.status is OrderStatus.MATCHED


def test_fok_and_fak_are_killed_with_the_venues_words(pit: Any) -> None:
    pit.split("bob", "10")
    pit.placed("bob", "SELL", "0.50", "10")
    assert pit.order("ann", "BUY", "0.50", "40", kind=FOK, spend="20") == FOK_KILLED
    assert pit.order("ann", "BUY", "0.40", "40", kind=FAK, spend="16") == FAK_KILLED
    assert pit.placed("ann", "BUY", "0.50", "10", kind=FOK, spend="5").shares == 10_000_000
    assert pit.asks() == []


def test_post_only_never_takes(pit: Any) -> None:
    pit.placed("bob", "BUY", "0.45", "30", outcome=1)
    assert pit.order("ann", "BUY", "0.55", "10", post_only=True) == CROSSES
    assert pit.placed("ann", "BUY", "0.54", "10", post_only=True).status == "live"


def test_a_marketable_buy_below_a_dollar_is_refused(pit: Any) -> None:
    pit.split("bob", "100")
    pit.placed("bob", "SELL", "0.10", "100")
    refused = pit.order("ann", "BUY", "0.10", "9.98")
    assert refused == Refused("invalid amount for a marketable BUY order ($0.998), min size: $1")
    assert pit.placed("ann", "BUY", "0.09", "9.98").status == "live"


def test_open_orders_keep_their_money_and_their_shares(pit: Any) -> None:
    pit.placed("ann", "BUY", "0.50", "1500")
    refused = pit.order("ann", "BUY", "0.51", "500")
    assert refused == Refused(
        "not enough balance / allowance: the balance is not enough -> balance: 250000000, "
        "order amount: 255000000"
    )
    pit.split("bob", "10")
    pit.placed("bob", "SELL", "0.60", "6")
    assert isinstance(pit.order("bob", "SELL", "0.60", "5"), Refused)
    assert isinstance(pit.order("bob", "SELL", "0.60", "4"), Placed)


def test_the_fee_must_be_paid_too(pit: Any) -> None:
    pit.split("bob", "1000")
    pit.placed("bob", "SELL", "0.50", "1000")
    pit.wallet("ann", "100")
    assert isinstance(pit.order("ann", "BUY", "0.50", "200"), Refused)
    assert isinstance(pit.order("ann", "BUY", "0.50", "195"), Placed)  # 97.50 and 2.43 fee


def test_without_an_allowance_nothing_is_sold(pit: Any) -> None:
    pit.wallet("ann").allowances[pit.plain.spec.domain.contract] = 4_000_000
    refused = pit.order("ann", "BUY", "0.50", "10")
    assert isinstance(refused, Refused)
    assert refused.text.endswith("the allowance is not enough -> allowance: 4000000, order amount: 5000000")


def test_a_wallet_may_meet_itself_and_it_is_flagged(pit: Any) -> None:
    pit.split("ann", "10")
    pit.placed("ann", "SELL", "0.50", "10")
    done = pit.placed("ann", "BUY", "0.50", "10")
    assert pit.exchange.trades[done.trades[0]].self_trade
    pit.settled()
    assert pit.held("ann") == 10_000_000


def test_marketable_orders_wait_on_a_market_that_delays_them(make_pit: Any) -> None:
    pit = make_pit(delay_s=3)
    pit.split("bob", "10")
    pit.placed("bob", "SELL", "0.50", "10")
    taker = pit.placed("ann", "BUY", "0.50", "10")
    killed = pit.placed("cyd", "BUY", "0.50", "10", kind=FOK, spend="5")
    assert (taker.status, taker.order.status, taker.shares) == ("delayed", OrderStatus.DELAYED, 0)
    assert pit.exchange.cancel("ann", taker.order.order_id) is not None
    pit.later(2.9)
    assert pit.held("ann") == 0 and taker.order.matched == 0
    pit.later(0.2)
    assert (taker.order.status, taker.order.matched) == (OrderStatus.MATCHED, 10_000_000)
    assert killed.order.status is OrderStatus.CANCELED
    resting = pit.placed("ann", "BUY", "0.50", "10")
    assert resting.status == "live"


ACTIONS = st.tuples(
    st.sampled_from(["ann", "bob", "cyd"]),
    st.sampled_from(["BUY", "SELL"]),
    st.integers(1, 99),
    st.integers(5, 60),
    st.integers(0, 1),
    st.sampled_from(["GTC", "FAK", "FAK-spend", "FOK", "wait", "cancel"]),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ACTIONS, max_size=40), st.integers(0, 4))
def test_nothing_is_ever_lost_or_made(make_pit: Any, actions: list[Any], chaos: int) -> None:
    """Cash, vaults and fees sum to what came in; every market has as many YES as NO; nobody owes."""
    pit = make_pit()
    pit.exchange.settlement.pace.fail_share = chaos / 8
    pit.exchange.settlement.pace.retry_share = pit.exchange.settlement.pace.reorg_share = chaos / 8
    for who in ("ann", "bob", "cyd"):
        pit.split(who, "100")
    for who, side, cents, shares, outcome, kind in actions:
        price = f"{cents / 100:.2f}"
        match kind:
            case "wait":
                pit.later(shares / 10)
            case "cancel":
                pit.exchange.cancel_all(who)
            case "FAK-spend":
                pit.order(who, "BUY", price, str(shares), outcome=outcome, kind=FAK, spend=str(shares))
            case _:
                pit.order(who, side, price, str(shares), outcome=outcome, kind=OrderType(kind))
        assert pit.total() == parse_money("3000")
        for wallet in pit.exchange.wallets.values():
            assert all(wallet.covered(asset) for asset in wallet.held)
            assert all(o.reserved == needed(o) for o in wallet.open.values())
    pit.settled()
    assert all(t.stage in (Stage.CONFIRMED, Stage.FAILED) for t in pit.exchange.trades.values())
    pit.exchange.cancel_all("ann")
    assert pit.total() == parse_money("3000")
    for wallet in pit.exchange.wallets.values():
        assert not any(wallet.outgoing.values())
        assert wallet.reserved.get("pUSD", 0) == sum(o.reserved for o in wallet.open.values() if o.buys)
