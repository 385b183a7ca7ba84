"""The currency pairs the venues have contracts on, and what a price of each can be."""

from __future__ import annotations

from core.feeds.sanity import Bounds

PAIRS = {
    "EUR/USD": Bounds(0.5, 2.5, 0.10),
    "USD/JPY": Bounds(50.0, 500.0, 0.10),
}
