"""The models from a shell: what was learned and of what, and one sentence where there is nothing yet."""

from __future__ import annotations

import importlib.resources
import json

from core.config import paths
from core.control.models_alone import Trained
from core.domain.market import Extreme
from core.training.archive import SETTLED, Archive, Key
from core.training.update import Outcome
from tests.training.histories import history
from tui.cli_models import update_lines

from .conftest import Desk

AGAIN = "pmconsole models update --profile live"


async def test_without_a_history_the_next_step_is_said(empty: Desk) -> None:
    ended = await empty.run("models", "fit", "--profile", "live")
    assert ended.code == 2
    assert "build it with pmconsole models update --profile live" in ended.err
    ended = await empty.run("models", "show", "--profile", "live")
    assert ended.code == 0
    assert ended.out.strip() == (
        "Nothing is fitted yet: pmconsole models update --profile live, then pmconsole models fit "
        "--profile live."
    )
    ended = await empty.run("models", "update", "--station", "KXXX", "--profile", "live")
    assert (ended.code, "no station is called 'KXXX'" in ended.err) == (2, True)


async def test_what_is_fitted_is_shown_with_its_data_and_scores(empty: Desk) -> None:
    place = paths.profile("live")
    paths.prepare(place)
    paths.make_private(place.training(""))
    for seed, icao in ((1, "KNYC"), (2, "KMDW")):
        Archive(place.training("") / f"{icao}.csv", icao).add(history(seed, 190))
    ended = await empty.run("models", "fit", "--profile", "live")
    assert (ended.code, ended.err) == (0, "")
    assert f"Written to {place.coefficients}." in ended.out
    shown = await empty.run("models", "show", "--profile", "live")
    assert "KNYC: 190 days 2025-06-01 to 2025-12-07, 0 gaps" in shown.out
    assert "(real)" in shown.out and "KMDW low  lead 2  " in shown.out and "6 sources  default " in shown.out
    told = json.loads((await empty.run("models", "show", "--json", "--profile", "live")).out)
    assert told["world"] == "real" and told["fault"] == "" and len(told["fits"]) == 12
    first = told["fits"][0]
    assert first["sources"][0] == "gfs_seamless" and "recent" not in first
    assert {row["model"] for row in first["scores"]} >= {"default", "emos", "emos-t", "article-normal"}
    assert told["histories"][0]["station"] == "KNYC"


async def test_a_bad_history_and_another_worlds_file_are_named(empty: Desk) -> None:
    place = paths.profile("live")
    paths.prepare(place)
    packaged = importlib.resources.files("core.models.weather") / "data" / "coefficients-sim.json"
    place.coefficients.write_bytes(packaged.read_bytes())
    shown = await empty.run("models", "show", "--profile", "live")
    assert "it was fitted in a sim world" in shown.out
    paths.make_private(place.training(""))
    path = place.training("") / "KNYC.csv"
    Archive(path, "KNYC").add({Key("2026-11-20", Extreme.HIGH, None, SETTLED): 54.0})
    path.write_text(path.read_text() + "KNYC,2026-11-20,high,,kalshi,55\n")
    ended = await empty.run("models", "fit", "--profile", "live")
    assert ended.code == 2
    assert f"{path}:3: kalshi tells 2026-11-20 high twice" in ended.err


def test_an_update_says_what_it_could_not_do() -> None:
    refused = tuple(f"KNYC icon_seamless day {i}: another unit" for i in range(14))
    outcome = Outcome(10, 500, 16, refused, {"nbm": "HTTP 503"})
    said = list(update_lines(Trained(outcome, {"nbm": "It is off."}, {"nbm": 3}, ("KNYC",)), AGAIN))
    assert said[0] == "10 questions answered, 500 figures added; asked: nbm 3 calls."
    assert "nbm is not asked. It is off." in said and "and 2 more like these." in said
    assert said[-2:] == [
        "Given up for now: nbm: HTTP 503.",
        f"16 questions are left: {AGAIN} goes on there.",
    ]
