"""``pmconsole score``: how good the models are on anybody's data."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tui import verbs
from tui.cli_options import Verbs

if TYPE_CHECKING:
    from core.models.evaluation.rows import Counted, Report

_F = TypeVar("_F", bound=Callable[..., Any])
_DAY = click.DateTime(formats=["%Y-%m-%d"])


def with_data(function: _F) -> _F:
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Rows for another program."),
        click.option("--fit-until", type=_DAY, metavar="DATE", help="Freeze fitted parameters at that day."),
        click.option("--score-to", type=_DAY, metavar="DATE", help="Last day that counts."),
        click.option("--score-from", type=_DAY, metavar="DATE", help="First day that counts."),
        click.option(
            "--data",
            "directory",
            required=True,
            metavar="DIR",
            type=click.Path(path_type=Path, exists=True, file_okay=False, readable=True),
            help="Holds one folder a set.",
        ),
    ):
        function = option(function)
    return function


@click.group(cls=Verbs)
def score() -> None:
    """Score every model on past days, each predicted with what was known then. Works without an engine."""


@score.command("weather")
@with_data
def score_weather(**chosen: Any) -> None:
    """Daily highs: CRPS, log loss, coverage and PIT of each model by lead and station.

    Reads weather_lead_forecasts and openmeteo_short_lead under DIR.
    """
    _one_thread()
    from core.models.evaluation import weather

    _print(weather.score, **chosen)


@score.command("market")
@with_data
def score_market(**chosen: Any) -> None:
    """Daily-high markets: log loss and Brier of the market, of each model and of both pooled, by hour.

    Reads kalshi_high_markets and weather_lead_forecasts under DIR.
    """
    _one_thread()
    from core.models.evaluation import market

    _print(market.score, **chosen)


@score.command("range")
@with_data
def score_range(**chosen: Any) -> None:
    """Index, currency and coin ranges: log loss and Brier of brackets, CRPS in basis points, by series.

    Reads fx_index_crypto under DIR: SPX's next close, SPY from noon to the close, EUR/USD for the hour from
    13:00 UTC, BTC/USD's next day.
    """
    _one_thread()
    from core.models.evaluation import range as ranges

    _print(ranges.score, **chosen)


def _one_thread() -> None:
    """Small matrices: threads of the linear algebra library wait for each other ten times as long as one
    works. It reads this when it is loaded."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def _print(
    task: Callable[[Path, Counted], Report],
    directory: Path,
    score_from: date | None,
    score_to: date | None,
    fit_until: date | None,
    as_json: bool,
) -> None:
    from core.models.evaluation.rows import Counted, DataError, document, table

    ordinals = [None if day is None else day.toordinal() for day in (score_from, score_to, fit_until)]
    try:
        report = task(directory, Counted(*ordinals))
    except DataError as error:
        verbs.leave(verbs.USAGE, f"pmconsole score: {error}")
    if not report.rows:
        why = " ".join(report.notes)
        verbs.leave(verbs.REFUSED, f"pmconsole score: no day counts under {directory}. {why}".rstrip())
    if as_json:
        click.echo(json.dumps(document(report), indent=2, allow_nan=False))
        click.echo("\n".join(report.notes), err=True, nl=bool(report.notes))
    else:
        click.echo("\n".join(table(report)))


VERBS = (score,)
