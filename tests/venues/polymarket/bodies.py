"""Bodies as Gamma writes them, for a test to change one thing in."""

from __future__ import annotations

import json
from typing import Any

import msgspec

YES, NO = (
    "25070934348813416902477876984955073880416401960631253331845590271167412497744",
    "111614563957165270026378011809694313565736745512637881727398424401624030147043",
)
CONDITION = "0xcd5f9f505e0c0182746aa65963f72f01e7463259e5ea9f56672c0fe3a37f348a"
POSITIONS = (
    "663574927012476832975694178961957910328055987427402067619466963999000625152",
    "663574927012476832975694178961957910328055987427402067619466963999000625153",
)
POSITION_CONDITION = "0x017791f201d5a788e0039e511fc1900e5f00000000000000000000000000000000"[:64]

EVENT = {"id": "900", "slug": "highest-temperature-in-nyc-on-november-28", "title": "Highest temperature?"}
MARKET: dict[str, Any] = {
    "id": "1",
    "slug": "highest-temperature-in-nyc-on-november-28-48-49f",
    "question": "Will the highest temperature in New York City be between 48-49°F on November 28?",
    "groupItemTitle": "48-49°F",
    "conditionId": CONDITION,
    "version": "v1",
    "outcomes": '["Yes", "No"]',
    "outcomePrices": '["0.30", "0.70"]',
    "clobTokenIds": json.dumps([YES, NO]),
    "orderPriceMinTickSize": 0.01,
    "orderMinSize": 5,
    "negRisk": True,
    "active": True,
    "closed": False,
    "archived": False,
    "acceptingOrders": True,
    "enableOrderBook": True,
    "startDate": "2026-11-26T12:00:00Z",
    "endDate": "2026-11-28T12:00:00Z",
    "description": "The resolution source is https://www.wunderground.com/history/daily/us/ny/KLGA.",
    "feesEnabled": True,
    "feeSchedule": {"exponent": 1, "rate": 0.05, "takerOnly": True, "rebateRate": 0.25},
    "umaResolutionStatuses": "[]",
}
V2 = {
    "version": "v2",
    "conditionId": POSITION_CONDITION,
    "positionIds": list(POSITIONS),
    "clobTokenIds": None,
}


def market_raw(**changes: object) -> msgspec.Raw:
    """A market's JSON; ``None`` removes a field."""
    body = {key: value for key, value in {**MARKET, **changes}.items() if value is not None}
    return msgspec.Raw(json.dumps(body).encode())
