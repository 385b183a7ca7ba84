"""The faults before all simulated sources, as their callers see them."""

import asyncio
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from core.sim.feeds.app import provider_names
from core.sim.feeds.switchboard import Fault
from core.sim.process import SimError

GRID = "/nws/gridpoints/OKX/34,45"


async def test_a_page_for_people_comes_under_200(feeds: Any) -> None:
    feeds.sim.switches.flip("nws", Fault.PAGE)
    answer = await feeds.get(GRID)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    feeds.sim.switches.end("nws", Fault.PAGE)
    assert "json" in (await feeds.get(GRID)).headers["content-type"]


@pytest.mark.parametrize(("number", "told"), [(0.0, None), (30.0, "30")])
async def test_too_many_requests_with_and_without_a_word_on_when(
    feeds: Any, number: float, told: str | None
) -> None:
    feeds.sim.switches.flip("open-meteo", Fault.BUSY, number)
    answer = await feeds.get("/open-meteo/data/gfs_seamless/static/meta.json")
    assert (answer.status_code, answer.headers.get("retry-after")) == (429, told)
    assert (await feeds.get(GRID)).status_code == 200, "one provider's wave is not another's"


@pytest.mark.parametrize("fault", [Fault.HANG, Fault.HALF_OPEN])
async def test_an_answer_that_does_not_come_whole_leaves_with_its_client(feeds: Any, fault: Fault) -> None:
    feeds.sim.switches.flip("nws", fault)
    asked = asyncio.ensure_future(feeds.get(GRID))
    done, _ = await asyncio.wait({asked}, timeout=0.05)
    assert not done
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked


async def test_a_lying_clock_is_in_the_date_and_nowhere_else(feeds: Any) -> None:
    def ahead_s(answer: httpx.Response) -> float:
        return parsedate_to_datetime(answer.headers["date"]).timestamp() - feeds.desk.clock.ms / 1000

    honest = await feeds.get(GRID)
    feeds.sim.switches.flip("nws", Fault.CLOCK, 3_600.0)
    lying = await feeds.get(GRID)
    assert (ahead_s(honest), ahead_s(lying)) == (0.0, 3_600.0)
    assert lying.content == honest.content


@pytest.mark.parametrize("provider", provider_names())
async def test_every_provider_stands_behind_it(feeds: Any, provider: str) -> None:
    feeds.sim.switches.flip(provider, Fault.BUSY)
    assert (await feeds.get(f"/{provider}/anything")).status_code == 429


def test_a_scenario_that_faults_a_feed_that_does_not_exist_is_refused(
    make_desk: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.sim.process.provider_names", lambda: ["nws"])
    with pytest.raises(SimError, match="no feed is called 'open-meteo': one of nws"):
        make_desk("demo")
