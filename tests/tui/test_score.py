"""The models' record: a row a series and model with its verdict, and both plots, in ASCII."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from core.control.protocol import Query
from tests.tui.conftest import running
from tests.tui.test_screens import checked_lines
from tui.score_words import Score, pit_histogram, reliability, score_lines


def _bin(low: float, contracts: int, said: float, paid: float, ends: tuple[float, float]) -> dict[str, Any]:
    return {
        "low": low, "high": 1.0, "contracts": contracts, "said": said, "paid": paid,
        "paid_low": ends[0], "paid_high": ends[1],
    }  # fmt: skip


BINS = [_bin(0.0, 342, 0.007, 0.018, (0.0, 0.04)), _bin(0.5, 108, 0.55, 0.6, (0.5, 0.7))]


def told(**changed: Any) -> dict[str, Any]:
    row = {
        "series": "KXHIGHNY", "model": "default", "simulated": True, "looks": 150, "days": 150, "crps": 0.714,
        "crps_se": 0.03, "log_loss_model": 1.066, "log_loss_model_se": 0.064, "log_loss_market": 1.204,
        "log_loss_market_se": 0.08, "log_loss_pooled": 1.133, "log_loss_pooled_se": 0.072,
        "brier_model": 0.586, "brier_market": 0.62, "brier_pooled": 0.599, "gain": 0.104, "gain_se": 0.024,
        "cov50": 0.48, "cov80": 0.81, "cov90": 0.91, "pit": [0.1] * 10, "pit_mean": 0.489, "pit_ks": 0.027,
        "bins": BINS, "clv": None, "clv_se": None, "verdict": "proven", "weight": 0.86,
        "why": "SIM: the model adds +0.104 +- 0.024 nats an event against the market over 150 days",
    }  # fmt: skip
    return row | changed


WORSE = told(
    model="rolling", gain=-0.02, gain_se=0.006, weight=0.0, verdict="worthless", clv=0.031, clv_se=0.01,
    why="SIM: the model adds nothing\u202e", cov50=None, cov80=None, cov90=None, pit=[], pit_mean=None,
    pit_ks=None, crps=None,
)  # fmt: skip


@pytest.mark.parametrize("size", [(80, 24), (160, 45), (200, 50)])
async def test_records_their_verdicts_and_their_plots(directory: Path, size: tuple[int, int]) -> None:
    async with running(directory, size=size) as desk:
        desk.engine.answers[""] = json.dumps([told(), WORSE]).encode()
        await desk.press("5")
        await desk.shows("MODELS")
        await desk.press("enter")
        await desk.shows("SCORE")
        await desk.shows("SIM default")
        rows = [line for line in checked_lines(desk) if "KXHIGHNY" in line and "SIM" in line]
        assert any("+0.104+-.024" in row and "proven" in row for row in rows)
        assert any("-0.020+-.006" in row and "worthless" in row for row in rows)
        seen = ""
        for _ in range(4 if size[0] == 80 else 1):
            seen += "\n".join(checked_lines(desk))
            await desk.press("pagedown")
        for words in ("adds +0.104", "91%.", "95 % interval", "a calibrated law"):
            assert words in " ".join(seen.split()), words
        await desk.press("down")
        await desk.shows("+0.031+-.010")
        assert "\u202e" not in desk.text
        assert len([q for q in desk.sent(Query) if q.what == "score"]) <= 3, "asked now and then"
        await desk.press("escape")
        await desk.shows("MODELS")


async def test_a_record_is_opened_from_the_command_line_and_says_when_there_is_none(directory: Path) -> None:
    async with running(directory) as desk:
        desk.engine.answers[""] = b"[]"
        await desk.press("colon", "s", "c", "o", "r", "e", "enter")
        await desk.shows("No event that was forecast here has settled yet.")


def test_a_reliability_diagram_marks_what_was_said_what_paid_and_its_interval() -> None:
    header, low, high, legend = reliability(msgspec.convert(told(), Score).bins)
    assert header.endswith("100%") and "+ said" in legend
    assert low.split()[:3] == ["0.7%", "1.8%", "342"]
    scale = high[len("  55.0%  60.0%    108  ") :]
    assert (scale.index("+"), scale.index("o"), scale.index("-")) == (22, 24, 20)
    assert all(text.isascii() for text in (header, low, high, legend))


def test_a_histogram_shows_where_a_law_is_too_narrow() -> None:
    lines = list(pit_histogram([0.3, *[0.05] * 8, 0.3]))
    assert lines[1].count("#") > 20 and "|" in lines[1]
    assert lines[2].count("#") < 6 and lines[2].endswith("|")


def test_the_verb_prints_a_table_of_plain_text() -> None:
    lines = score_lines(msgspec.convert([told(), WORSE], tuple[Score, ...]))
    assert lines[1].split() == [
        "series", "model", "days", "crps", "model", "market", "pooled", "gain", "weight", "verdict",
    ]  # fmt: skip
    assert "SIM default" in lines[2] and lines[2].endswith("0.86  proven")
    assert " -  1.066" in lines[3], "no CRPS is a dash"
