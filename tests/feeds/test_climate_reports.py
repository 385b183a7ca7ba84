"""Climate reports from the simulated service: preliminary, final, corrected, and one without its value."""

from __future__ import annotations

import asyncio
from typing import Any

from core.feeds.feed import Feed, FeedState
from core.feeds.nws import REPORTS, report_feed
from core.feeds.values import ClimateReport
from core.sim.feeds import nws_routes
from core.sim.feeds.climate_report import Quirks
from tests.feeds.served import Served

DAY = "2026-11-22"


def told(virtual: Any, quirks: Quirks) -> list[tuple[bool, bool, int | None]]:
    """What was told of New York's running day by the next noon: final, corrected, maximum."""
    world = Served(virtual)

    async def script(_: Feed) -> None:
        await asyncio.sleep(21 * 3600)

    routes = nws_routes.routes(world.around, quirks)
    urls = nws_routes.ADDRESSES["nws-reports"]
    feed = world.run(REPORTS, report_feed, routes, urls, script, icaos=("KNYC",))
    assert feed.health().state is FeedState.OK
    return [
        (v.final, v.corrected, v.max_f) for v in world.got if isinstance(v, ClimateReport) and v.day == DAY
    ]


def test_a_preliminary_report_and_then_the_final(virtual: Any) -> None:
    (early, final) = told(virtual, Quirks())
    assert early[:2] == (False, False) and final == (True, False, 19)


def test_a_correction_is_told_as_one_after_the_final(virtual: Any) -> None:
    assert told(virtual, Quirks(off_f=2))[1:] == [(True, False, 21), (True, True, 19)]


def test_a_final_without_its_value_is_told_as_missing(virtual: Any) -> None:
    assert told(virtual, Quirks(without_value=True))[1:] == [(True, False, None), (True, True, 19)]
