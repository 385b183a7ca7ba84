"""Which values of the feeds move whose prices."""

from __future__ import annotations

import msgspec

from core.engine.pricers import FixingPricer, RangePricer
from core.feeds.feed import Stamp
from core.feeds.quotes import OptionMark, Quote, Volatility
from core.feeds.releases import Calendar
from core.models.prediction import Prediction
from tests.models.ranges.conftest import ENDS_MS, dvol, ladder, quote
from tests.models.ranges.test_fixing import NOON, index_ladder
from tests.models.ranges.test_fixing import quote as price
from tests.models.ranges.test_smile import NOW, marks


def test_an_index_is_priced_by_its_own_inputs_and_its_coins_options() -> None:
    pricer = RangePricer()
    assert pricer.absorb(quote(91_250.0, NOW)) == "BRTI"
    assert pricer.absorb(dvol(45.0, NOW)) == "BRTI"
    assert pricer.absorb(quote(91_250.0, NOW, "BTC/USD", "coinbase")) is None  # it only confirms
    assert {pricer.absorb(mark) for mark in marks()} == {None}
    other = OptionMark(
        "SOL-27NOV26-140-C", "deribit", 140.0, 140.0, ENDS_MS, True, 80.0, Stamp(NOW, 0, 0), 10
    )
    assert pricer.absorb(other) is None
    assert pricer.absorb(quote(7_512.0, NOW, "SPX", "yahoo")) is None
    found = pricer.predict(ladder(), "BRTI", NOW, None)
    assert isinstance(found, Prediction) and "by the smile" in found.evidence[-1]


def test_a_price_is_moved_by_its_quotes_and_its_implied_volatility_alone() -> None:
    pricer = FixingPricer()
    assert pricer.absorb(price("SPX", 7_512.0, NOON)) == "SPX"
    assert pricer.absorb(price("VIX", 17.0, NOON)) == "SPX"
    assert pricer.absorb(price("EUR/USD", 1.15, NOON)) == "EUR/USD"
    assert pricer.absorb(Calendar("bls", ("CPI",), (), Stamp(NOON, 0, 0), 60)) is None
    for nothing in (
        price("BRTI", 1.0, NOON),
        Volatility("DVOL BTC", "deribit", 40.0, 30, Stamp(NOON, 0, 0), 10),
    ):
        assert pricer.absorb(nothing) is None
    [market, *_] = index_ladder()
    assert pricer.subject(market) == "SPX"
    assert pricer.subject(msgspec.structs.replace(market, fixing=None)) is None
    assert isinstance(pricer.predict(index_ladder(), "SPX", NOON, None), Prediction)


def test_a_crypto_index_is_no_price_at_a_time() -> None:
    crypto = Quote("BRTI", "kalshi-indices", 91_250.0, None, None, Stamp(NOW, 0, 0), 3)
    assert FixingPricer().absorb(crypto) is None and RangePricer().absorb(crypto) == "BRTI"
