"""What refusals say of the matching engine, and how long it is believed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import httpx
import pytest

from core.domain.clock import Clocks
from core.venues.polymarket.errors import refusal
from core.venues.polymarket.modes import Modes
from tests.venues.conftest import START_MS

Run = Callable[[Coroutine[Any, Any, Any]], Any]
POST_ONLY = (
    b'{"error":"post-only mode: only post-only orders and cancels are allowed",'
    b'"code":"post_only_mode","retry_after_seconds":79}'
)


@pytest.mark.parametrize(
    ("status", "body", "cancels", "lasts_s", "words"),
    [
        (425, b"", False, 30, "restarts"),
        (503, POST_ONLY, True, 79, "post-only"),
        (
            503,
            b'{"error":"Trading is currently cancel-only. New orders are not accepted"}',
            True,
            60,
            "cancels only",
        ),
        (503, b'{"error":"Trading is currently disabled. Check polymarket.com"}', False, 60, "disabled"),
    ],
)
def test_a_mode_holds_for_its_time(
    virtual: Run, virtual_clocks: Clocks, status: int, body: bytes, cancels: bool, lasts_s: int, words: str
) -> None:
    async def main() -> None:
        modes = Modes(virtual_clocks)
        assert modes.state().trading_active
        assert modes.refused(refusal(status, body))
        state = modes.state()
        assert (state.exchange_active, state.trading_active) == (cancels, False)
        assert words in state.mode and state.resumes_ms == START_MS + lasts_s * 1_000
        await asyncio.sleep(lasts_s - 0.1)
        assert not modes.state().trading_active
        await asyncio.sleep(0.2)
        assert modes.state().trading_active

    virtual(main())


def test_an_order_that_is_taken_ends_a_mode(virtual: Run, virtual_clocks: Clocks) -> None:
    async def main() -> None:
        modes = Modes(virtual_clocks)
        modes.refused(refusal(503, POST_ONLY))
        modes.accepted(post_only=False)
        assert modes.state().trading_active

    virtual(main())


def test_an_order_that_can_only_rest_ends_no_mode_that_takes_such_orders(
    virtual: Run, virtual_clocks: Clocks
) -> None:
    async def main() -> None:
        modes = Modes(virtual_clocks)
        modes.refused(refusal(503, POST_ONLY))
        modes.accepted(post_only=True)
        assert not modes.state().trading_active  # a taker would be refused still
        modes.refused(refusal(425, b""))
        modes.accepted(post_only=True)
        assert modes.state().trading_active  # a restart takes no order at all: it is over

    virtual(main())


def test_a_restart_lasts_as_long_as_its_header_says(virtual: Run, virtual_clocks: Clocks) -> None:
    async def main() -> None:
        modes = Modes(virtual_clocks)
        for headers in ({"retry-after": "90"}, httpx.Headers({"Retry-After": "90"})):
            modes.refused(refusal(425, b"", headers))
            assert modes.state().resumes_ms == virtual_clocks.wall_ms() + 90_000

    virtual(main())


def test_a_refusal_of_one_order_is_no_mode(virtual: Run, virtual_clocks: Clocks) -> None:
    async def main() -> None:
        modes = Modes(virtual_clocks)
        assert not modes.refused(refusal(400, b'{"error":"not enough balance / allowance"}'))
        assert not modes.refused(refusal(503, b"<html>"))
        assert modes.state().trading_active

    virtual(main())
