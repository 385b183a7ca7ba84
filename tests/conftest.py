"""Fixtures every room may use."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture
def shared() -> Path:
    """The folder of recorded data and specifications beside the checkout; skips where it is missing."""
    if not SHARED.is_dir():
        pytest.skip("recorded data beside the checkout (../shared) is missing")
    return SHARED
