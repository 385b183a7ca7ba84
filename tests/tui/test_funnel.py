"""The funnel: stages with their counts and reasons, and the markets behind a reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from core.control.protocol import Query
from tests.tui.conftest import running
from tests.tui.rows import statics
from tests.tui.test_screens import checked_lines
from tui.cli_funnel import funnel_lines


def told() -> list[dict[str, Any]]:
    first, second = (static.ticker for static in statics()[:2])

    def stage(name: str, reached: int, *reasons: tuple[str, int, list[str]]) -> dict[str, Any]:
        stops = [{"why": why, "markets": count, "examples": tickers} for why, count, tickers in reasons]
        return {"stage": name, "reached": reached, "here": sum(r[1] for r in reasons), "reasons": stops}

    return [
        stage("seen", 134, ("no model for KX\u202eFED", 61, ["KXFED-1"])),
        stage("mapped", 73),
        stage("modelled", 73, ("book 7 s old, limit 3 s", 12, [first])),
        stage("fresh", 61, ("the edge is smaller than what it must be", 57, [first, second])),
        stage("edge", 4, ("G05 exposure: 120.00, limit 100.00", 2, [second])),
        stage("gated", 2),
        stage("proposed", 2, ("a card waits", 2, [first, second])),
    ]


async def test_stages_reasons_and_the_markets_behind_one(directory: Path) -> None:
    async with running(directory, size=(80, 24)) as desk:
        desk.engine.answers["funnel"] = json.dumps(told()).encode()
        await desk.press("7")
        await desk.shows("FUNNEL 134 markets")
        seen: set[str] = set()
        for _ in range(14):
            checked_lines(desk)
            seen |= {" ".join(text.split()) for text in desk.text.splitlines()}
            await desk.press("down")
        whole = "\n".join(seen)
        for words in ("SEEN 61 134", "FRESH 57 61", "a card waits 2", "no model for KXFED 61", "KXFED-1"):
            assert words in whole, words
        assert "and 55 more" in whole and "\u202e" not in whole
        assert len([q for q in desk.sent(Query) if q.what == "funnel"]) < 40, "asked about once a second"


async def test_enter_on_a_reason_opens_its_first_market(directory: Path) -> None:
    async with running(directory, size=(160, 45)) as desk:
        desk.engine.answers["funnel"] = json.dumps(told()).encode()
        await desk.press("7")
        while "and 55 more" not in desk.text:
            await desk.press("down")
        await desk.press("enter")
        await desk.shows(statics()[0].ticker)


def test_the_verb_tells_the_same_in_plain_lines() -> None:
    lines = funnel_lines(told())
    assert lines[0] == "seen        134 came so far, 61 no further"
    assert lines[-1].startswith("      2  a card waits  (")
