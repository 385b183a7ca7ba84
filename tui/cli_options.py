"""Options that many verbs share: which profile, why, and the typed word."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from core.config import paths
from tui import verbs

_F = TypeVar("_F", bound=Callable[..., Any])

REASON_MAX = 400
"""Characters of a reason that the journal keeps."""


class Verbs(click.Group):
    """A group that tells its verbs in whole sentences and knows the one nearest to a mistyped word."""

    group_class = type
    """Groups inside it are of its own kind."""
    others: Callable[[], Iterable[click.Command]] = tuple
    """Verbs whose modules are imported when one of them, or all of them, are asked for."""

    def whole(self) -> Mapping[str, click.Command]:
        """Every verb by its name."""
        for verb in self.others():
            self.add_command(verb)
        return self.commands

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return self.commands.get(cmd_name) or self.whole().get(cmd_name)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(self.whole())

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        verbs = sorted(self.whole().items())
        with formatter.section("Commands"):
            formatter.write_dl([(name, (verb.help or "").partition("\n\n")[0]) for name, verb in verbs])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib

            near = difflib.get_close_matches(args[0], self.whole(), n=1)
            if not near:
                raise
            said = f"{error.message.rstrip('.')}: did you mean {near[0]!r}?"
            raise click.UsageError(said, error.ctx) from error


def _profile(name: str) -> paths.Profile:
    try:
        return paths.profile(name)
    except paths.ProfileError as error:
        verbs.leave(verbs.USAGE, f"pmconsole: {error}")


def _keep_profile(context: click.Context, _: click.Parameter, name: str | None) -> None:
    if name is not None:
        context.find_root().obj = name


def with_profile(function: _F) -> _F:
    """``--profile`` is taken before and after the verb."""
    option = click.option(
        "--profile",
        metavar="NAME",
        expose_value=False,
        callback=_keep_profile,
        help="Which desk: demo, kalshi-demo, live.",
    )
    return option(function)


def _sendable(_: click.Context, __: click.Parameter, reason: str) -> str:
    """A stop is never refused for its wording: odd bytes are replaced, what is too long is cut."""
    return reason.encode(errors="replace").decode()[:REASON_MAX]


def with_reason(function: _F) -> _F:
    option = click.option(
        "--reason", default="", metavar="TEXT", callback=_sendable, help="Why, for the journal."
    )
    return option(function)


def with_word(function: _F) -> _F:
    """The typed word for scripts; on a terminal it is asked for."""
    return click.option("--confirm", default="", metavar="WORD", help="The typed word.")(function)


def with_fields(function: _F) -> _F:
    """How a query is printed."""
    for option in (
        click.option("--fields", is_flag=True, help="Explain every field of --json."),
        click.option("--json", "as_json", is_flag=True, help="Decimal strings, UTC times, seconds."),
    ):
        function = option(function)
    return function


def print_query(
    what: str,
    *,
    as_json: bool,
    fields: bool,
    lines: Callable[[Any], Iterable[str]] | None = None,
    asked: Callable[[paths.Profile, str], Any] = verbs.ask,
) -> None:
    """One query's answer, for a person as ``lines`` of it where it is no table; or what its fields mean."""
    if fields:
        from core.control.queries.answers import documentation

        click.echo(documentation(what))
    elif lines is None:
        verbs.show(place_of(), what, as_json=as_json)
    else:
        found = asked(place_of(), what)
        click.echo(verbs.json_text(found) if as_json else "\n".join(lines(found)))


def left_to_verb(context: click.Context) -> bool:
    """Whether a verb of the group does the work; an option said before it would go unheard."""
    verb = context.invoked_subcommand
    for option in context.command.params if verb is not None else ():
        name = option.name or ""
        said = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if option.expose_value and said:
            raise click.UsageError(
                f"{option.opts[0]} before {verb!r} is not heard: put it behind, if {verb!r} takes it."
            )
    return verb is not None


def place_of() -> paths.Profile:
    """The profile this command line names."""
    return _profile(click.get_current_context().find_root().obj or paths.DEFAULT_PROFILE)
