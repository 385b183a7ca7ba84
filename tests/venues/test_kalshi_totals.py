"""Rain and snow, which no model prices: what they settle on is said all the same."""

from __future__ import annotations

import pytest

from core.venues.kalshi.totals import Settles, settles

NWS = (
    "Yes if rain in New York is above 0.1 inches according to the National Weather Service's climate report."
)


@pytest.mark.parametrize(
    ("series", "event", "what"),
    [
        ("KXRAINNYC", "KXRAINNYC-26NOV23", "a day's rain to 0.01 inch"),
        ("KXRAINNYCM", "KXRAINNYCM-26NOV", "a month's rain to 0.01 inch"),
        ("KXSNOWNYM", "KXSNOWNYM-26DEC", "a month's snow to 0.1 inch"),
        ("KXSNOWS", "KXSNOWS-27", "a stated time's snow to 0.1 inch"),
    ],
)
def test_what_is_added_up_over_what_and_how_finely(series: str, event: str, what: str) -> None:
    assert settles(series, event, NWS, "") == Settles(
        f"settles on {what}, a trace as T, by the National Weather Service's climate report: no model here "
        "prices that"
    )


def test_another_source_waits_for_the_operator() -> None:
    found = settles(
        "KXRAINNYC", "KXRAINNYC-26NOV23", "Yes if it rains, according to The Weather Company.", ""
    )
    assert "by a source that is not confirmed" in found.unpriced
    assert found.unconfirmed == "whose measure of the rain settles it; the rules say 'Weather Company'"


def test_other_series_are_not_spoken_of() -> None:
    assert settles("KXHIGHNY", "KXHIGHNY-26NOV23", NWS, "") == Settles()
