"""Our amounts beside those of the vendor's order builder, which counts in binary floating point.

Where the two differ the vendor's are wrong: the cases are named, and everywhere else they are ours.
"""

from __future__ import annotations

import random
from decimal import ROUND_DOWN, Decimal
from typing import Any

import pytest

from core.domain.units import parse_money, parse_price, parse_quantity
from core.venues.polymarket.amounts import (
    Amounts,
    limit_amounts,
    purchase_amounts,
    sale_amounts,
    whole_lots,
)
from core.venues.polymarket.sign import Side
from core.venues.polymarket.terms import TICKS

pytestmark = pytest.mark.filterwarnings("default")

MICRO = 1_000_000
LOT = 10_000


@pytest.fixture(scope="module")
def builder() -> Any:
    package = pytest.importorskip(
        "py_clob_client_v2.order_builder.builder", reason="py-clob-client-v2 is not installed"
    )
    return package.OrderBuilder(None)


def vendors(builder: Any, name: str, side: Side, size: str, price: str, tick: str) -> Amounts:
    from py_clob_client_v2.order_builder.builder import ROUNDING_CONFIG

    _, maker, taker = getattr(builder, name)(side.name, float(size), float(price), ROUNDING_CONFIG[tick])
    return Amounts(maker, taker)


def tick_text(tick: int) -> str:
    return f"{Decimal(tick) / 10_000}"


def exact(size: str, price: str) -> tuple[int, int]:
    """Shares and dollars in millionths, by decimal arithmetic."""
    shares = Decimal(size).quantize(Decimal("0.01"), ROUND_DOWN)
    return int(shares * MICRO), int(shares * Decimal(price) * MICRO)


def cases(rng: random.Random, count: int) -> list[tuple[Side, str, str, str]]:
    made = []
    for _ in range(count):
        tick = rng.choice(sorted(TICKS))
        price = f"{Decimal(rng.randrange(1, 10_000 // tick) * tick) / 10_000}"
        size = f"{Decimal(rng.randrange(1, 100_000)) / 100}"
        made.append((rng.choice(list(Side)), size, price, tick_text(tick)))
    return made


def test_its_limit_orders_lose_a_hundredth_of_a_share_to_binary_floor(builder: Any) -> None:
    """``floor(2.03 * 100)`` is 202. Nothing else differs, and ours is what decimals say."""
    lost = 0
    made = cases(random.Random(11), 6_000)
    for side, size, price, tick in made:
        found = limit_amounts(side, parse_price(price), whole_lots(parse_quantity(size)))
        shares, usd = exact(size, price)
        assert found == (Amounts(usd, shares) if side is Side.BUY else Amounts(shares, usd))
        theirs = vendors(builder, "get_order_amounts", side, size, price, tick)
        if theirs == found:
            continue
        lost += 1
        their_shares = theirs.taker if side is Side.BUY else theirs.maker
        assert their_shares == shares - LOT, (side, size, price, tick, theirs, found)
        assert int(float(size) * 100) * LOT == their_shares
    assert 100 < lost < len(made) // 10


def test_the_two_amounts_it_is_known_for(builder: Any) -> None:
    limit = vendors(builder, "get_order_amounts", Side.BUY, "2.03", "0.29", "0.01")
    assert limit == Amounts(585_800, 2_020_000)
    assert limit_amounts(Side.BUY, parse_price("0.29"), parse_quantity("2.03")) == Amounts(588_700, 2_030_000)
    market = vendors(builder, "get_market_order_amounts", Side.BUY, "10", "0.58", "0.01")
    assert market == Amounts(10_000_000, 17_543_800), "signed at 0.57: no level at 0.58 is reached"
    assert purchase_amounts(parse_price("0.58"), parse_money("10")) == Amounts(10_000_000, 17_241_300)


def floored(text: str, decimals: int) -> Decimal:
    """What its binary floor makes of a number."""
    return Decimal(int(float(text) * 10**decimals)).scaleb(-decimals)


PRICE_DECIMALS = {"0.1": 1, "0.01": 2, "0.005": 3, "0.0025": 4, "0.001": 3, "0.0001": 4}


def test_its_immediate_orders_go_wrong_in_three_named_ways(builder: Any) -> None:
    """A price a tick too low, a size a hundredth too small, or more decimals than the venue takes.

    On a tick of 0.1 it asks for three decimals where four are allowed; that is coarse, not wrong.
    """
    seen = {"price": 0, "size": 0, "decimals": 0}
    for side, size, price, tick in cases(random.Random(12), 6_000):
        if side is Side.BUY and Decimal(size) < 1:
            continue
        theirs = vendors(builder, "get_market_order_amounts", side, size, price, tick)
        if side is Side.BUY:
            found = purchase_amounts(parse_price(price), parse_money(size))
        else:
            found = sale_amounts(parse_price(price), parse_quantity(size))
        wrong = {
            "price": floored(price, PRICE_DECIMALS[tick]) != Decimal(price),
            "size": floored(size, 2) != Decimal(size),
            "decimals": theirs.taker % 100 != 0,
        }
        for name, is_so in wrong.items():
            seen[name] += is_so
        if theirs != found and not any(wrong.values()):
            assert tick == "0.1" and theirs == Amounts(found.maker, found.taker - found.taker % 1_000)
    assert min(seen.values()) > 50, seen
