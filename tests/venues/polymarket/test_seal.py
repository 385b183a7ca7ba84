"""Intents as signed orders: the four trades, the order types, and what is refused before it is signed."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.order import BookSide, OrderIntent, Purpose, TimeInForce
from core.domain.units import Price, Quantity, contracts
from core.venues.polymarket.contracts import STANDARD
from core.venues.polymarket.terms import Terms
from core.venues.polymarket.traits import LIFETIME_MIN_S
from core.venues.polymarket.wallets import SignatureType, account
from core.venues.venue import Rejected, Sealed
from tests.venues.polymarket.golden import ADDRESS, BUY, POSITION, SIGNED, TOKEN
from tests.venues.polymarket.orders_of import (
    CREATED_MS,
    INTENT,
    NEG_RISK_TERMS,
    NO_TOKEN,
    OWNER,
    TERMS,
    V2_TERMS,
    immediate,
    intent,
    sealed,
    sealer,
    shares,
)

ZERO = "0x" + "0" * 64


GOLDEN = {row[0]: (row[1], *row[4:]) for row in SIGNED if row[2:4] == (STANDARD, BUY)}


@pytest.mark.parametrize("kind", SignatureType)
def test_the_golden_order_to_the_byte(kind: SignatureType) -> None:
    funder, order_hash, signature = GOLDEN[kind]
    made = sealer(of=account(ADDRESS, kind, funder)).seal(INTENT, TERMS)
    signer = funder if kind is SignatureType.DEPOSIT_WALLET else ADDRESS
    assert isinstance(made, Sealed) and made.order_id == order_hash
    assert made.body.decode() == (
        f'{{"order":{{"salt":479249096354,"maker":"{funder}","signer":"{signer}","tokenId":"{TOKEN}",'
        '"makerAmount":"52000000","takerAmount":"100000000","side":"BUY","expiration":"0",'
        f'"signatureType":{kind.value},"timestamp":"1795000000000","metadata":"{ZERO}","builder":"{ZERO}",'
        f'"signature":"{signature}"}},'
        f'"owner":"{OWNER}","orderType":"GTC","deferExec":false,"postOnly":true}}'
    )


def test_whatever_an_api_key_holds_the_body_is_json() -> None:
    made = sealer(owner='a "key" \\').seal(INTENT, TERMS)
    assert isinstance(made, Sealed) and json.loads(made.body)["owner"] == 'a "key" \\'


def test_the_market_decides_the_exchange() -> None:
    assert sealed(INTENT, NEG_RISK_TERMS).order_id == SIGNED[1][4]
    v2 = sealed(INTENT, V2_TERMS)
    assert v2.order_id == SIGNED[2][4] and json.loads(v2.body)["order"]["tokenId"] == POSITION


@pytest.mark.parametrize(
    ("side", "purpose", "token", "venue_side", "maker", "taker"),
    [
        (BookSide.BID, Purpose.OPEN, TOKEN, "BUY", "30000000", "100000000"),
        (BookSide.ASK, Purpose.OPEN, NO_TOKEN, "BUY", "70000000", "100000000"),
        (BookSide.ASK, Purpose.CLOSE, TOKEN, "SELL", "100000000", "30000000"),
        (BookSide.BID, Purpose.CLOSE, NO_TOKEN, "SELL", "100000000", "70000000"),
    ],
)
def test_the_four_trades_of_a_market(
    side: BookSide, purpose: Purpose, token: str, venue_side: str, maker: str, taker: str
) -> None:
    order = json.loads(sealed(intent(side=side, purpose=purpose, price=Price(3_000))).body)["order"]
    assert (order["tokenId"], order["side"]) == (token, venue_side)
    assert (order["makerAmount"], order["takerAmount"]) == (maker, taker)


CLOSE = {"side": BookSide.ASK, "purpose": Purpose.CLOSE}
HOUR_MS = 3_600_000


@pytest.mark.parametrize(
    ("of", "kind", "expiration_s"),
    [
        (INTENT, "GTC", 0),
        (intent(expires_ms=CREATED_MS + HOUR_MS), "GTD", CREATED_MS // 1_000 + 3_600 + 60),
        (intent(expires_ms=CREATED_MS + LIFETIME_MIN_S * 1_000), "GTD", CREATED_MS // 1_000 + 190),
        (immediate(**CLOSE), "FAK", 0),
        (immediate(**CLOSE, tif=TimeInForce.FOK), "FOK", 0),
        (immediate(), "GTD", CREATED_MS // 1_000 + 190),
        (immediate(expires_ms=CREATED_MS + 1), "GTD", CREATED_MS // 1_000 + 190),
    ],
)
def test_the_venues_kinds_of_order(of: OrderIntent, kind: str, expiration_s: int) -> None:
    body = json.loads(sealed(of).body)
    assert (body["orderType"], body["order"]["expiration"]) == (kind, str(expiration_s))
    assert body["postOnly"] is of.post_only


def test_an_immediate_purchase_can_never_bring_more_shares_than_decided() -> None:
    """As the venue's own immediate kinds it would spend its 5.70 dollars, whatever they buy."""
    body = json.loads(sealed(immediate(price=Price(5_700), quantity=contracts(10))).body)
    assert body["orderType"] == "GTD" and body["order"]["takerAmount"] == "10000000"


