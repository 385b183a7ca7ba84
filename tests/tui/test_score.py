"""The models' record: a row a series and model with its verdict, and both plots, in ASCII."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from core.control.protocol import Query
from core.control.queries.answers import Rows, answer
from core.control.queries.fields import Now
from core.control.rows.vetoes import vetoes_row
from core.engine.vetoes import VetoBook, VetoEnded
from tests.control.test_queries import STATUS
from tests.engine.test_vetoes import veto
from tests.tui.conftest import running
from tests.tui.test_screens import checked_lines
from tui.chart import draw
from tui.lines import plain
from tui.score_words import Bin, Score, pit_histogram, reliability, score_lines
from tui.screens.score import reliability_chart
from tui.veto_words import Vetoes, veto_lines


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
        "cusum": 1.74, "cusum_since": None,
        "bins": BINS, "clv": None, "clv_se": None, "verdict": "proven", "weight": 0.86,
        "why": "SIM: the model adds +0.104 +- 0.024 nats an event against the market over 150 days",
    }  # fmt: skip
    return row | changed


VETOES = {
    "worth": [
        {"reason": "price", "vetoes": 3, "settled": 2, "right": 1, "made": "-11.04", "expected": "-5.5"},
        {"reason": "", "vetoes": 1, "settled": 1, "right": 0, "made": "2.9", "expected": "2.9"},
        {"reason": "news", "vetoes": 1, "settled": 0, "right": 0, "made": "0", "expected": "0"},
    ],
    "vetoes": [
        {
            "id": "P12", "at": "2026-11-23T14:02:17.000Z", "label": "NYC hi Nov23 48-49", "side": "buy YES",
            "price": "0.32", "quantity": "40", "orders": 1, "edge": "0.058", "reason": "price",
            "said": "price", "ended": True, "made": "-12.95", "again": False,
        },
        {
            "id": "P9", "at": "2026-11-23T13:02:17.000Z", "label": "CHI hi\u202e", "side": "buy NO",
            "price": "0.125", "quantity": "1.5", "orders": 3, "edge": "-0.002", "reason": "other",
            "said": "the book looks wrong to me today", "ended": False, "made": None, "again": True,
        },
    ],
}  # fmt: skip


WORSE = told(
    model="rolling", gain=-0.02, gain_se=0.006, weight=0.0, verdict="worthless", clv=0.031, clv_se=0.01,
    why="SIM: the model adds nothing\u202e", cov50=None, cov80=None, cov90=None, pit=[], pit_mean=None,
    pit_ks=None, crps=None,
)  # fmt: skip


async def test_records_their_verdicts_and_their_plots(directory: Path) -> None:
    async with running(directory, size=(80, 24)) as desk:
        desk.engine.answers["score"] = json.dumps([told(), WORSE]).encode()
        await desk.press("5")
        await desk.shows("MODELS")
        await desk.press("enter")
        await desk.shows("SCORE")
        await desk.shows("SIM default")
        rows = [line for line in checked_lines(desk) if "KXHIGHNY" in line and "SIM" in line]
        assert any("+0.104+-.024" in row and "proven" in row for row in rows)
        assert any("-0.020+-.006" in row and "worthless" in row for row in rows)
        seen = ""
        for _ in range(4):
            seen += "\n".join(checked_lines(desk))
            await desk.press("pagedown")
        for words in ("adds +0.104", "91%.", "both pooled as", "95 % interval", "a calibrated law"):
            assert words in " ".join(seen.split()), words
        await desk.press("down")
        await desk.shows("+0.031+-.010")
        assert "\u202e" not in desk.text
        assert len([q for q in desk.sent(Query) if q.what == "score"]) <= 3, "asked now and then"
        await desk.press("escape")
        await desk.shows("MODELS")


async def test_a_record_is_opened_from_the_command_line_and_says_when_there_is_none(directory: Path) -> None:
    async with running(directory) as desk:
        desk.engine.answers["score"] = b"[]"
        desk.engine.answers["vetoes"] = json.dumps(VETOES).encode()
        await desk.press("colon", *"score", "enter")
        await desk.shows("No event that was forecast here has settled yet.")
        await desk.shows("3 vetoed trades settled: saved 8.14 if filled whole")
        await desk.press("colon", *"vetoes", "enter")
        await desk.shows("buy YES 40 @ 32c")
        (row,) = [one for one in checked_lines(desk) if "buy YES 40 @ 32c" in one]
        assert "NYC hi Nov23 48-49" in row and "price" in row and "-12.95" in row
        assert "WORTH" in desk.text and "\u202e" not in desk.text


def test_a_reliability_diagram_marks_what_was_said_what_paid_and_its_interval() -> None:
    header, low, high, legend = reliability(msgspec.convert(told(), Score).bins)
    assert header.endswith("100%") and "+ said" in legend
    assert low.split()[:3] == ["0.7%", "1.8%", "342"]
    scale = high[len("  55.0%  60.0%    108  ") :]
    assert (scale.index("+"), scale.index("o"), scale.index("-")) == (22, 24, 20)
    assert all(text.isascii() for text in (header, low, high, legend))


def test_the_diagram_has_what_paid_over_what_was_said_and_the_line_where_both_agree() -> None:
    bins = [msgspec.convert(one, Bin) for one in BINS]
    chart = reliability_chart(bins)
    assert chart is not None and reliability_chart(()) is None
    line, interval, paid = (series.runs[0] for series in chart.series)
    assert (list(paid.xs), list(paid.ys)) == ([70, 5_500], [180, 6_000])
    assert list(zip(interval.xs, interval.ys, strict=True)) == [
        (70, 0), (70, 400), (5_500, 5_000), (5_500, 7_000),
    ]  # fmt: skip
    assert list(line.xs) == list(line.ys)
    drawn = "\n".join(map(plain, draw(chart, 56, 22, dots=True)))
    assert drawn.count("o") == 2


def test_a_histogram_shows_where_a_law_is_too_narrow() -> None:
    lines = list(pit_histogram([0.3, *[0.05] * 8, 0.3]))
    assert lines[1].count("#") > 20 and "|" in lines[1]
    assert lines[2].count("#") < 6 and lines[2].endswith("|")


def test_the_verb_prints_a_table_of_plain_text() -> None:
    lines = score_lines(msgspec.convert([told(), WORSE], tuple[Score, ...]))
    assert "pooled as it was traded on" in lines[0] and "by the weight of the days before" in lines[0]
    assert lines[1].split() == [
        "series", "model", "days", "crps", "model", "market", "pooled", "gain", "weight", "verdict",
    ]  # fmt: skip
    assert "SIM default" in lines[2] and lines[2].endswith("0.86  proven")
    assert " -  1.066" in lines[3], "no CRPS is a dash"


def test_the_answer_of_the_engine_is_read_by_verb_and_screen() -> None:
    book = VetoBook()
    for one in (veto(1), veto(2), veto(3, closes=True, said="too close to noon")):
        book.put(one)
    book.end(VetoEnded("", "P1", {"T": 0}))
    told = json.loads(answer("vetoes", Rows(STATUS, vetoes=vetoes_row(book)), Now(0, 0, 0, {})))
    read = msgspec.convert(told, Vetoes)
    assert [(one.id, one.side, one.made, one.again) for one in read.vetoes] == [
        ("P3", "sell YES", None, False),
        ("P2", "buy YES", None, True),
        ("P1", "buy YES", Decimal("-4.07"), False),
    ]
    assert read.worth[0].expected == Decimal("-2.035") and read.vetoes[0].price == Decimal("0.4")
    assert "other too close to noon" in veto_lines(read)[-5]


def test_the_verb_of_vetoes_says_what_they_were_worth_and_what_each_would_have_made() -> None:
    lines = veto_lines(msgspec.convert(VETOES, Vetoes))
    assert lines[0].endswith("saved 8.14 if filled whole, saved 2.60 by what was expected to fill.")
    assert [row.split() for row in lines[3:6]] == [
        ["price", "3", "2", "1", "-11.04", "-5.50"],
        ["no", "reason", "1", "1", "0", "+2.90", "+2.90"],
        ["news", "1", "0", "-", "-", "-"],
    ]
    assert lines[8].split()[-4:] == ["32c", "+5.8c", "price", "-12.95"]
    assert "buy NO 1.5 @ 12.5c and 2 more" in lines[9] and lines[9].endswith("open again")
    assert "other the book looks wrong t.." in lines[9], "long words are cut"
    assert veto_lines(Vetoes()) == ["Nothing has been vetoed here yet."]
