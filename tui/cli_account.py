"""Verbs that bring a profile to real money: its keys, its examination, its arming, its drill."""

from __future__ import annotations

import codecs
import locale
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from core.config import paths
from core.config.paths import Environment
from core.control import protocol
from core.domain.text import clean_text
from tui import verbs
from tui.cli_options import Verbs, place_of, with_profile, with_reason, with_word

if TYPE_CHECKING:
    from core.control.doctor.questions import Terminal
    from core.control.signing import WalletState

_EXCHANGES = {e.value: e for e in Environment if e is not Environment.SIM}


@click.group(cls=Verbs)
def key() -> None:
    """Private keys of a profile: at Kalshi one that trades and one for the watchdog, and a wallet's."""


@key.command("add")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--key-id", required=True, metavar="ID", help="The key's id as the venue shows it.")
@click.option(
    "--made-at", required=True, type=click.Choice(sorted(_EXCHANGES)), help="The exchange it was made at."
)
@click.option("--watchdog", is_flag=True, help="The watchdog's key instead of the engine's.")
@click.option(
    "--subaccount",
    type=click.IntRange(0, 63),
    default=0,
    show_default=True,
    help="The part of the account to trade; the one a locked key is locked to.",
)
@with_profile
def key_add(file: Path, key_id: str, made_at: str, watchdog: bool, subaccount: int) -> None:
    """Keep the private key in FILE in the profile, readable by you alone and pinned to its exchange."""
    from core.config.secrets import KeyFileError, read_key_file
    from core.control.keys import Role, add, key_path, state

    place, role = place_of(), Role.WATCHDOG if watchdog else Role.TRADING
    try:
        paths.prepare(place)
        before = state(place, role) if not place.simulated else None
        pin = add(place, role, read_key_file(file), file, key_id, _EXCHANGES[made_at], subaccount)
    except (KeyFileError, paths.ProfileError) as error:
        verbs.leave(verbs.USAGE, f"pmconsole key: {error}")
    click.echo(f"The {role.value} key {pin.key_id} is kept in {key_path(place, role)}.")
    if before is not None and before.fingerprint not in ("", pin.fingerprint):
        click.echo(f"It replaces {before.key_id}, which is kept here no more: revoke that one at the venue.")
    click.echo(f"Delete the copy you added it from: {file}")


@key.command("add-wallet")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option(
    "--signature-type",
    "kind",
    required=True,
    type=click.IntRange(0, 3),
    help="0 plain key, 1 proxy (e-mail), 2 Safe (browser wallet), 3 deposit wallet (since May 2026).",
)
@click.option(
    "--funder",
    default="",
    metavar="ADDRESS",
    help="The wallet that holds the funds, as the venue's profile page shows it; needed for type 3.",
)
@with_profile
def key_add_wallet(file: Path | None, kind: int, funder: str) -> None:
    """Add the Polymarket wallet whose private key is in FILE, and find its API key at the venue.

    Key, signature type and funder are checked against each other before anything is asked or kept.
    Without FILE the key is read from where polymarket.key in config.toml says, and stays there.
    """
    import asyncio
    import random
    import secrets

    from core.config.secrets import KeyFileError
    from core.config.settings import SettingsError, load
    from core.control.signing import add_wallet
    from core.domain.clock import REAL_WORLD, Clocks, SystemClock

    place, rng = place_of(), random.Random(secrets.randbits(128))
    try:
        paths.prepare(place)
        settings, clocks = load(place.config).polymarket, Clocks(SystemClock(), REAL_WORLD)
        added = asyncio.run(add_wallet(place, settings, file, kind, funder, clocks=clocks, rng=rng))
    except (KeyFileError, SettingsError, paths.ProfileError) as error:
        verbs.leave(verbs.USAGE, f"pmconsole key: {error}")
    click.echo(f"The wallet is kept: {_wallet(added)}.")
    if file is not None:
        click.echo(f"Keep a backup away from this machine, and delete the copy you added it from: {file}")


def _wallet(found: WalletState) -> str:
    account = found.account
    if account is None:
        return ""
    kind = account.signature_type
    return (
        f"key of {account.address}, funds in {account.funder} "
        f"({kind.label}, signature type {kind.value}), API key {found.api_key}"
    )


@key.command("show")
@with_profile
def key_show() -> None:
    """Which keys the profile has and whether they can be used; shows nothing secret."""
    from core.config.settings import SettingsError, load
    from core.control.keys import Role, state
    from core.control.signing import state as wallet_state

    place = place_of()
    if place.simulated:
        click.echo(f"Profile {place.name} makes its own keys with each simulated world.")
        return
    for role in Role:
        found = state(place, role)
        said = found.problem or f"{found.key_id}  fingerprint {found.fingerprint[:16]}  {found.path}"
        click.echo(f"{role.value:<9} {said}")
    if place.environment is not Environment.PRODUCTION:
        return
    try:
        wallet = wallet_state(place, load(place.config).polymarket)
    except SettingsError as error:
        verbs.leave(verbs.USAGE, f"pmconsole key: {error}")
    click.echo(f"{'wallet':<9} {wallet.problem or _wallet(wallet)}")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="The same for programs.")
@with_profile
def doctor(as_json: bool) -> None:
    """Examine the profile: clock, keys, limits, cash, journal, disk, terminal, every venue.

    Places nothing and changes nothing. Ends with what still blocks live. Exit code 1 when this
    profile itself is blocked.
    """
    import asyncio
    import random
    import secrets

    from core.control.doctor.examine import examine
    from core.control.doctor.report import as_data, lines
    from core.domain.clock import SystemClock

    rng, terminal = random.Random(secrets.randbits(128)), _terminal()
    try:
        report = asyncio.run(examine(place_of(), SystemClock(), rng, terminal))
    except (paths.ProfileError, OSError) as error:
        verbs.leave(verbs.USAGE, f"pmconsole doctor: {error}")
    if as_json:
        click.echo(verbs.json_text(as_data(report)))
    else:
        click.echo("\n".join(lines(report, terminal.columns)))
    sys.exit(verbs.REFUSED if report.blocks else verbs.DONE)


def _terminal() -> Terminal:
    """The terminal this verb was typed in."""
    from core.control.doctor.questions import Terminal

    size = os.get_terminal_size() if sys.stdout.isatty() else None
    name = os.environ.get("TERM", "")
    true_color = os.environ.get("COLORTERM", "") in ("truecolor", "24bit")
    return Terminal(
        clean_text(name, 40),
        size.columns if size is not None else None,
        size.lines if size is not None else None,
        utf8=codecs.lookup(locale.getpreferredencoding(False)).name == "utf-8",
        colors=1 << 24 if true_color else 256 if "256" in name else 16,
    )


@click.command()
@with_profile
def drill() -> None:
    """Play the stop ladder and the watchdog in the simulator (two minutes) and note the date."""
    from tui.drill import drill as play

    sys.exit(play(place_of()))


@click.command()
@with_word
@with_reason
@with_profile
def arm(confirm: str, reason: str) -> None:
    """Let entries leave with real money: after a clean doctor, with a typed phrase and a reason."""
    verbs.command(place_of(), protocol.Arm(verbs.new_id(), confirm, reason))


@click.command()
@with_reason
@with_profile
def disarm(reason: str) -> None:
    """Stop entries and cancel the resting ones; exits, halt and flatten still work."""
    verbs.command(place_of(), protocol.Disarm(verbs.new_id(), reason))
