"""Verbs of sources: how each is, what it told last, and one real question to one of them."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable
from typing import Any

import click

from core.config.paths import Profile
from core.control.client import Line
from core.control.protocol import TryFeed
from tui import answers, cli_confirm, verbs
from tui.cli_options import Verbs, left_to_verb, place_of, print_query, with_fields, with_profile
from tui.feed_names import apart_word, every, named

TEST_S = 60.0
"""A test that has not ended by then is given up here; the engine ends it by itself."""
_DETAIL_WIDTH = 98


@click.group(cls=Verbs, invoke_without_command=True)
@with_fields
@with_profile
@click.pass_context
def feeds(context: click.Context, as_json: bool, fields: bool) -> None:
    """Every data source: state, age, quota left; without an engine what is on, and what turns on the rest."""
    if left_to_verb(context):
        return
    if fields:
        print_query("feeds", as_json=as_json, fields=True)
        return
    found, asked = _listed(place_of())
    lines = feed_lines(found, asked=asked)
    click.echo(verbs.json_text(found) if as_json else "\n".join(lines))


@feeds.command("show")
@click.argument("name", default="")
@with_fields
@with_profile
def feeds_show(name: str, as_json: bool, fields: bool) -> None:
    """What source NAME told last: quotes, volatilities, games, release dates."""
    if fields:
        print_query("source", as_json=as_json, fields=True)
        return
    if not name:
        raise click.UsageError("Missing argument 'NAME'.")
    from core.control import feeds_alone

    source = _known(name)
    found = verbs.ask(place_of(), "source", source)
    if as_json:
        click.echo(verbs.json_text(found))
        return
    click.echo(f"{found['source']}: {found['gives']}. {found['credit']}".rstrip())
    for value in found["values"]:
        old = value["stale_after_s"] is not None and value["age_s"] > value["stale_after_s"]
        aged = answers.span(value["age_s"]) + (" STALE" if old else "")
        click.echo(f"{value['about']}: {value['said']}  {aged}")
    if not found["values"]:
        weather = feeds_alone.tells_weather(source)
        click.echo(
            "Its temperatures are inputs of the fair values: pmconsole markets."
            if weather
            else "It has told nothing yet."
        )


@feeds.command("test")
@click.argument("name")
@with_profile
def feeds_test(name: str) -> None:
    """Ask source NAME once, now, and explain the answer; says first what that costs.

    Through the running engine where there is one: over its connection and within its budget. Exit code 0
    where the answer can be used, else 1.
    """
    from core.control import feeds_alone

    place, source = place_of(), _known(name)
    click.echo(feeds_alone.cost_of(source))
    line = verbs.line_if_any(place)
    if line is not None:
        with line:
            passed, text = _through(line, source)
    else:
        try:
            found = feeds_alone.ask_alone(place, source)
        except feeds_alone.NotAskedError as error:
            verbs.leave(verbs.USAGE, f"pmconsole feeds: {error}")
        passed, text = found.passed, found.text
    click.echo(text)
    sys.exit(verbs.DONE if passed else verbs.REFUSED)


def _through(line: Line, source: str) -> tuple[bool, str]:
    """The engine's answer to the test that began with this question."""
    before = verbs.query(line, "source", source)["tests"]
    reply = verbs.call(line, TryFeed(verbs.new_id(), source))
    if not reply.accepted:
        return False, reply.text
    deadline = time.monotonic() + TEST_S
    while time.monotonic() < deadline:
        found = verbs.query(line, "source", source)
        if found["tests"] > before:
            return found["passed"], found["found"]
        time.sleep(verbs.POLL_S)
    return False, f"The test has not ended within {TEST_S:.0f} s; see pmconsole feeds."


def _known(name: str) -> str:
    """The source called that; leaves with the nearest one where there is none."""
    from core.control import feeds_alone

    source, unknown = named(name, feeds_alone.labels())
    if unknown:
        verbs.leave(verbs.USAGE, unknown)
    return source


def _listed(place: Profile) -> tuple[list[dict[str, Any]], bool]:
    """Every source, and whether an engine runs that asks them."""
    line = verbs.line_if_any(place)
    if line is not None:
        with line:
            return list(verbs.query(line, "feeds")), True
    from core.control import feeds_alone

    try:
        return list(json.loads(feeds_alone.listing(place))), False
    except feeds_alone.NotAskedError as error:
        verbs.leave(verbs.USAGE, f"pmconsole feeds: {error}")


def feed_lines(found: list[dict[str, Any]], *, asked: bool) -> Iterable[str]:
    """Sources by family; a family without a live one says so, or that no engine runs to ask those it has."""
    families: dict[str, list[dict[str, Any]]] = {}
    for feed in found:
        families.setdefault(feed["family"], []).append(feed)
    width = max((len(feed["source"]) for feed in found), default=0)
    for family, feeds_of in families.items():
        yield f"{family}: {_family_word(feeds_of, asked=asked)}"
        for feed in feeds_of:
            parts = [feed["state"]]
            if feed["data_age_s"] is not None:
                parts.append(f"{answers.span(feed['data_age_s'])} of {answers.span(feed['stale_after_s'])}")
            parts += [
                f"{one['left']} of {one['most']} {one['unit']} {every(one['per'])} left"
                for one in feed["budget"]
            ]
            parts += [f"{apart_word(feed['apart_bp'])} apart"] if feed["apart_bp"] is not None else []
            parts += [f"{feed['latency_ms']} ms"] if feed["latency_ms"] is not None else []
            yield f"  {feed['source']:<{width}}  {'  '.join(parts)}"
            if feed["detail"]:
                yield click.wrap_text(feed["detail"], _DETAIL_WIDTH, "      ", "      ")


def _family_word(feeds_of: list[dict[str, Any]], *, asked: bool) -> str:
    states = [feed["state"] for feed in feeds_of if feed["state"] != "OFF"]
    if states and not asked:
        return f"{len(states)} on, NOT ASKED: no engine runs"
    if live := states.count("ok"):
        return f"{live} of {len(states)} live"
    return "closed" if "closed" in states else "NO LIVE SOURCE"


for _command in cli_confirm.COMMANDS:
    feeds.add_command(_command)

VERBS = (feeds,)
