"""Signatures and hashes against vectors that two packages of the venue's own agree on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from coincurve import PrivateKey

from core.sim.polymarket import chain, typed_data
from core.sim.polymarket.typed_data import NEG_RISK, STANDARD, V3, SignatureType, SignedFields

VECTORS = Path(__file__).parents[4] / "shared/data/polymarket/golden_vectors.json"
DOMAINS = {domain.contract: domain for domain in (STANDARD, NEG_RISK, V3)}


@pytest.fixture(scope="module")
def vectors() -> dict[str, Any]:
    if not VECTORS.exists():
        pytest.skip("../shared/data/polymarket/golden_vectors.json is not here")
    found: dict[str, Any] = json.loads(VECTORS.read_text())
    return found


def fields(order: dict[str, Any]) -> SignedFields:
    return SignedFields(
        order["salt"], order["maker"], order["signer"], int(order["tokenId"]), int(order["makerAmount"]),
        int(order["takerAmount"]), order["side"] == "BUY", SignatureType(order["signatureType"]),
        int(order["timestamp"]), order["metadata"], order["builder"],
    )  # fmt: skip


def test_every_vector_has_its_hash_and_its_signer(vectors: dict[str, Any]) -> None:
    seen = set()
    for order in vectors["orders"]:
        domain = DOMAINS[order["verifying_contract"]]
        assert domain.version == order["domain_version"]
        assert typed_data.order_id(fields(order), domain) == order["order_hash"]
        assert typed_data.order_signer(fields(order), domain, order["signature"]) == vectors["address"]
        seen.add(order["signatureType"])
    assert seen == {0, 1, 2, 3}


def test_another_field_exchange_or_wrapping_is_another_signer(vectors: dict[str, Any]) -> None:
    for order in vectors["orders"]:
        signed, domain = fields(order), DOMAINS[order["verifying_contract"]]
        changed = msgspec.structs.replace(signed, maker_amount=signed.maker_amount + 1)
        other = NEG_RISK if domain is not NEG_RISK else STANDARD
        cut = order["signature"][:-2]
        assert typed_data.order_signer(changed, domain, order["signature"]) != vectors["address"]
        assert typed_data.order_signer(signed, other, order["signature"]) != vectors["address"]
        assert typed_data.order_signer(signed, domain, cut) is None
        assert typed_data.order_signer(signed, domain, "rubbish") is None


def test_a_login_vector_and_its_forgery(vectors: dict[str, Any]) -> None:
    login, address = vectors["l1"], vectors["address"]
    who = typed_data.login_signer(address, login["timestamp"], login["nonce"], login["signature"])
    assert who == address
    assert typed_data.login_signer(address, login["timestamp"], 1, login["signature"]) != address
    assert typed_data.login_signer("0x12", login["timestamp"], 0, login["signature"]) is None
    assert typed_data.login_signer(address, login["timestamp"], -1, login["signature"]) is None


def test_an_address_is_that_of_its_key(vectors: dict[str, Any]) -> None:
    key = PrivateKey(chain.raw(vectors["private_key"]))
    assert typed_data.address_of(key.public_key) == vectors["address"]


def test_wallets_lie_where_their_factories_put_them(vectors: dict[str, Any]) -> None:
    found = vectors["wallet_derivation"]
    assert chain.proxy_of(vectors["address"]) == found["proxy"]
    assert chain.safe_of(vectors["address"]) == found["safe"]
    assert chain.deposit_wallet_of(vectors["address"]) == found["deposit_wallet_beacon"]


def test_token_ids_have_the_layout_of_their_generation() -> None:
    first = chain.condition_v1("high in new york")
    assert not any(chain.is_v2(token) for token in chain.tokens_v1(first))
    second = chain.condition_v2("high in miami", 3, neg_risk=True)
    yes, no = chain.tokens_v2(second)
    assert chain.is_v2(yes) and chain.is_v2(no) and int(no) - int(yes) == 1
    assert len(second) == 66 and second.endswith("000300")
    assert int(yes).to_bytes(32, "big")[:31] == chain.raw(second)[:31]
