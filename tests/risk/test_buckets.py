"""Markets that settle on one thing count as one risk, whatever their event, series or venue."""

from datetime import UTC, datetime

import pytest

from core.domain.market import CityReading, IndexMean, Venue
from core.domain.order import BookSide, Fill
from core.domain.position import Position, apply
from core.domain.units import Money, Price, contracts
from core.risk.buckets import bucket, source
from core.risk.exposure import Exposure
from tests.risk.desk import WORLD_MS, market


def test_a_stations_day_is_one_whatever_is_asked_of_it() -> None:
    low = market("L", "LOWNY", series_ticker="KXLOWNY")
    assert bucket(market()) == bucket(low) == "mid-Atlantic 2023-11-14"
    assert bucket(market(climate_day="2023-11-15")) != bucket(market())
    assert bucket(market(venue=Venue.POLYMARKET)) == bucket(market())


@pytest.mark.parametrize(
    ("station", "name"),
    [
        ("KNYC", "mid-Atlantic"),
        ("KPHL", "mid-Atlantic"),
        ("KDCA", "mid-Atlantic"),
        ("KAUS", "Texas"),
        ("KSAT", "Texas"),
        ("KBOS", "KBOS"),  # its errors move with nobody's
        ("ZZZZ", "ZZZZ"),
    ],
)
def test_stations_under_one_air_mass_are_one(station: str, name: str) -> None:
    assert source(market(station=station)) == name


@pytest.mark.parametrize(
    ("series", "name"),
    [
        ("KXHIGHNY", "KXHIGHNY"),  # nothing is known of it but its name
        ("KXINX", "SPX"),
        ("KXINXU", "SPX"),
        ("KXEURUSDH", "EUR/USD"),
        ("KXCPICORE", "CPI"),
        ("KXCPIYOY", "CPI"),
        ("KXU3", "JOBS"),
        ("KXFEDDECISION", "FOMC"),
    ],
)
def test_series_on_one_index_or_release_are_one(series: str, name: str) -> None:
    assert bucket(market(station=None, series_ticker=series)) == f"{name} 2023-11-14"


def test_means_of_one_index_are_one_with_its_other_series() -> None:
    quarter, hour = (
        market(series_ticker=series, station=None, mean=IndexMean("BRTI", 60, WORLD_MS, 0.01))
        for series in ("KXBTC15M", "KXBTCD")
    )
    spot = market(series_ticker="KXBTC", station=None)
    assert bucket(quarter) == bucket(hour) == bucket(spot) == "BRTI 2023-11-14"


def test_an_hour_of_a_citys_index_is_of_its_stations_day_and_air_mass() -> None:
    def hour(city: str, at_ms: int) -> str:
        return bucket(market(station=None, climate_day=None, reading=CityReading(city, at_ms, 0.01)))

    # Standard time decides, in summer too: 04:30 by universal time is still yesterday's climate day.
    midsummer = int(datetime(2026, 7, 6, 4, 30, tzinfo=UTC).timestamp()) * 1000
    assert hour("nyc", midsummer) == hour("phl-delaware-valley", midsummer) == "mid-Atlantic 2026-07-05"
    assert hour("nyc", midsummer + 1_800_000) == "mid-Atlantic 2026-07-06"
    assert hour("miami", midsummer) == bucket(market(station="KMIA", climate_day="2026-07-05"))
    assert hour("kansas-city", WORLD_MS) == "kansas-city index 2023-11-14", "no station of ours is there"


def test_cities_under_one_air_mass_share_a_limit() -> None:
    exposure = Exposure()
    for ticker, station in (("N", "KNYC"), ("P", "KPHL"), ("D", "KDEN")):
        exposure.add(market(ticker, ticker, station=station))
    fill = Fill("t", Venue.KALSHI, "N", "v", BookSide.BID, Price(4_000), contracts(10), Money(0), True, 0)
    exposure.update("N", apply(Position(), fill), [])
    worst = {ticker: exposure.now(ticker).correlated for ticker in "NPD"}
    assert worst == {"N": 4_000_000, "P": 4_000_000, "D": 0}
