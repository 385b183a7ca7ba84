"""Our order hashes, signatures and bodies beside those of the vendor's package, given the same amounts."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from core.venues.polymarket.contracts import EXCHANGES, Exchange
from core.venues.polymarket.order_wire import OrderForm, OrderType
from core.venues.polymarket.sign import Order, OwnSigner, Side, WalletKey
from core.venues.polymarket.vendor import VendorSigner
from core.venues.polymarket.wallets import SignatureType, account, funders_of

pytestmark = pytest.mark.filterwarnings("default")

ORDERS_EACH = 200
"""Of every signature type on every exchange."""


@pytest.fixture(scope="module", autouse=True)
def sdk() -> Any:
    return pytest.importorskip("py_clob_client_v2", reason="py-clob-client-v2 is not installed")


def wallet(rng: random.Random) -> WalletKey:
    return WalletKey(rng.randbytes(32))


def generated(rng: random.Random) -> Order:
    """Mostly ordinary numbers, now and then the largest and smallest a field holds."""
    extreme = rng.random() < 0.1
    numbers = [rng.choice((0, 1, 2**255, 2**256 - 1)) if extreme else rng.getrandbits(47) for _ in range(2)]
    token = rng.choice((0, 2**256 - 1)) if extreme else rng.getrandbits(256)
    return Order(
        rng.getrandbits(53),
        str(token),
        *numbers,
        rng.choice(list(Side)),
        1_795_000_000_000 + rng.getrandbits(40),
    )


@pytest.mark.parametrize("exchange", EXCHANGES, ids=lambda e: e.name)
@pytest.mark.parametrize("kind", SignatureType)
def test_hash_and_signature_are_the_vendors_to_the_byte(kind: SignatureType, exchange: Exchange) -> None:
    rng = random.Random(f"{kind.name} {exchange.name}")
    for _ in range(4):
        key = wallet(rng)
        ours_of = account(key.address, kind, rng.choice(funders_of(key.address)[kind]))
        ours, theirs = OwnSigner(key, ours_of), VendorSigner(key, ours_of)
        for _ in range(ORDERS_EACH // 4):
            order = generated(rng)
            assert ours.sign(order, exchange) == theirs.sign(order, exchange), order


def test_the_body_is_the_vendors(sdk: Any) -> None:
    """Key for key: what its client would post."""
    from py_clob_client_v2.order_utils.model.order_data_v2 import SignedOrderV2, order_to_json_v2

    rng = random.Random(7)
    for kind in SignatureType:
        key = wallet(rng)
        of = account(key.address, kind, funders_of(key.address)[kind][0])
        order, exchange = generated(rng), rng.choice(EXCHANGES)
        signed = OwnSigner(key, of).sign(order, exchange)
        posted = OrderForm(of, "an-api-key").body(order, signed, 1_795_000_360, OrderType.GTD, True)
        fields = {**json.loads(posted)["order"], "side": order.side.value, "salt": str(order.salt)}
        expected = order_to_json_v2(SignedOrderV2(**fields), "an-api-key", "GTD", post_only=True)
        assert posted.decode() == json.dumps(expected, separators=(",", ":"))
