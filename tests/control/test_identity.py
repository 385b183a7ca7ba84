"""The first row of a run names the code and the configuration it is made of."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

import core
import tui
from core.config.settings import Settings
from core.control.identity import PACKAGES, code_hash, config_hash, release_of


def tree(at: Path) -> Path:
    package = at / "core"
    (package / "risk").mkdir(parents=True)
    (package / "__init__.py").write_bytes(b"")
    (package / "risk" / "gate.py").write_bytes(b"LIMIT = 1\n")
    return package


def test_the_same_code_elsewhere_has_the_same_hash(tmp_path: Path) -> None:
    here, there = tree(tmp_path / "a"), tree(tmp_path / "b")
    (there / "risk" / "gate.pyc").write_bytes(b"compiled")
    assert code_hash([here]) == code_hash([there])


@pytest.mark.parametrize("change", ["content", "name", "more", "less"])
def test_code_that_differs_anywhere_has_another_hash(tmp_path: Path, change: str) -> None:
    package = tree(tmp_path)
    before, gate = code_hash([package]), package / "risk" / "gate.py"
    match change:
        case "content":
            gate.write_bytes(b"LIMIT = 2\n")
        case "name":
            gate.rename(package / "gate.py")
        case "more":
            (package / "new.py").write_bytes(b"")
        case _:
            gate.unlink()
    assert code_hash([package]) != before


def test_what_is_hashed_is_what_runs() -> None:
    assert [str(package / "__init__.py") for package in PACKAGES] == [core.__file__, tui.__file__]
    assert len(code_hash(PACKAGES)) == 64


def test_any_setting_moves_the_hash_of_the_configuration() -> None:
    plain = Settings()
    limited = msgspec.structs.replace(plain, limits={"market_loss_max": 5})
    edge = msgspec.structs.replace(plain.strategy, min_edge=Decimal("0.031"))
    hashes = {config_hash(s) for s in (plain, limited, msgspec.structs.replace(plain, strategy=edge))}
    assert len(hashes) == 3 and config_hash(Settings()) in hashes
    assert release_of(plain).config == config_hash(plain)
