"""The command line: every verb of the desk, and the front door when none is named.

Exit codes: 0 done, 1 refused (the reason is printed), 2 usage or configuration, 3 no engine, 75 the
engine's lock is held. Nothing heavy is imported before a verb needs it.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import click

from core.config import paths
from tui import verbs
from tui.cli_look import look_of, with_look
from tui.cli_options import Verbs, place_of, print_query, with_fields, with_profile, with_reason

_GLOBAL = ("--profile",)
_OWN = ("--help", "--version")


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="pmconsole")
@with_profile
def cli() -> None:
    """A trading console for event contracts. Without a verb: start or find the desk and open it (demo)."""


# --- the desk -----------------------------------------------------------------------------------


FAULTS_HELP = "A faulty network to the simulated exchanges, as make simulate draws it for this seed."


@cli.command()
@click.option("--scenario", default=None, metavar="NAME", help="Recorded days to replay (demo).")
@click.option("--speed", default=None, type=click.FloatRange(1, 1000), help="World time per real time (144).")
@click.option("--seed", default=None, type=int, help="Another seed, another world.")
@click.option("--faults", default=None, type=int, metavar="SEED", help=FAULTS_HELP)
@click.option("--fresh", is_flag=True, help="Stop what runs and start a new world with a new journal.")
@click.option("--no-coach", is_flag=True, help="Without the line that explains what happens.")
@with_look
@with_profile
def demo(
    scenario: str | None,
    speed: float | None,
    seed: int | None,
    faults: int | None,
    fresh: bool,
    no_coach: bool,
    **look: Any,
) -> None:
    """Start the simulator and the engine if they do not run, then open the console (the default)."""
    from tui import front_door

    place = place_of()
    world = front_door.WorldOptions(scenario, speed, seed, faults)
    sys.exit(front_door.demo(place, world, look_of(place, coach=not no_coach, **look), fresh=fresh))


@cli.command("open")
@with_look
@with_profile
def open_(**look: Any) -> None:
    """Start the profile's engine if it does not run, and open the console (the default of a real profile)."""
    from tui import front_door

    place = place_of()
    sys.exit(front_door.open_desk(place, look_of(place, **look)))


@cli.command()
@click.option("--take", is_flag=True, help="Take control from the console that has it.")
@with_look
@with_profile
def attach(take: bool, **look: Any) -> None:
    """Open a console on the running engine."""
    if take and look["view_only"]:
        raise click.UsageError("--view-only and --take exclude each other")
    from tui import front_door

    place = place_of()
    sys.exit(front_door.attach(place, look_of(place, take=take, **look)))


@cli.command()
@click.option("--kalshi-port", default=0, type=click.IntRange(0, 65535), help="0 picks a free one.")
@click.option("--polymarket-port", default=0, type=click.IntRange(0, 65535), help="0 picks a free one.")
@click.option("--feeds-port", default=0, type=click.IntRange(0, 65535), help="0 picks a free one.")
@click.option("--scenario", default="demo", metavar="NAME", help="Recorded days to replay.")
@click.option("--speed", default=1.0, type=click.FloatRange(1, 1000), help="World seconds a real second.")
@click.option("--seed", default=1, type=int, help="Another seed, another world.")
@click.option("--faults", default=None, type=int, metavar="SEED", help=FAULTS_HELP)
@click.option("--ready-file", type=click.Path(path_type=Path), help="Also write the ready line here.")
@click.option("--keys-dir", type=click.Path(path_type=Path), help="Keep the simulated private keys here.")
def sim(**chosen: Any) -> None:
    """Run the simulated exchanges and feeds alone; prints one JSON line when ready."""
    import asyncio

    from core.domain.clock import SystemClock
    from core.sim.process import SimError, SimOptions, serve

    why = ""
    try:
        asyncio.run(serve(SimOptions(**chosen), SystemClock(), click.echo))
    except* SimError as failures:
        why = "; ".join(str(failure) for failure in failures.exceptions)
    if why:
        verbs.leave(verbs.USAGE, f"pmconsole sim: {why}")


@cli.group()
def engine() -> None:
    """The engine without a console."""


@engine.command("run")
@click.option("--after-sim", is_flag=True, hidden=True, help="Wait until the simulator is ready.")
@with_profile
def engine_run(*, after_sim: bool) -> None:
    """Run the engine in the foreground."""
    verbs.one_thread()
    from core.control.process import StartError, run_engine

    if after_sim:
        from tui import front_door

        front_door.await_sim(place_of())
    try:
        sys.exit(run_engine(place_of()))
    except StartError as error:
        verbs.leave(error.code, f"pmconsole engine: {error}")


