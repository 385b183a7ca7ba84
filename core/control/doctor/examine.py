"""One examination of a profile: every question asked once, and what still stands against real money.

It places nothing, changes nothing at the venue and needs no engine; the engine may run beside it.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
from importlib.metadata import version

import msgspec

from core.config import paths
from core.config.drill import read_drill
from core.config.paths import Environment, Profile
from core.config.secrets import KeyFileError
from core.config.settings import PolymarketSettings, Settings, SettingsError, load, place_of
from core.control import coefficients
from core.control.doctor import machine, questions, wallet_questions
from core.control.doctor.findings import Finding, Report, at, block, ok, sentences
from core.control.doctor.probe import Answers, ask
from core.control.doctor.questions import Terminal
from core.control.doctor.wallet_probe import ask_wallet
from core.control.examination import write_examination
from core.control.identity import accounts_of
from core.control.keys import Role, state
from core.control.outside.record import read_record
from core.control.outside.webhook import webhook_or_why
from core.control.ready import ReadyError
from core.control.signing import state as wallet_state
from core.control.site import Site, World, clock_of, site_of, trades_kalshi
from core.control.sources import followed
from core.control.wallet import wallet_of
from core.domain.clock import Clock, Clocks
from core.engine.arming import Examination
from core.feeds.stations import station_of_series
from core.journal.device import file_system, free_mb
from core.risk.limits import DEFAULTS, Limits
from core.risk.limits_file import LimitsError, parse, unset
from core.venues.address import VenueAddressError
from core.venues.http import TransportFactory, network_transport
from core.venues.kalshi.sign import KeySigner
from core.venues.kalshi.traits import TRAITS as KALSHI
from core.venues.polymarket.traits import TRAITS as POLYMARKET
from core.venues.polymarket.wallets import Account

LIVE = "live"


class Configured(msgspec.Struct, frozen=True):
    settings: Settings = Settings()
    limits: Limits = DEFAULTS


class Asked(msgspec.Struct, frozen=True):
    """One venue's part: what was found, and the account that trades there where it can be used."""

    venue: str
    findings: list[Finding]
    key: KeySigner | None = None
    wallet: Account | None = None

    @property
    def usable(self) -> bool:
        return self.key is not None or self.wallet is not None


async def examine(
    place: Profile,
    clock: Clock,
    rng: random.Random,
    terminal: Terminal,
    transports: TransportFactory = network_transport,
) -> Report:
    """Examine a profile. Its directory is made if it is not there; raises ``paths.ProfileError``."""
    paths.prepare(place)
    now_ms, code = clock.wall_ms(), version("pmconsole")
    configured, findings = _configuration(place)
    findings += _machine(place, clock, terminal)
    findings += _drill(place, now_ms, code)
    findings.append(questions.watchdog(await machine.watchdog(place), place))
    given = configured if configured is not None else Configured()
    webhook, why = webhook_or_why(place, given.settings.alarms)
    findings.append(questions.outside(webhook, why, read_record(place.outside), now_ms, place))
    findings += _models(place, given.settings, now_ms)
    # Side by side: a venue that does not answer holds up no other.
    asked = [
        a
        for a in await asyncio.gather(
            _kalshi(place, given, clock, rng, transports),
            _polymarket(place, given, clock, rng, transports),
        )
        if a is not None
    ]
    findings += _untraded(place)
    findings += [finding for part in asked for finding in _named(part, several=len(asked) > 1)]
    found = tuple(findings)
    if configured is not None and asked and all(part.usable for part in asked):
        _write(place, asked, configured, found, now_ms, code)
    is_live = place.environment is Environment.PRODUCTION
    live = sentences(found) if is_live else _from_here_to_live(clock, code)
    return Report(place.name, place.environment.value, code, now_ms, found, live)


def _write(
    place: Profile,
    asked: list[Asked],
    configured: Configured,
    found: tuple[Finding, ...],
    now_ms: int,
    code: str,
) -> None:
    """For whoever arms the profile; raises ``OSError``."""
    key = next((part.key for part in asked if part.key is not None), None)
    wallet = next((part.wallet for part in asked if part.wallet is not None), None)
    mark = accounts_of(key, wallet).mark
    digest = configured.limits.digest()
    write_examination(place.doctor, Examination(now_ms, code, digest, mark, sentences(found)))


def _configuration(place: Profile) -> tuple[Configured | None, list[Finding]]:
    try:
        settings = load(place.config)
        limits = parse(settings.limits, lambda key: place_of(place.config, "limits", key))
    except (SettingsError, LimitsError) as error:
        return None, [block("configuration", str(error), "correct the file")]
    there = str(place.config) if place.config.exists() else "defaults, no config.toml"
    found = [ok("configuration", there)]
    if place.environment is Environment.PRODUCTION:
        found.append(questions.limits(unset(settings.limits)))
        if place.wallet.exists():
            found.append(wallet_questions.markets(settings.markets.polymarket, place))
    return Configured(settings, limits), found


def _machine(place: Profile, clock: Clock, terminal: Terminal) -> list[Finding]:
    path, problem, rows = machine.journal_chain(place)
    return [
        questions.terminal(terminal),
        questions.disk(free_mb(place.directory)),
        questions.file_system(file_system(place.directory)),
        questions.sync(machine.commits(place.directory, clock)),
        questions.sqlite(sqlite3.sqlite_version_info),
        questions.chain(path, problem, rows),
    ]


