"""One examination of a profile: every question asked once, and what still stands against real money.

It places nothing, changes nothing at the venue and needs no engine; the engine may run beside it.
"""

from __future__ import annotations

import random
import sqlite3
from importlib.metadata import version

import msgspec

from core.config import paths
from core.config.drill import read_drill
from core.config.paths import Environment, Profile
from core.config.secrets import KeyFileError
from core.config.settings import Settings, SettingsError, load, place_of
from core.control.doctor import machine, questions
from core.control.doctor.findings import Finding, Report, block, ok, sentences
from core.control.doctor.probe import Answers, ask
from core.control.doctor.questions import Terminal
from core.control.examination import write_examination
from core.control.keys import Role, state
from core.control.ready import ReadyError
from core.control.site import Site, site_of
from core.domain.clock import Clock, Clocks
from core.engine.arming import Examination
from core.journal.device import file_system, free_mb
from core.risk.limits import DEFAULTS, Limits
from core.risk.limits_file import LimitsError, parse, unset
from core.venues.address import VenueAddressError
from core.venues.http import TransportFactory, network_transport

LIVE = "live"


class Configured(msgspec.Struct, frozen=True):
    settings: Settings
    limits: Limits


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
    findings += _keys(place)
    site, problem = _site(place)
    if site is None:
        findings.append(problem)
    else:
        series = configured.settings.markets.series if configured is not None else ()
        answers = await ask(site, Clocks(clock, site.clock), rng, series, transports)
        limits = configured.limits if configured is not None else DEFAULTS
        findings += _venue(place, site, answers, limits, now_ms)
    found = tuple(findings)
    if site is not None and configured is not None:
        _write(place, site, configured, found, now_ms, code)
    is_live = place.environment is Environment.PRODUCTION
    live = sentences(found) if is_live else _from_here_to_live(clock, code)
    return Report(place.name, place.environment.value, code, now_ms, found, live)


def _write(
    place: Profile, site: Site, configured: Configured, found: tuple[Finding, ...], now_ms: int, code: str
) -> None:
    """For whoever arms the profile; raises ``OSError``."""
    digest, key = configured.limits.digest(), site.signer.fingerprint
    write_examination(place.doctor, Examination(now_ms, code, digest, key, sentences(found)))


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


def _keys(place: Profile) -> list[Finding]:
    return [] if place.simulated else [questions.key(state(place, role)) for role in Role]


def _site(place: Profile) -> tuple[Site | None, Finding]:
    try:
        return site_of(place), ok("venue", "")
    except KeyFileError:
        return None, block("venue", "not asked: it answers only to the trading key", "mend that first")
    except (ReadyError, VenueAddressError) as error:
        return None, block("venue", str(error), "the venue was not asked")


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


def _from_here_to_live(clock: Clock, code: str) -> tuple[str, ...]:
    """What can be said of the live profile without asking its venue."""
    live = paths.profile(LIVE)
    _, found = _configuration(live)
    found += _drill(live, clock.wall_ms(), code)
    found += _keys(live)
    blocks = sentences(tuple(found))
    return (*blocks, f"the live profile itself was not examined here: run pmconsole doctor --profile {LIVE}")