@engine.command("start")
@with_profile
def engine_start() -> None:
    """Start the engine in a session of its own."""
    from tui import front_door

    sys.exit(front_door.start_engine(place_of()))


@engine.command("stop")
@click.option("--cancel", "how", flag_value="cancel", default=True, help="Cancel what rests (the default).")
@click.option("--keep", "how", flag_value="keep", help="Leave orders to their own expiry.")
@click.option("--flatten", "how", flag_value="flatten", help="Cancel, sell everything, stop once flat.")
@with_reason
@with_profile
def engine_stop(how: str, reason: str) -> None:
    """Stop the engine; positions stay unless it is to be flat first."""
    from tui import front_door

    sys.exit(front_door.stop_engine(place_of(), reason, how))


@engine.command("status")
@with_profile
def engine_status() -> None:
    """Whether the engine runs (0) or not (3)."""
    with verbs.open_line(place_of()) as line:
        click.echo(f"engine {line.welcome.engine_id} runs as pid {line.welcome.pid}")


# --- reading ------------------------------------------------------------------------------------


def _reading(what: str, summary: str) -> None:
    @cli.command(what, help=summary)
    @with_fields
    @with_profile
    def reading(as_json: bool, fields: bool) -> None:
        print_query(what, as_json=as_json, fields=fields)


for _what, _summary in (
    ("status", "Mode, links, exposure, alarms."),
    ("markets", "Books, fair values and edges."),
    ("proposals", "What the strategy wants to do, and what was asked for by hand."),
    ("positions", "What is held and what it can lose."),
    ("limits", "Every limit: used, in force, ceiling."),
):
    _reading(_what, _summary)


# --- the rest -----------------------------------------------------------------------------------


def _others() -> Iterator[click.Command]:
    """Every verb of another module."""
    from tui import (
        cli_account,
        cli_confirm,
        cli_desk,
        cli_feeds,
        cli_funnel,
        cli_journal,
        cli_links,
        cli_market,
        cli_models,
        cli_safety,
        cli_score,
        cli_system,
        cli_trade,
        cli_truth,
        cli_vetoes,
    )

    yield from (*cli_desk.VERBS, *cli_trade.VERBS)
    yield from (*cli_truth.GROUPS, *cli_links.VERBS, *cli_market.VERBS, *cli_feeds.VERBS, *cli_confirm.VERBS)
    yield from (
        *cli_models.VERBS,
        *cli_score.VERBS,
        cli_journal.journal,
        cli_journal.since,
        cli_funnel.funnel,
        cli_vetoes.vetoes,
        cli_system.system,
    )
    yield from (cli_safety.flatten, cli_safety.rest_exit, cli_safety.tmux, cli_safety.watchdog)
    yield from (cli_account.key, cli_account.doctor, cli_account.drill, cli_account.arm, cli_account.disarm)


def _units() -> Iterator[click.Command]:
    from tui import cli_safety

    yield cli_safety.units


cli.others, cast(Verbs, engine).others = _others, _units

# --- entry --------------------------------------------------------------------------------------


def _with_front_door(arguments: list[str]) -> list[str]:
    """Without a verb the profile's front door is meant, options or not."""
    at = 0
    while at < len(arguments) and arguments[at].split("=")[0] in _GLOBAL:
        at += 1 if "=" in arguments[at] else 2
    if at > len(arguments):  # the last option has no value, and the parser says so
        return arguments
    rest = arguments[at:]
    if not rest or (rest[0].startswith("-") and rest[0] not in (*_OWN, "-h")):
        words = [word for argument in arguments for word in argument.split("=", 1)]
        named = dict(itertools.pairwise(words)).get("--profile", paths.DEFAULT_PROFILE)
        return [*arguments[:at], "demo" if named == paths.DEFAULT_PROFILE else "open", *rest]
    return arguments


def main() -> None:
    """Entry point of the ``pmconsole`` command."""
    try:
        cli.main(args=_with_front_door(sys.argv[1:]), prog_name="pmconsole", standalone_mode=True)
    except BrokenPipeError:
        sys.exit(verbs.DONE)


if __name__ == "__main__":
    main()