def test_an_immediate_sale_asks_no_more_than_its_limit() -> None:
    order = json.loads(sealed(immediate(**CLOSE, price=Price(2_200), quantity=shares(19.69))).body)["order"]
    assert (order["makerAmount"], order["takerAmount"]) == ("19690000", "4331800")


@pytest.mark.parametrize(
    ("of", "terms", "code"),
    [
        (intent(price=Price(5_250)), TERMS, "off_tick"),
        (intent(price=Price(0)), TERMS, "price_range"),
        (intent(price=Price(10_000)), TERMS, "price_range"),
        (intent(side=BookSide.ASK, price=Price(10_000)), TERMS, "price_range"),
        (intent(quantity=shares(4.999)), TERMS, "below_minimum"),
        (intent(quantity=shares(0.009)), msgspec.structs.replace(TERMS, minimum=Quantity(0)), "no_size"),
        (intent(quantity=Quantity(-5_000_000)), TERMS, "no_size"),
        (INTENT, msgspec.structs.replace(TERMS, tick=Price(20)), "unknown_tick"),
        (intent(expires_ms=CREATED_MS + LIFETIME_MIN_S * 1_000 - 1), TERMS, "lifetime"),
        (immediate(post_only=True), TERMS, "post_only"),
        (immediate(tif=TimeInForce.FOK), TERMS, "fok_purchase"),
        (immediate(price=Price(100), quantity=contracts(99)), TERMS, "below_dollar"),
    ],
)
def test_what_the_venue_would_refuse_is_not_signed(of: OrderIntent, terms: Terms, code: str) -> None:
    made = sealer().seal(of, terms)
    assert isinstance(made, Rejected) and made.code == code and made.text


def test_one_intent_sealed_twice_is_two_orders() -> None:
    seals = sealer()
    one, other = seals.seal(INTENT, TERMS), seals.seal(INTENT, TERMS)
    assert isinstance(one, Sealed) and isinstance(other, Sealed) and one.order_id != other.order_id


@given(
    price=st.integers(min_value=-100, max_value=10_100),
    quantity=st.integers(min_value=-(10**9), max_value=10**12),
    tick=st.sampled_from((1_000, 100, 50, 25, 10, 1)),
    side=st.sampled_from(BookSide),
    purpose=st.sampled_from(Purpose),
    tif=st.sampled_from(TimeInForce),
)
def test_an_order_never_costs_more_or_brings_less_than_the_intent_says(**drawn: Any) -> None:
    terms = msgspec.structs.replace(TERMS, tick=Price(drawn.pop("tick")))
    of = intent(**drawn, post_only=False)
    made = sealer().seal(of, terms)
    if isinstance(made, Rejected):
        return
    order = json.loads(made.body)["order"]
    maker, taker, price = int(order["makerAmount"]), int(order["takerAmount"]), of.outcome_price
    shares_of, usd = (taker, maker) if order["side"] == "BUY" else (maker, taker)
    assert 0 < shares_of <= of.quantity and shares_of > of.quantity - 10_000
    if order["side"] == "BUY":
        assert usd * 10_000 <= shares_of * price
    else:
        assert shares_of * price - 100 * 10_000 < usd * 10_000 <= shares_of * price
