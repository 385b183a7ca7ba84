"""Which figure of which release a market settles on, by its own words; which series are about games."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from core.domain.market import Contest, Figure
from core.models.families import ODDS_CONSENSUS, RELEASE_MIXTURE, RELEASE_STEPS, families
from core.sim.families.inflation import Inflation, Threshold
from core.sim.releases import Releases
from core.venues.kalshi import figures, games

CLOSES_MS = int(datetime(2026, 12, 10, 13, 25, tzinfo=UTC).timestamp()) * 1000
CPI = "Yes if the Consumer Price Index rose by more than 0.3% in November 2026, according to the BLS."


def test_a_series_and_its_words_name_figure_and_day_and_what_is_open() -> None:
    found = figures.settles("KXCPI", CLOSES_MS, CPI, "")
    assert found.figure == Figure("CPI", "2026-12-10")
    assert found.unconfirmed.endswith("; the rules say 'BLS'") and not found.doubt
    jobs = figures.settles("KXPAYROLLS", CLOSES_MS, "If nonfarm payrolls rise above 100000", "")
    assert jobs.figure == Figure("JOBS", "2026-12-10", 1_000.0)
    assert figures.settles("KXHIGHNY", CLOSES_MS, CPI, "") == figures.Settles()


@pytest.mark.parametrize(
    ("primary", "why"),
    [
        ("Yes if the CPI less food and energy rose", "rules name 'less food and energy', expected CPI"),
        ("Yes if the CPI rose over 12 months", "rules name '12 months', expected CPI"),
        ("Yes if prices rose", "rules do not name CPI"),
    ],
)
def test_words_of_another_figure_are_refused(primary: str, why: str) -> None:
    found = figures.settles("KXCPI", CLOSES_MS, primary, "")
    assert found.figure is None and why in found.doubt


def test_the_simulators_inflation_is_read_as_the_real_one_is() -> None:
    (event, *_) = Inflation(Releases(5)).open(CLOSES_MS - 2 * 86_400_000, ())
    assert isinstance(event, Threshold)
    for spec in event.spec.markets:
        found = figures.settles(spec.series_ticker, spec.close_ms, spec.rules_primary, spec.rules_secondary)
        assert found.figure is not None and found.figure.released == "2026-12-10"


def test_every_figure_and_sport_of_the_tables_has_a_model() -> None:
    models = {name: row.model for name, row in families().items()}
    assert games.contest("KXNBAGAME") == Contest("basketball_nba") and games.contest("KXCPI") is None
    assert {models[games.contest(s).sport] for s in games._series()} == {ODDS_CONSENSUS}  # type: ignore[union-attr]
    assert {models[row.figure] for row in figures._series().values()} == {RELEASE_MIXTURE, RELEASE_STEPS}
