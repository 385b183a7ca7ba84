"""Invented answers about a market and the day: the book of the Desk's sketches, and how it came to it."""

from __future__ import annotations

import random
from typing import Any

import msgspec

from core.control.queries.fields import at, money, price, quantity
from tests.tui.rows import WORLD_MS, C

STEP_MS = 288_000
"""Two seconds of a demo's real time."""
POINTS = 300
SETTLES = "Central Park KNYC, NWS climate day"


def _levels(touch: int, towards: int, sizes: tuple[int, ...]) -> list[dict[str, Any]]:
    return [
        {"price": price(touch + towards * 100 * at), "quantity": quantity(size * C)}
        for at, size in enumerate(sizes)
    ]


def _trade(ago: int, cents: int, contracts: int, *, buys: bool) -> dict[str, Any]:
    return {
        "time": at(WORLD_MS - ago * STEP_MS),
        "price": price(cents * 100),
        "quantity": quantity(contracts * C),
        "buys": buys,
    }


QUARANTINE = {
    "reason": "edge 21.4c is too good",
    "outcome": "NO",
    "price": price(5_500),
    "style": "post-only",
    "edge": price(2_140),
    "evidence": ["Open-Meteo high 51.3F", "bias +1.2F, sigma 2.4F from 30 days"],
}


def market_told(ticker: str, **changes: Any) -> bytes:
    told = {
        "ticker": ticker,
        "bids": _levels(3_100, -1, (120, 210, 340, 90, 500)),
        "asks": _levels(3_400, 1, (160, 45, 220, 310)),
        "trades": [_trade(1, 34, 12, buys=True), _trade(3, 31, 40, buys=False)],
        "settles": SETTLES,
        "rules": "If the highest temperature recorded at Central Park on Nov 23 is between 48 and 49, YES.",
        "quarantine": None,
        "closes": "Nov 22 23:59 ET",
    }
    return msgspec.json.encode(told | changes)


def history_told(ticker: str, **changes: Any) -> bytes:
    """A walk that ends at the sketches' book and fair value."""
    rng = random.Random(7)
    bid, fair, points = 3_100, 3_820, []
    for ago in range(POINTS):
        point = {
            "time": at(WORLD_MS - ago * STEP_MS),
            "bid": price(bid),
            "ask": price(bid + 300),
            "fair": price(fair),
            "sigma": price(290),
        }
        points.append(point)
        bid = min(9_500, max(100, bid + rng.choice((-100, 0, 0, 100))))
        fair = fair if rng.random() < 0.9 else min(9_500, max(200, fair + rng.choice((-150, 150))))
    told = {"ticker": ticker, "points": points[::-1], "fills": [_trade(120, 30, 16, buys=True)]}
    return msgspec.json.encode(told | changes)


def equity_told() -> bytes:
    rng = random.Random(3)
    made, points = -3_100_000, []
    for ago in range(POINTS):
        points.append({"time": at(WORLD_MS - ago * STEP_MS), "made": money(made)})
        made += rng.choice((-200_000, 0, 0, 210_000))
    return msgspec.json.encode({"day": "2026-11-22", "points": points[::-1]})


def payoff_told(ticker: str) -> bytes:
    """Of 30 YES in the second bracket of an event at 26 cents."""
    held = [
        {"label": label, "made": "22.25" if label == "39-40" else "-7.75"}
        for label in ("<=38", "39-40", "41-42", "43-44", "45-46", ">=47", "none")
    ]
    told = {"ticker": ticker, "label": "CHI high Nov 23", "held": held, "ordered": []}
    return msgspec.json.encode(told | {"realised": "0.29", "fees": "0.24"})
