"""Which code, configuration and accounts a run is made of, for the journal and for arming."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import msgspec

from core.config.settings import Settings
from core.engine.engine import Release
from core.venues.kalshi.sign import KeySigner
from core.venues.polymarket.wallets import Account

_ROOT = Path(__file__).parents[2]
PACKAGES = (_ROOT / "core", _ROOT / "tui")


def release_of(settings: Settings) -> Release:
    """This process's. Raises ``OSError`` when its own code cannot be read."""
    return Release(version("pmconsole"), code_hash(PACKAGES), config_hash(settings))


class Accounts(NamedTuple):
    """The accounts of a desk."""

    names: tuple[str, ...]
    """A key's id and a wallet's address."""
    mark: str
    """What tells them from any others."""


def accounts_of(key: KeySigner | None, wallet: Account | None) -> Accounts:
    """Those that trade with this key at Kalshi and this wallet on Polymarket; ``None``: no such account."""
    names, marks = [], []
    if key is not None:
        names.append(key.key_id)
        marks.append(key.fingerprint)
    if wallet is not None:
        names.append(wallet.address)
        marks.append(f"{wallet.address}/{wallet.signature_type.value}/{wallet.funder}")
    return Accounts(tuple(names), " ".join(marks))


def code_hash(packages: Iterable[Path]) -> str:
    """Of every Python file by its name and content, the same wherever the packages are installed."""
    whole = hashlib.sha256()
    for package in packages:
        for file in sorted(package.rglob("*.py")):
            name = file.relative_to(package.parent).as_posix()
            whole.update(f"{name} {hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return whole.hexdigest()


def config_hash(settings: Settings) -> str:
    """Of every setting as it is in force, whether it stands in the file or is a default."""
    return hashlib.sha256(msgspec.json.encode(settings, order="sorted")).hexdigest()
