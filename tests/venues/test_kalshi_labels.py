"""What markets of any series are called on the desk."""

from __future__ import annotations

import pytest

from core.domain.market import Strike, StrikeKind
from core.venues.kalshi.labels import label

BETWEEN, GREATER, OTHER = StrikeKind.BETWEEN, StrikeKind.GREATER, StrikeKind.OTHER
REACHED = StrikeKind.GREATER_OR_EQUAL


@pytest.mark.parametrize(
    ("event", "outcome", "strike", "called"),
    [
        ("KXINX-26NOV30H1600", "B7437.5", Strike(BETWEEN, 7425.0, 7449.9999), "SPX Nov30 16:00 7425-7450"),
        ("KXINX-26NOV30H1600", "T7599.9999", Strike(GREATER, 7599.9999), "SPX Nov30 16:00 >=7600"),
        ("KXINX-26NOV30H1600", "T7400", Strike(StrikeKind.LESS, None, 7400.0), "SPX Nov30 16:00 <7400"),
        ("KXEURUSD-26NOV2410", "B1.143", Strike(BETWEEN, 1.142, 1.14399), "EURUSD Nov24 10:00 1.142-1.14399"),
        ("KXCPI-26OCT", "T0.3", Strike(GREATER, 0.3), "CPI Oct >0.3"),
        ("KXNBAGAME-26NOV23DALCHI", "CHI", Strike(OTHER), "NBA Nov23 DAL@CHI CHI"),
        ("KXNBAGAME-26NOV23DALCHI", "DAL", Strike(OTHER), "NBA Nov23 DAL@CHI DAL"),
        ("KXLOWTNYC-26NOV23", "T4", Strike(StrikeKind.LESS, None, 4), "NYC lo Nov23 <=3"),
        ("KXBTC15M-26NOV231000", "00", Strike(REACHED, 90_000.5), "BTC15 Nov23 10:00 >=90000.5"),
        ("KXTEMPMIAH-26NOV2315", "T81.99", Strike(GREATER, 81.99), "MIA 15h Nov23 >81.99"),
        ("KXTEMPNYCHS-26NOV2211", "T40.49", Strike(StrikeKind.LESS, None, 40.49), "NYC 11h Nov22 <40.49"),
        ("KXTEMPMIAH-26NOV23", "T81.99", Strike(GREATER, 81.99), "TEMPMIAH Nov23 >81.99"),
        ("KXRAINNYC-26NOV23", "T0.1", Strike(GREATER, 0.1), "RAINNYC Nov23 >0.1"),
        ("KXLOAD-001", "T4", Strike(GREATER, 4), "KXLOAD-001-T4"),
        ("KXCPI-26XYZ", "T4", Strike(GREATER, 4), "KXCPI-26XYZ-T4"),
    ],
)  # fmt: skip
def test_names_are_short_and_end_in_the_strike(event: str, outcome: str, strike: Strike, called: str) -> None:
    assert label(event.partition("-")[0], event, f"{event}-{outcome}", strike) == called
