"""Verbs of the models: the history they learn from."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click
import msgspec

from tui import verbs
from tui.cli_options import Verbs, place_of, with_profile

if TYPE_CHECKING:
    from core.control.models_alone import Trained
    from core.models.weather.coefficients import Coefficients
    from core.training.update import Progress

_REFUSED_SHOWN = 12


@click.group(cls=Verbs)
def models() -> None:
    """What the weather models learn from and what they have learned."""


@models.command("update")
@click.option("--days", type=click.IntRange(1, 1_500), help="Of history (800; 400 in the demo).")
@click.option("--station", "stations", multiple=True, metavar="ICAO", help="Only this one; may be repeated.")
@click.option("--json", "as_json", is_flag=True, help="What was asked, added, refused and left.")
@with_profile
def models_update(days: int | None, stations: tuple[str, ...], as_json: bool) -> None:
    """Build or extend the history of every station: forecasts by lead and source, and what each day became.

    Within the sources' quotas, which a running engine goes on using. It may be ended at any moment: started
    again it goes on where it was. Exit code 1 where something is left to ask.
    """
    from core.control import models_alone

    place = place_of()
    if days is None:
        days = models_alone.DAYS_SIMULATED if place.simulated else models_alone.DAYS
    try:
        with _telling(quiet=as_json) as tell:
            done = models_alone.update(place, days, stations, tell)
    except models_alone.NotTrainedError as error:
        verbs.leave(verbs.USAGE, f"pmconsole models: {error}")
    except KeyboardInterrupt:
        again = place.command("models update")
        verbs.leave(verbs.REFUSED, f"Ended. What was answered is kept: {again} goes on there.")
    if as_json:
        click.echo(verbs.json_text(msgspec.to_builtins(done)))
    else:
        click.echo("\n".join(update_lines(done, place.command("models update"))))
    sys.exit(verbs.REFUSED if done.outcome.left else verbs.DONE)


@models.command("fit")
@click.option("--json", "as_json", is_flag=True, help="The whole file but its histories.")
@with_profile
def models_fit(as_json: bool) -> None:
    """Fit every station, lead and extreme that its history is long enough for, and write the coefficients.

    A running engine takes the new file up by itself within seconds. Exit code 2 where nothing can be fitted.
    """
    verbs.one_thread()
    from core.control import models_alone

    try:
        made = models_alone.fit(place_of(), _quiet if as_json else click.echo)
    except models_alone.NotTrainedError as error:
        verbs.leave(verbs.USAGE, f"pmconsole models: {error}")
    if as_json:
        told = {"path": made.path, "unfitted": made.unfitted, "lacking": made.lacking, **_told(made.content)}
        click.echo(verbs.json_text(told))
        return
    click.echo("\n".join(fit_lines(made.content)))
    for sentence in made.unfitted:
        click.echo(f"Not fitted: {sentence}.")
    for sentence in made.lacking:
        click.echo(f"Without a source: {sentence}.")
    click.echo(f"Written to {made.path}.")


@models.command("show")
@click.option("--json", "as_json", is_flag=True, help="The whole file but its histories.")
@with_profile
def models_show(as_json: bool) -> None:
    """What the weather models have learned: data, sources, age, and how good they were on days unseen."""
    from core.control import models_alone

    place = place_of()
    try:
        found = models_alone.show(place)
    except models_alone.NotTrainedError as error:
        verbs.leave(verbs.USAGE, f"pmconsole models: {error}")
    if as_json:
        learned = _told(found.content) if found.content is not None else {"fits": []}
        kept = msgspec.to_builtins(found.histories)
        told = {"path": found.path, "fault": found.fault, **learned, "histories": kept}
        click.echo(verbs.json_text(told))
        return
    for of in found.histories:
        click.echo(f"{of.station}: {of.days} days {of.first} to {of.last}, {of.gaps} gaps")
    if found.content is not None:
        click.echo("\n".join(fit_lines(found.content)))
        click.echo(f"From {found.path}.")
    else:
        begin = (
            f"Nothing is fitted yet: {place.command('models update')}, then {place.command('models fit')}."
        )
        click.echo(found.fault or begin)


def fit_lines(content: Coefficients) -> Iterable[str]:
    """A line for each station, lead and extreme, and the models' scores beside each other."""
    label = "SIM, no evidence outside the demo" if content.world == "sim" else "real"
    days = int(time.time() - datetime.fromisoformat(content.fitted_at).timestamp()) // 86_400
    old = f"{days} days ago" if days > 1 else "yesterday" if days == 1 else "today"
    yield (
        f"Coefficients {content.seal[:12]} ({label}), fitted {old} ({content.fitted_at}) on data "
        f"{content.data_sha256[:12]}: {len(content.fits)} fits."
    )
    yield "On days unseen: CRPS in F, lower is better, and the share of outcomes in the 80 % interval."
    for fit in content.fits:
        scores = "  ".join(f"{one.model} {one.crps_f:.2f} {one.cov80:.0%}" for one in fit.scores)
        yield (
            f"{fit.station} {fit.extreme.value:<4} lead {fit.lead_days}  {fit.days} days {fit.first} to "
            f"{fit.last}, {len(fit.sources)} sources  {scores or 'too short to be scored'}"
        )


def _told(content: Coefficients) -> dict[str, Any]:
    """The file without the days behind its coefficients."""
    told: dict[str, Any] = msgspec.to_builtins(content)
    for fit in told["fits"]:
        fit["sources"] = list(fit.pop("recent")["forecasts"])
    return told


def update_lines(done: Trained, again: str) -> Iterable[str]:
    """What an update came to; ``again`` is what starts it anew."""
    outcome = done.outcome
    spent = ", ".join(f"{source} {calls}" for source, calls in done.spent.items()) or "nothing"
    yield f"{outcome.asked} questions answered, {outcome.rows} figures added; asked: {spent} calls."
    for provider, why in done.off.items():
        yield f"{provider} is not asked. {why}"
    for sentence in outcome.refused[:_REFUSED_SHOWN]:
        yield f"Refused: {sentence}"
    if len(outcome.refused) > _REFUSED_SHOWN:
        yield f"and {len(outcome.refused) - _REFUSED_SHOWN} more like these."
    for provider, reason in outcome.given_up.items():
        yield f"Given up for now: {provider}: {reason}."
    if outcome.left:
        yield f"{outcome.left} questions are left: {again} goes on there."


def _quiet(_: object) -> None:
    """For JSON."""


@contextlib.contextmanager
def _telling(*, quiet: bool) -> Iterator[Callable[[Progress], None]]:
    """How an update is followed: a counting line on a terminal; elsewhere a line for each station's source,
    and what went wrong."""
    if quiet:
        yield _quiet
    elif sys.stdout.isatty():
        try:
            yield _count
        finally:
            click.echo()
    else:
        yield _Lines().tell


def _count(at: Progress) -> None:
    text = at.said or f"{at.ask.station.icao} {at.ask.what} {at.ask.days}"
    click.echo(f"\r\x1b[K{at.done} of {at.total}  {text[:90]}", nl=False)


class _Lines:
    def __init__(self) -> None:
        self._of = ""

    def tell(self, at: Progress) -> None:
        place = f"{at.ask.station.icao} {at.ask.what}"
        if place != self._of:
            self._of = place
            click.echo(f"{at.done} of {at.total}  {place}")
        if at.said:
            click.echo(f"  {at.said}")


VERBS = (models,)
