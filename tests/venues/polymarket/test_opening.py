"""From configuration to a signer: where keys come from, and one sentence for every mistake."""

from __future__ import annotations

import os
import sys
import types
from pathlib import Path

import pytest

from core.config.secrets import WALLET_VARIABLE, KeyFileError
from core.config.settings import PolymarketSettings
from core.venues.polymarket.hosts import Addresses, configured
from core.venues.polymarket.opening import load_wallet, signer_of
from core.venues.polymarket.sign import OwnSigner
from core.venues.polymarket.vendor import SdkMissingError
from core.venues.polymarket.wallets import SignatureType, account
from tests.venues.polymarket.golden import ADDRESS, KEY, SAFE

SECRET = "0x" + "11" * 32


def wallet(tmp_path: Path, source: str = "file", content: str | None = SECRET, key_file: str = "") -> str:
    path = tmp_path / "wallet.key"
    if content is not None:
        path.write_text(content)
        path.chmod(0o600)
    return load_wallet(PolymarketSettings(key=source, key_file=key_file), path, "live").address


def test_a_key_in_a_private_file(tmp_path: Path) -> None:
    assert wallet(tmp_path) == ADDRESS
    other = tmp_path / "other.key"
    (tmp_path / "wallet.key").rename(other)
    assert wallet(tmp_path, content=None, key_file=str(other)) == ADDRESS


@pytest.mark.parametrize("content", ["", "0x1234", "zz" * 32, "00" * 32, SECRET + " " + SECRET])
def test_a_file_without_a_key_is_refused_unquoted(tmp_path: Path, content: str) -> None:
    with pytest.raises(KeyFileError, match=r"wallet\.key holds is .*: export the wallet's") as refused:
        wallet(tmp_path, content=content)
    assert not content or content[:6] not in str(refused.value).replace(str(tmp_path), "")


def test_a_file_that_is_no_text_or_open_to_others_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "wallet.key"
    path.write_bytes(b"\xff\xfe\x00")
    path.chmod(0o600)
    with pytest.raises(KeyFileError, match="is no text"):
        wallet(tmp_path, content=None)
    path.chmod(0o644)
    with pytest.raises(KeyFileError, match="chmod 600"):
        wallet(tmp_path, content=None)


def test_a_key_in_the_environment_is_taken_out_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(WALLET_VARIABLE, SECRET)
    assert wallet(tmp_path, "env", None) == ADDRESS
    assert WALLET_VARIABLE not in os.environ, "a process started later would inherit it"
    with pytest.raises(KeyFileError, match=f"{WALLET_VARIABLE} is not set"):
        wallet(tmp_path, "env", None)


class _KeyringError(Exception):
    """What the package raises."""


def ring(monkeypatch: pytest.MonkeyPatch, answer: str | Exception | None) -> None:
    """A keyring package that answers so; ours must not depend on a desktop."""

    def get_password(service: str, entry: str) -> str | None:
        assert (service, entry) == ("pmconsole", "live")
        if isinstance(answer, Exception):
            raise answer
        return answer

    package, errors = types.ModuleType("keyring"), types.ModuleType("keyring.errors")
    package.get_password = get_password  # type: ignore[attr-defined]
    errors.KeyringError = _KeyringError  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "keyring", package)
    monkeypatch.setitem(sys.modules, "keyring.errors", errors)


def test_a_key_in_the_keyring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ring(monkeypatch, SECRET)
    assert wallet(tmp_path, "keyring", None) == ADDRESS


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (None, "run keyring set pmconsole live"),
        (_KeyringError("locked: 0x1111"), "unlock it, or set polymarket.key"),
    ],
)
def test_a_keyring_without_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str | Exception | None, sentence: str
) -> None:
    ring(monkeypatch, answer)
    with pytest.raises(KeyFileError, match=sentence) as refused:
        wallet(tmp_path, "keyring", None)
    assert "1111" not in str(refused.value)


def test_a_keyring_package_that_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(KeyFileError, match=r"install pmconsole\[keyring\]"):
        wallet(tmp_path, "keyring", None)


def test_orders_are_signed_for_the_account() -> None:
    traded = account(ADDRESS, SignatureType.SAFE, SAFE)
    signer = signer_of(PolymarketSettings(), KEY, traded)
    assert isinstance(signer, OwnSigner) and signer.account == traded


def test_the_vendors_signer_needs_the_vendors_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "py_clob_client_v2.order_utils", None)
    monkeypatch.setitem(sys.modules, "py_clob_client_v2", None)
    with pytest.raises(SdkMissingError, match=r"install pmconsole\[sdk\]"):
        signer_of(PolymarketSettings(signer="sdk"), KEY, account(ADDRESS, SignatureType.EOA, ""))


def test_configured_addresses_replace_the_venues() -> None:
    assert configured(PolymarketSettings()) == Addresses()
    moved = configured(PolymarketSettings(clob="https://clob2.polymarket.com"))
    assert moved.clob == "https://clob2.polymarket.com" and moved.gamma == Addresses().gamma
