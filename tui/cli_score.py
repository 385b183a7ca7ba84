"""``pmconsole score``: how good the models were on this desk, and are on anybody's data."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
import msgspec

from tui import verbs
from tui.cli_options import Verbs, left_to_verb, place_of, print_query, with_fields, with_profile
from tui.score_words import Score, score_lines, whole_lines

if TYPE_CHECKING:
    from core.models.evaluation.rows import Counted, Report

_F = TypeVar("_F", bound=Callable[..., Any])
_DAY = click.DateTime(formats=["%Y-%m-%d"])


def with_data(function: _F) -> _F:
    for option in (
        click.option(
            "--json", "as_json", is_flag=True, help="Rows for another program; notes on standard error."
        ),
        click.option(
            "--fit-until",
            type=_DAY,
            metavar="DATE",
            help="Fit on days up to this one alone; recent errors go on counting.",
        ),
        click.option("--score-to", type=_DAY, metavar="DATE", help="Last day that counts."),
        click.option("--score-from", type=_DAY, metavar="DATE", help="First day that counts."),
        click.option(
            "--data",
            "directory",
            required=True,
            metavar="DIR",
            type=click.Path(path_type=Path, exists=True, file_okay=False, readable=True),
            help="Holds a folder for each set.",
        ),
    ):
        function = option(function)
    return function


@click.group(cls=Verbs, invoke_without_command=True)
@click.option("--series", metavar="NAME", default="", help="One series, with its plots.")
@with_fields
@with_profile
@click.pass_context
def score(context: click.Context, series: str, as_json: bool, fields: bool) -> None:
    """How good each model was on this desk's settled events; with a task, on anybody's past days.

    Without an engine the newest journal tells. Errors are clustered by day; what is simulated says SIM.
    Gain is what the model adds to the market, weight what it counts beside it, and only proven ones open
    anything in automatic mode.

    The tasks read tables under a folder of yours, each day predicted with what was known then. What is
    missing there is told, and what no table can hold is refused with its line: exit code 2, and 1 where no
    day counts.
    """
    if left_to_verb(context):
        return
    if fields:
        print_query("score", as_json=as_json, fields=True)
        return
    record = list(verbs.ask_or_read(place_of(), "score"))
    found = [one for one in record if series.lower() in ("", one["series"].lower())]
    if as_json:
        click.echo(verbs.json_text(found))
        return
    scores = msgspec.convert(found, tuple[Score, ...])
    if not scores:
        of = f" of {series}" if series else ""
        known = ", ".join(sorted({one["series"] for one in record}))
        others = f" There are some of: {known}." if known else ""
        click.echo(f"No event{of} that was forecast here has settled yet.{others}")
        return
    said = score_lines(scores)
    for one in scores:
        said += ["", *whole_lines(one)] if series else [f"{one.series} {one.model}: {one.why}"]
    click.echo("\n".join(said))


@score.command("weather")
@with_data
def score_weather(**chosen: Any) -> None:
    """Daily highs: CRPS, log loss, coverage and PIT of each model by lead and station.

    "default" is the model that the desk prices with. Degrees F; a cell without a number is empty.

    \b
    Reads under DIR, each folder where it is there:
    weather_lead_forecasts/
      forecasts.csv  city day issued lead_days tempmax_f
                     tempmin_f cloudcover precipprob
      observed.csv   city day tmax_obs_f
      nbm_hrrr.csv   city day model run_datetime_utc
                     peak_window_max_f (further sources, if any)
    openmeteo_short_lead/
      forecasts_20_cities.csv  series day nws_high and
                     fcst_MODEL for each of five models
    """
    verbs.one_thread()
    from core.models.evaluation import weather

    _print(weather.score, **chosen)


@score.command("market")
@with_data
def score_market(**chosen: Any) -> None:
    """Daily-high markets: log loss and Brier of the market, of each model and of both pooled, by hour.

    Cents and minutes; lo and hi are whole degrees that pay, -inf and inf at the ends.

    \b
    Reads under DIR weather_lead_forecasts (see score weather) and
    kalshi_high_markets/
      markets.csv              series day ticker lo hi result
      hourly_snapshots.csv.gz  ticker hour_utc last ask
                               ask_age_min bid bid_age_min
    """
    verbs.one_thread()
    from core.models.evaluation import market

    _print(market.score, **chosen)


@score.command("range")
@with_data
def score_range(**chosen: Any) -> None:
    """Index, currency and coin ranges: log loss and Brier of brackets, CRPS in basis points, by series.

    SPX's next close, SPY from noon to the close, EUR/USD for the hour from 13:00 UTC, BTC/USD's next day.

    \b
    Reads under DIR, each file where it is there:
    fx_index_crypto/
      spx_vix_daily.csv     day spx_close vix_close
      btcusd_daily.csv      day close
      spy_hourly.csv.gz     time open high low close (New York)
      eurusd_hourly.csv.gz  time open high low close (UTC)
    """
    verbs.one_thread()
    from core.models.evaluation import range as ranges

    _print(ranges.score, **chosen)


def _print(
    task: Callable[[Path, Counted], Report],
    directory: Path,
    score_from: date | None,
    score_to: date | None,
    fit_until: date | None,
    as_json: bool,
) -> None:
    from core.models.evaluation.rows import Counted, DataError, document, table

    if score_from is not None and score_to is not None and score_from > score_to:
        verbs.leave(verbs.USAGE, "pmconsole score: --score-from lies after --score-to; turn them round.")
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