def _drill(place: Profile, now_ms: int, code: str) -> list[Finding]:
    if place.simulated:
        return []
    return [questions.drill(read_drill(place.drill), now_ms, code)]


def _models(place: Profile, settings: Settings, now_ms: int) -> list[Finding]:
    """Of a desk on real temperatures: what a simulated one knows of its world comes with the program."""
    world = World(environment=place.environment)
    series = [one for one in followed(settings, world) if station_of_series(one) is not None]
    if place.simulated or not series:
        return []
    found = coefficients.load(place, world)
    end = coefficients.ending(found.learned, series, now_ms) if found.learned is not None else None
    return [questions.weather_models(found, end, place)]


def _named(part: Asked, *, several: bool) -> list[Finding]:
    """With the venue at each finding where the profile has accounts at several."""
    return part.findings if not several else at(part.venue, part.findings)


def _keys(place: Profile) -> list[Finding]:
    return [] if place.simulated else [questions.key(state(place, role)) for role in Role]


# --- Kalshi ---------------------------------------------------------------------------------------


async def _kalshi(
    place: Profile, given: Configured, clock: Clock, rng: random.Random, transports: TransportFactory
) -> Asked | None:
    if not trades_kalshi(place):
        return None
    findings = _keys(place)
    try:
        site = site_of(place)
    except KeyFileError:
        unasked = block("venue", "not asked: it answers only to the trading key", "mend that first")
        return Asked(KALSHI.venue.short, [*findings, unasked])
    except (ReadyError, VenueAddressError) as error:
        return Asked(KALSHI.venue.short, [*findings, block("venue", str(error), "the venue was not asked")])
    answers = await ask(site, Clocks(clock, site.clock), rng, followed(given.settings, site), transports)
    findings += _venue(place, site, answers, given.limits, clock.wall_ms())
    return Asked(KALSHI.venue.short, findings, key=site.signer)


def _venue(place: Profile, site: Site, said: Answers, limits: Limits, now_ms: int) -> list[Finding]:
    world_ms = site.clock.at(now_ms)
    found = [
        questions.clock(said.clock_offset_ms),
        questions.venue(said.state, said.maintenance, world_ms),
        questions.rates(said.tier),
        questions.grant("trading key", site.key_id, site.subaccount, said.keys),
        questions.cash(said.cash, said.shards or (0,), limits.cash_reserve),
    ]
    if not place.simulated:
        found.append(questions.region(said.keys, now_ms))
        guard = state(place, Role.WATCHDOG)
        if not guard.problem:
            found.append(questions.grant("watchdog key", guard.key_id, guard.subaccount, said.keys))
            found.append(questions.reach(guard.subaccount, site.subaccount))
    return found


# --- Polymarket -----------------------------------------------------------------------------------


async def _polymarket(
    place: Profile, given: Configured, clock: Clock, rng: random.Random, transports: TransportFactory
) -> Asked | None:
    settings = given.settings.polymarket
    findings = _wallet(place, settings)
    try:
        site = wallet_of(place, settings)
    except (KeyFileError, ReadyError, VenueAddressError) as error:
        # A simulator that is not there is told once; a wallet's own finding has said what is wrong.
        if place.simulated:
            return None
        said = "not asked: it answers only to the wallet's API key" if findings else str(error)
        return Asked(POLYMARKET.venue.short, [*findings, block("venue", said, "mend that first")])
    if site is None:
        return None
    answers = await ask_wallet(site, Clocks(clock, clock_of(place)), rng, transports)
    ours = answers.funds[site.account.signature_type]
    findings += [
        wallet_questions.clock(answers.clock_offset_ms),
        wallet_questions.version(answers.version),
        wallet_questions.mode(answers.mode),
        wallet_questions.region(answers.geoblock),
        wallet_questions.api_key(answers.closed_only, place),
        wallet_questions.standing(answers.closed_only),
        *wallet_questions.maze(site.account, answers.funds),
        wallet_questions.cash(ours, given.limits.cash_reserve),
        *wallet_questions.allowances(ours),
        wallet_questions.heartbeat(settings),
    ]
    return Asked(POLYMARKET.venue.short, findings, wallet=site.account)


def _untraded(place: Profile) -> list[Finding]:
    """The venue a desk with real money leaves out, so that nobody takes it for covered."""
    if place.environment is not Environment.PRODUCTION:
        return []
    if not trades_kalshi(place):
        return [ok("trading key", "none was added: the desk trades on Polymarket alone")]
    if not place.wallet.exists():
        return [ok("wallet", "none was added: the desk trades at Kalshi alone")]
    return []


def _wallet(place: Profile, settings: PolymarketSettings) -> list[Finding]:
    if place.simulated or not place.wallet.exists():
        return []
    return [wallet_questions.wallet(wallet_state(place, settings))]


def _from_here_to_live(clock: Clock, code: str) -> tuple[str, ...]:
    """What can be said of the live profile without asking its venue."""
    live = paths.profile(LIVE)
    configured, found = _configuration(live)
    found += _drill(live, clock.wall_ms(), code)
    found += _keys(live) if trades_kalshi(live) else []
    found += _wallet(live, configured.settings.polymarket if configured is not None else PolymarketSettings())
    blocks = sentences(tuple(found))
    return (*blocks, f"the live profile itself was not examined here: run pmconsole doctor --profile {LIVE}")
