"""A model's record in words and characters: its row, and how far what was said was so. ASCII alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec


class Bin(msgspec.Struct, frozen=True):
    """See ``BINS`` in ``core/control/queries/models.py``."""

    contracts: int
    said: float
    paid: float
    paid_low: float
    paid_high: float


class Score(msgspec.Struct, frozen=True):
    """See ``SCORE`` there."""

    series: str
    model: str
    simulated: bool
    looks: int
    days: int
    crps: float | None
    log_loss_model: float
    log_loss_model_se: float | None
    log_loss_market: float
    log_loss_market_se: float | None
    log_loss_pooled: float
    log_loss_pooled_se: float | None
    brier_model: float
    brier_market: float
    brier_pooled: float
    gain: float
    gain_se: float | None
    cov50: float | None
    cov80: float | None
    cov90: float | None
    pit: tuple[float, ...]
    pit_mean: float | None
    pit_ks: float | None
    cusum: float | None
    cusum_since: str | None
    bins: tuple[Bin, ...]
    clv: float | None
    clv_se: float | None
    verdict: str
    weight: float
    why: str


FIGURES = (
    "Log loss of an event in nats, lower is better: of the model alone, the market, and both pooled as it was"
    " traded on. Gain: out of sample, by the weight of the days before."
)
"""What the figures of a row are."""
PLOT_WIDTH = 41
"""Columns of the reliability diagram, 2.5 percent each."""
_PIT_WIDTH = 24
_PIT_TOP = 0.25
"""Share of the outcomes in a tenth that fills its bar."""


def with_error(value: float, error: float | None, digits: int = 3, *, signed: bool = False) -> str:
    """``1.234+-.012``."""
    text = f"{value:+.{digits}f}" if signed else f"{value:.{digits}f}"
    return text + (f"+-{error:.{digits}f}".replace("+-0.", "+-.") if error is not None else "")


def verdict_role(verdict: str) -> str:
    return {"proven": "good", "insufficient": "near"}.get(verdict, "blocked")


def reliability(bins: Sequence[Bin]) -> Iterator[str]:
    """A line a bin: what was said, how often it paid, of how many, and both on a scale from 0 to 100 %."""
    yield f"   said   paid      n  0%{'100%':>{PLOT_WIDTH - 2}}"
    for one in bins:
        cells = [" "] * PLOT_WIDTH
        low, high = _column(one.paid_low), _column(one.paid_high)
        cells[low : high + 1] = "-" * (high + 1 - low)
        cells[_column(one.said)] = "+"
        cells[_column(one.paid)] = "o"
        yield f"  {one.said:5.1%}  {one.paid:5.1%}  {one.contracts:5}  {''.join(cells).rstrip()}"
    yield "  + said   o paid   --- 95 % interval of what pays"


def _column(share: float) -> int:
    return round(share * (PLOT_WIDTH - 1))


def _bar(share: float) -> int:
    return round(share / _PIT_TOP * _PIT_WIDTH)


def pit_histogram(pit: Sequence[float]) -> Iterator[str]:
    """A line for each tenth of the model's law: the share of outcomes that came there."""
    yield "     tenth  outcomes"
    for at, share in enumerate(pit):
        cells = list(("#" * min(_PIT_WIDTH, _bar(share))).ljust(_bar(0.1) + 1))
        cells[_bar(0.1)] = "|"
        yield f"  {at * 10:3}-{at * 10 + 10:3}%  {share:6.1%}  {''.join(cells)}"
    yield "  | a calibrated law"


def facts(score: Score) -> list[str]:
    """What a record says beside its table row, a sentence each."""
    told = [
        score.why[:1].upper() + score.why[1:] + ".",
        f"Brier score of an event: model {score.brier_model:.3f}, market {score.brier_market:.3f}, "
        f"pooled {score.brier_pooled:.3f}.",
    ]
    if score.cov50 is not None and score.cov80 is not None and score.cov90 is not None:
        inside = f"{score.cov50:.0%}, {score.cov80:.0%}, {score.cov90:.0%}"
        told.append(f"Outcomes inside the central 50, 80 and 90 % of the model's law: {inside}.")
    if score.pit_mean is not None and score.pit_ks is not None:
        told.append(
            f"Mean PIT {score.pit_mean:.3f}, 0.5 without bias; from uniform at most {score.pit_ks:.3f}."
        )
    if score.cusum is not None:
        since = f", beyond what chance does since {score.cusum_since}" if score.cusum_since else ""
        told.append(
            "Lost to the market, added up day by day (CUSUM): "
            f"{score.cusum:.1f} standard deviations of a day{since}."
        )
    if score.clv is not None:
        value = with_error(score.clv, score.clv_se, signed=True)
        told.append(f"Closing-line value {value}: above nothing, what was bought was cheap at the close.")
    else:
        told.append("No closing-line value: nothing bought on it has come to a close yet.")
    return told


def plots(score: Score) -> list[str]:
    """Reliability of the pooled figures, then the model's PIT."""
    drawn = ["How often contracts paid that were said to:", *reliability(score.bins)]
    if score.pit:
        drawn += ["", "Where outcomes came in the model's law:", *pit_histogram(score.pit)]
    return drawn


def score_lines(scores: Sequence[Score]) -> list[str]:
    """The whole record for a terminal: a table, then why each verdict."""
    head = ("series", "model", "days", "crps", "model", "market", "pooled", "gain", "weight", "verdict")
    rows = [
        (
            one.series,
            mark(one) + one.model,
            str(one.days),
            crps(one),
            with_error(one.log_loss_model, one.log_loss_model_se),
            with_error(one.log_loss_market, one.log_loss_market_se),
            with_error(one.log_loss_pooled, one.log_loss_pooled_se),
            with_error(one.gain, one.gain_se, signed=True),
            f"{one.weight:.2f}",
            one.verdict,
        )
        for one in scores
    ]
    widths = [max(len(row[at]) for row in (head, *rows)) for at in range(len(head))]
    lines = [FIGURES]
    for row in (head, *rows):
        cells = [
            cell.ljust(width) if at in _LEFT else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return lines


_LEFT = (0, 1, 9)


def whole_lines(score: Score) -> list[str]:
    """One record with its plots."""
    return [
        f"{score.series} {mark(score)}{score.model}",
        *(f"  {text}" for text in facts(score)),
        "",
        *plots(score),
    ]


def mark(score: Score) -> str:
    return "SIM " if score.simulated else ""


def crps(score: Score) -> str:
    return "-" if score.crps is None else f"{score.crps:.2f}"
