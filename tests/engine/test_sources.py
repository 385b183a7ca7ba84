"""Settlement sources: what waits for a person, what a confirmation is of, and that it outlives the engine."""

from __future__ import annotations

import msgspec
import pytest

from core.control.protocol import ConfirmSource, Query
from core.control.served import Served
from core.domain.market import Market
from core.engine import facts
from core.engine.operator import VIEWER_REFUSED
from core.engine.sources import MARK_LENGTH, text_mark
from tests.execution.bench import CLI, TRADER, VIEWER, Bench, ladder, running
from tests.virtual import VirtualLoop, run_virtual

RULES = "Yes if the S&P 500 is between 7425 and 7449.99 at 4 PM EST on Nov 30, 2026, according to Bloomberg."


def market(rules: str = RULES) -> Market:
    return msgspec.structs.replace(
        ladder()[0], station=None, climate_day=None, extreme=None,
        unconfirmed="whose value settles it", rules=rules, rules_hash=rules[-9:],
    )  # fmt: skip


async def listed(bench: Bench, one: Market) -> str:
    bench.venue.listed = (one, *ladder()[1:])
    await bench.engine.catalogue.refresh(bench.seat)
    return one.series_ticker


def test_a_confirmation_is_of_one_text_by_its_mark_and_outlives_the_engine() -> None:
    async def main(loop: VirtualLoop) -> None:
        one, mark = market(), text_mark(RULES)[:MARK_LENGTH]
        async with running(loop) as bench:
            series = await listed(bench, one)
            served, waits = Served(bench.engine), facts.waits(bench.engine.desk, one)
            assert waits == "trading waits for your confirmation of the settlement source: " + one.unconfirmed
            shown = msgspec.json.decode(served.command(Query("1", "rules", one.ticker), TRADER).data)
            assert (shown["mark"], shown["waits"], shown["series"]) == (mark, waits, series)
            wanted = ConfirmSource("2", series, mark)
            assert served.command(wanted, VIEWER).text == VIEWER_REFUSED.text
            assert "is no text that waits" in bench.engine.confirm_source(series, "0" * 8, CLI).text
            assert "is no text that waits" in bench.engine.confirm_source(series, mark[:7], CLI).text
            assert "is no series of this desk" in bench.engine.confirm_source("KXNO", mark, CLI).text
            assert facts.waits(bench.engine.desk, one)
            done = served.command(wanted, TRADER)
            assert done.accepted and "(1 markets read so)" in done.text
            assert facts.waits(bench.engine.desk, one) == ""
            shown = msgspec.json.decode(served.command(Query("3", "rules", one.ticker), TRADER).data)
            assert (shown["mark"], shown["waits"]) == ("", "")
            assert "waits for no confirmation" in bench.engine.confirm_source(series, mark, CLI).text
            rows, venue = list(bench.journal.rows), bench.venue
        async with running(loop, venue=venue, history=rows, run="r2") as again:
            await listed(again, one)
            assert facts.waits(again.engine.desk, one) == ""
            other = market(RULES.replace("Bloomberg", "Reuters"))
            assert "do not read as you confirmed them" in facts.waits(again.engine.desk, other)

    run_virtual(main)


@pytest.mark.parametrize(
    ("other", "alike"),
    [
        (RULES.replace("7425 and 7449.99", "7450 and 7474.99").replace("Nov 30", "December 1"), True),
        (RULES.replace("between 7425 and 7449.99", "above 7525"), True),
        (RULES.replace("4 PM EST", "10:30 a.m. EDT"), True),
        (RULES.replace("according to Bloomberg", "according to Reuters"), False),
        (RULES.replace("is between", "is not between"), False),
        (RULES.replace("the S&P 500 is", "the mean of the S&P 500 is"), False),
    ],
)
def test_days_times_and_strikes_differ_within_a_series_and_words_do_not(other: str, alike: bool) -> None:
    assert (text_mark(other) == text_mark(RULES)) is alike
