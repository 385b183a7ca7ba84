"""Hashes, signatures and headers against golden vectors, and what no key or credential may show."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.venues.polymarket.contracts import (
    EXCHANGES,
    Exchange,
    exchange_of,
)
from core.venues.polymarket.l2 import Credentials, CredentialsError, RequestSigner
from core.venues.polymarket.sign import (
    KeyFormatError,
    Order,
    OwnSigner,
    Side,
    WalletKey,
    login_signature,
    parse_key,
)
from core.venues.polymarket.tokens import Version
from core.venues.polymarket.wallets import SignatureType, account
from tests.venues.polymarket.golden import (
    ADDRESS,
    BUY,
    KEY,
    LOGIN,
    LOGIN_S,
    REQUESTS,
    SECRET,
    SIGNED,
    TOKEN,
)

CREDENTIALS = Credentials(ADDRESS, "11111111-2222-3333-4444-555555555555", SECRET, "f" * 64)


@pytest.mark.parametrize(("kind", "funder", "exchange", "order", "order_hash", "signature"), SIGNED)
def test_hash_and_signature_are_the_official_ones(
    kind: SignatureType, funder: str, exchange: Exchange, order: Order, order_hash: str, signature: str
) -> None:
    signed = OwnSigner(KEY, account(ADDRESS, kind, funder)).sign(order, exchange)
    assert (signed.order_hash, signed.signature) == (order_hash, signature)


def test_the_domains_of_the_three_exchanges() -> None:
    assert [(e.name, e.version, e.separator.hex()) for e in EXCHANGES] == [
        ("standard", "2", "3264e159346253e26a64e00b69032db0e7d32f94628de3e6eecb50304d7af3d2"),
        ("neg-risk", "2", "9b858f53327b0bd13af8ec14cfb35234fb9eb7b0504d1a4e61f433840d30e81a"),
        ("v3", "3", "466c63910185bbd55e8679264200c4e0abdcbb0c6264eb3d41d13326022e095b"),
    ]


def test_the_exchange_follows_from_the_markets_version() -> None:
    names = [exchange_of(version, neg_risk).name for version in Version for neg_risk in (False, True)]
    assert names == ["standard", "neg-risk", "v3", "v3"]


AMOUNTS = st.integers(min_value=0, max_value=2**256 - 1)
ORDERS = st.builds(
    Order,
    salt=st.integers(min_value=0, max_value=2**53 - 1),
    token_id=AMOUNTS.map(str),
    maker_amount=AMOUNTS,
    taker_amount=AMOUNTS,
    side=st.sampled_from(Side),
    timestamp_ms=st.integers(min_value=0, max_value=2**48),
)


@given(ORDERS, ORDERS)
def test_different_orders_have_different_hashes(one: Order, other: Order) -> None:
    signer = OwnSigner(KEY, account(ADDRESS, SignatureType.EOA, ""))
    hashes = {signer.sign(order, exchange).order_hash for order in (one, other) for exchange in EXCHANGES}
    assert len(hashes) == (3 if one == other else 6)


@pytest.mark.parametrize("token", [str(2**256), "-1"])
def test_a_number_its_field_cannot_hold_is_never_cut(token: str) -> None:
    signer = OwnSigner(KEY, account(ADDRESS, SignatureType.EOA, ""))
    with pytest.raises(OverflowError):
        signer.sign(Order(1, token, 1, 1, Side.BUY, 1), EXCHANGES[0])


def test_the_login_is_the_official_one() -> None:
    assert login_signature(KEY, LOGIN_S) == LOGIN
    assert login_signature(KEY, LOGIN_S, nonce=1) != LOGIN


@pytest.mark.parametrize(("method", "path", "body", "signature"), REQUESTS)
def test_requests_are_signed_as_the_official_clients_do(
    method: str, path: str, body: bytes, signature: str
) -> None:
    headers = RequestSigner(CREDENTIALS).headers(method, path, body, LOGIN_S)
    assert headers == {
        "POLY_ADDRESS": ADDRESS,
        "POLY_SIGNATURE": signature,
        "POLY_TIMESTAMP": "1795000000",
        "POLY_API_KEY": CREDENTIALS.api_key,
        "POLY_PASSPHRASE": CREDENTIALS.passphrase,
    }


def test_a_key_is_read_with_and_without_its_prefix() -> None:
    assert parse_key("0x" + "11" * 32 + "\n").address == parse_key("11" * 32).address == ADDRESS


@pytest.mark.parametrize(
    "text", ["", "0x", "11" * 31, "11" * 33, "zz" * 32, "11 " * 32, "00" * 32, "ff" * 32]
)
def test_what_is_no_key_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(KeyFormatError) as refused:
        parse_key(text)
    assert len(text) < 4 or text[:4] not in str(refused.value)


def test_nothing_secret_shows() -> None:
    for shown in (repr(KEY), str(KEY), repr(CREDENTIALS), str(CREDENTIALS)):
        assert "11" * 8 not in shown and SECRET not in shown and "ff" * 8 not in shown


@pytest.mark.parametrize("secret", ["not base64!", "ä", "AAA"])
def test_a_secret_that_is_no_base64_is_refused_unquoted(secret: str) -> None:
    with pytest.raises(CredentialsError) as refused:
        Credentials(ADDRESS, "key", secret, "phrase")
    assert secret not in str(refused.value)


@pytest.mark.parametrize("passphrase", ["line\nbreak", "ünïcode"])
def test_what_cannot_be_a_header_is_refused(passphrase: str) -> None:
    with pytest.raises(CredentialsError):
        Credentials(ADDRESS, "key", SECRET, passphrase)


def test_two_keys_sign_differently() -> None:
    other = WalletKey(b"\x22" * 32)
    signed = OwnSigner(other, account(other.address, SignatureType.EOA, "")).sign(BUY, EXCHANGES[0])
    assert signed.order_hash != SIGNED[0][4] and signed.signature != SIGNED[0][5]
    assert BUY.token_id == TOKEN
