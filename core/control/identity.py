"""Which code and which configuration a run is made of, by hash, for the journal."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

import msgspec

from core.config.settings import Settings
from core.engine.engine import Release

_ROOT = Path(__file__).parents[2]
PACKAGES = (_ROOT / "core", _ROOT / "tui")


def release_of(settings: Settings) -> Release:
    """This process's. Raises ``OSError`` when its own code cannot be read."""
    return Release(version("pmconsole"), code_hash(PACKAGES), config_hash(settings))


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
