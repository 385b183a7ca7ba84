"""Verbs of the stop and of what holds when the engine does not: flatten, watchdog, units."""

from __future__ import annotations

import sys

import click

from core.control import protocol
from core.domain.units import UnitError, parse_price
from tui import answers, verbs
from tui.cli_options import Verbs, place_of, with_profile


@click.command()
@click.option("--now", is_flag=True, help="Without the countdown.")
@click.option("--urgent", is_flag=True, help="Sell down to 10c under the bid at once.")
@click.option(
    "--include-external", is_flag=True, help="Also cancel orders of the account that were not placed here."
)
@click.option("--direct", is_flag=True, help="Without an engine: cancel and sell every account at once.")
@click.option("--keep", is_flag=True, help="End the flatten that runs: sell no more, stay halted.")
@with_profile
def flatten(now: bool, urgent: bool, include_external: bool, direct: bool, keep: bool) -> None:
    """Halt, cancel everything, sell everything; follows it until flat or a named residue."""
    if keep:
        if now or urgent or include_external or direct:
            raise click.UsageError("--keep stands alone: it ends a flatten and begins none")
        verbs.command(place_of(), protocol.AbortFlatten(verbs.new_id()))
        return
    if not direct:
        verbs.flatten(place_of(), now=now, urgent=urgent, include_external=include_external)
        return
    from core.control import direct as without_engine

    try:
        sys.exit(without_engine.flatten(place_of(), click.echo, urgent=urgent))
    except without_engine.RefusedError as error:
        verbs.leave(error.code, f"pmconsole flatten --direct: {error}")
    except KeyboardInterrupt:
        verbs.leave(verbs.REFUSED, "Stopped in the middle: what was sent stays sent. Repeat to go on.")


@click.command()
@with_profile
def tmux() -> None:
    """Key bindings for tmux: Ctrl-X stops the desk in its copy mode too, prefix Ctrl-X from every pane."""
    import os
    import shutil

    from tui.tmux import bindings

    place = place_of()
    _, *words = place.command("flatten").split()
    found = shutil.which("pmconsole")
    program = [found] if found else [sys.executable, "-P", "-m", "tui.cli"]
    take_up = f"{place.command('tmux')} >>~/.tmux.conf && tmux source-file ~/.tmux.conf"
    click.echo(bindings([*program, *words], os.environ.get("PMCONSOLE_HOME"), take_up), nl=False)


@click.command("exit-at")
@click.argument("market")
@click.argument("price")
@with_profile
def rest_exit(market: str, price: str) -> None:
    """Let an exit of everything held in MARKET wait at PRICE (dollars, such as 0.35)."""
    try:
        wanted = parse_price(price)
    except UnitError as error:
        raise click.UsageError(str(error)) from error
    verbs.command(place_of(), protocol.RestExit(verbs.new_id(), market, wanted))


@click.group(cls=Verbs)
def watchdog() -> None:
    """The guard beside the engine: cancels everything when the engine falls silent."""


@watchdog.command("run")
@with_profile
def watchdog_run() -> None:
    """Run the watchdog in the foreground."""
    from core.watchdog.process import StartError, run_watchdog

    try:
        sys.exit(run_watchdog(place_of()))
    except StartError as error:
        verbs.leave(error.code, f"pmconsole watchdog: {error}")


@watchdog.command("status")
@with_profile
def watchdog_status() -> None:
    """Whether it runs and could cancel (0), could not (1), or is not there (3)."""
    import asyncio

    from core.config.paths import watchdog_socket
    from core.control.pulse import Ask, Line, PulseError, Watching

    place = place_of()

    async def ask() -> Watching:
        line = await Line.open(watchdog_socket(place))
        try:
            return await line.exchange(Ask())
        finally:
            line.close()

    try:
        seen = asyncio.run(ask())
    except PulseError as error:
        verbs.leave(verbs.NO_ENGINE, f"{error}. Start it with: {place.command('watchdog run')}")
    heard = "no engine yet" if seen.silent_ms is None else f"last pulse {seen.silent_ms / 1000:.1f} s ago"
    click.echo(f"watchdog runs as pid {seen.pid}, {heard}")
    if seen.struck_ms is not None:
        click.echo(f"last strike {answers.utc(seen.struck_ms)}: {seen.receipt}")
    if seen.unfit:
        verbs.leave(verbs.REFUSED, f"It could not cancel now: {seen.unfit}.")


@watchdog.command("drill")
@with_profile
def watchdog_drill() -> None:
    """Let the engine fall silent and see the watchdog cancel everything; the desk ends halted."""
    verbs.command(place_of(), protocol.DrillWatchdog(verbs.new_id()))


@click.command()
@click.option("--install", "installs", is_flag=True, help="Write them for the user's service manager.")
@with_profile
def units(installs: bool) -> None:
    """systemd units of engine and watchdog, printed or installed."""
    from core.control.units import UnitError as NotWritten
    from core.control.units import here, install
    from core.control.units import units as made

    environment, home = here()
    found = made(place_of(), home)
    if not installs:
        click.echo("\n".join(f"# {unit.name}\n{unit.text}" for unit in found).rstrip())
        return
    try:
        for path in install(found, environment):
            click.echo(f"written {path}")
    except NotWritten as error:
        verbs.leave(verbs.REFUSED, f"pmconsole engine units: {error}")
    names = " ".join(unit.name for unit in found)
    click.echo(f"now: systemctl --user daemon-reload && systemctl --user enable --now {names}")
