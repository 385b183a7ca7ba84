"""Which key, signature type and funder belong together, and what a wrong pairing is told."""

from __future__ import annotations

import pytest
from Crypto.Hash import keccak as other
from hypothesis import given
from hypothesis import strategies as st

from core.venues.polymarket.evm import AddressError, checksummed, keccak, parse_address
from core.venues.polymarket.sign import WalletKey
from core.venues.polymarket.wallets import Account, SignatureType, WalletError, account, funders_of
from tests.venues.polymarket.golden import ADDRESS, DEPOSIT_WALLET, EARLY_DEPOSIT_WALLET, PROXY, SAFE

OTHER = WalletKey(b"\x22" * 32).address


def test_funders_stand_where_the_factories_put_them() -> None:
    assert funders_of(ADDRESS) == {
        SignatureType.EOA: (ADDRESS,),
        SignatureType.PROXY: (PROXY,),
        SignatureType.SAFE: (SAFE,),
        SignatureType.DEPOSIT_WALLET: (DEPOSIT_WALLET, EARLY_DEPOSIT_WALLET),
    }


@pytest.mark.parametrize(
    ("kind", "funder", "signer"),
    [
        (SignatureType.EOA, ADDRESS, ADDRESS),
        (SignatureType.PROXY, PROXY, ADDRESS),
        (SignatureType.SAFE, SAFE, ADDRESS),
        (SignatureType.DEPOSIT_WALLET, DEPOSIT_WALLET, DEPOSIT_WALLET),
        (SignatureType.DEPOSIT_WALLET, EARLY_DEPOSIT_WALLET, EARLY_DEPOSIT_WALLET),
    ],
)
def test_a_right_pairing_in_any_case(kind: SignatureType, funder: str, signer: str) -> None:
    for text in (funder, funder.lower(), "0x" + funder[2:].upper()):
        found = account(ADDRESS.lower(), kind, text)
        assert found == Account(ADDRESS, kind, funder) and found.signer == signer


def test_a_funder_that_can_be_derived_need_not_be_named() -> None:
    kinds = (SignatureType.EOA, SignatureType.PROXY, SignatureType.SAFE)
    assert [account(ADDRESS, kind, "").funder for kind in kinds] == [ADDRESS, PROXY, SAFE]


def test_a_deposit_wallet_must_be_named_and_both_candidates_are_told() -> None:
    with pytest.raises(WalletError) as refused:
        account(ADDRESS, SignatureType.DEPOSIT_WALLET, "")
    assert DEPOSIT_WALLET in str(refused.value) and EARLY_DEPOSIT_WALLET in str(refused.value)


@pytest.mark.parametrize("kind", SignatureType)
@pytest.mark.parametrize("funder", [ADDRESS, PROXY, SAFE, DEPOSIT_WALLET])
def test_a_wrong_type_is_told_the_right_one(kind: SignatureType, funder: str) -> None:
    right = next(known for known, funders in funders_of(ADDRESS).items() if funder in funders)
    if kind is right:
        return
    with pytest.raises(WalletError, match=f"its signature type is {right.value}, not {kind.value}"):
        account(ADDRESS, kind, funder)


@pytest.mark.parametrize("kind", SignatureType)
def test_a_strangers_funder_is_refused(kind: SignatureType) -> None:
    with pytest.raises(WalletError, match=f"{OTHER} does not belong to the key of {ADDRESS}"):
        account(ADDRESS, kind, OTHER)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "40 hexadecimal"),
        (ADDRESS[2:], "40 hexadecimal"),
        (ADDRESS[:-1], "40 hexadecimal"),
        (ADDRESS + "\n", "40 hexadecimal"),
        ("0x" + "１" * 40, "40 hexadecimal"),
        (ADDRESS[:-1] + "a", "checksum"),
    ],
)
def test_what_is_no_address(text: str, why: str) -> None:
    with pytest.raises(AddressError, match=why):
        parse_address(text)


@given(st.binary(min_size=20, max_size=20))
def test_an_address_survives_its_text(address: bytes) -> None:
    assert parse_address(checksummed(address)) == address


@given(st.binary(max_size=600))
def test_both_keccaks_are_one(data: bytes) -> None:
    assert keccak(data) == other.new(digest_bits=256, data=data).digest()
