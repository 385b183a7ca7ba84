"""What a person asks for is what the card says: their side, price and size, and never more than is held."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.market import FeeType
from core.domain.order import Outcome, Purpose, TimeInForce
from core.domain.units import ONE_DOLLAR, Price, Quantity, contracts
from core.strategy.manual import ALL, Style, Ticket, asked, valued
from core.strategy.proposal import MANUAL, Candidate, FeeRole
from core.strategy.rules import EntryRules

RULES = EntryRules()


def ticket(outcome: Outcome | None, cents: int | None, count: int, style: Style) -> Ticket:
    price = Price(cents * 100) if cents is not None else None
    return Ticket("T", outcome, price, contracts(count), style)


def order(made: Any, wanted: Ticket, *, fair: Any = None, **view: Any) -> Candidate:
    found = asked(wanted, made.view(**view), fair, RULES)
    assert isinstance(found, Candidate), found
    return found


@given(
    outcome=st.sampled_from(Outcome),
    cents=st.integers(1, 99),
    count=st.integers(1, 5_000),
    style=st.sampled_from(Style),
)
def test_a_purchase_is_what_was_asked_for_and_nothing_else(
    made: Any, outcome: Outcome, cents: int, count: int, style: Style
) -> None:
    found = order(made, ticket(outcome, cents, count, style), fair=made.fair())
    assert (found.strategy, found.purpose, found.outcome) == (MANUAL, Purpose.OPEN, outcome)
    assert (found.outcome_price, found.quantity) == (cents * 100, contracts(count))
    assert found.post_only is (style is Style.POST_ONLY) and not found.reduce_only
    assert (found.tif is TimeInForce.IOC) is (style is Style.IOC)
    assert (found.fee_role is FeeRole.MAKER) is (style is Style.POST_ONLY)
    assert found.model_version == "", "a newer model makes no other order of it"


@given(
    net=st.integers(-300, 300).filter(bool),
    promised=st.integers(0, 300),
    count=st.integers(0, 500),
    rests=st.booleans(),
)
def test_a_sale_never_sells_more_than_is_held_and_free(
    made: Any, net: int, promised: int, count: int, rests: bool
) -> None:
    free = max(0, abs(net) - promised)
    view = made.view(net=net, sellable=contracts(free))
    style, cents = (Style.POST_ONLY, 60) if rests else (Style.IOC, None)
    found = asked(ticket(None, cents, count, style), view, made.fair(), RULES)
    if not free:
        assert isinstance(found, str) and "free to be sold" in found
        return
    assert isinstance(found, Candidate)
    assert found.quantity == contracts(min(free, count) if count else free)
    assert found.outcome is (Outcome.YES if net > 0 else Outcome.NO) and found.purpose is Purpose.CLOSE
    assert found.reduce_only is not rests and found.post_only is rests
    touch = view.book.best_bid if net > 0 else view.book.best_ask
    assert rests or found.price == touch


@pytest.mark.parametrize(
    ("wanted", "held", "says"),
    [
        (Ticket("T", Outcome.YES, None, contracts(1), Style.LIMIT), 0, "a price"),
        (Ticket("T", Outcome.YES, ONE_DOLLAR, contracts(1), Style.LIMIT), 0, "a price"),
        (Ticket("T", Outcome.NO, Price(3_000), Quantity(0), Style.LIMIT), 0, "a size"),
        (Ticket("T", Outcome.NO, Price(3_050), contracts(1), Style.LIMIT), 0, "30c and 31c"),
        (Ticket("T", None, None, ALL, Style.IOC), 0, "nothing is held"),
        (Ticket("T", None, None, ALL, Style.POST_ONLY), 5, "needs a price"),
        (Ticket("T", None, Price(4_000), ALL, Style.LIMIT), 5, "post-only or ioc"),
    ],
)
def test_what_cannot_be_is_a_clause_that_says_why(made: Any, wanted: Ticket, held: int, says: str) -> None:
    view = made.view(net=held, sellable=contracts(held))
    found = asked(wanted, view, None, RULES)
    assert isinstance(found, str) and says in found


def test_nobody_to_sell_to_is_said_with_the_way_out(made: Any) -> None:
    view = made.view(bids=(), net=5, sellable=contracts(5))
    assert asked(ticket(None, None, 0, Style.IOC), view, None, RULES) == "nobody bids: a price lets it rest"


def test_edge_and_fair_value_are_of_now_and_none_without_a_model(made: Any) -> None:
    wanted = ticket(Outcome.YES, 31, 10, Style.POST_ONLY)
    with_model = order(made, wanted, fair=made.fair(probability=0.40))
    assert with_model.model and with_model.edge > 0 and with_model.against == ""
    worse = valued(with_model, made.view(), made.fair(probability=0.20), RULES)
    assert isinstance(worse, Candidate) and worse.edge < 0 and "disagrees" in worse.against
    without = valued(with_model, made.view(), None, RULES)
    assert isinstance(without, Candidate) and without.model == "" and "no model" in without.against


def test_a_limit_that_reaches_nobody_is_valued_as_it_rests_and_charged_as_it_may_take(
    made: Any,
) -> None:
    resting = order(made, ticket(Outcome.YES, 31, 10, Style.LIMIT), fair=made.fair())
    maker = order(made, ticket(Outcome.YES, 31, 10, Style.POST_ONLY), fair=made.fair())
    assert resting.edge == maker.edge
    assert resting.fee > maker.fee, "what it reserves covers what it may come to"


def test_a_fee_nobody_can_compute_forbids_a_purchase_and_holds_up_no_sale(made: Any) -> None:
    market = made.market("B", FeeType.UNKNOWN)
    bought = asked(ticket(Outcome.YES, 31, 1, Style.IOC), made.view(market=market), None, RULES)
    assert isinstance(bought, str)
    held = made.view(market=market, net=5, sellable=contracts(5))
    sold = asked(ticket(None, None, 0, Style.IOC), held, None, RULES)
    assert isinstance(sold, Candidate) and sold.fee == 0
