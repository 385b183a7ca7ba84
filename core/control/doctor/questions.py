"""The questions of an examination: each a plain function from what was read to one finding.

``Incomplete`` is an answer too: what could not be read is never taken for fine.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from core.config.drill import Drill
from core.config.paths import Profile
from core.control.coefficients import Ending, Loaded, renewal
from core.control.doctor.findings import Finding, block, ok, warn
from core.control.keys import KeyState
from core.control.outside.record import Record
from core.control.outside.webhook import Webhook
from core.domain.units import Money, money_text
from core.journal.device import COMMIT_US_MAX, NETWORK, VOLATILE, Commits, has_reset_race
from core.venues.exchange import Cash, ExchangeState, Maintenance
from core.venues.kalshi.standing import Keys, Tier
from core.venues.venue import Incomplete

CLOCK_WARN_MS, CLOCK_MAX_MS = 250, 500
DISK_WARN_MB, DISK_MIN_MB = 2_048, 512
DRILL_WARN_MS, DRILL_MAX_MS = 7 * 86_400_000, 30 * 86_400_000
REGION_WARN_MS = 7 * 86_400_000
MAINTENANCE_WARN_MS = 3_600_000
ALIVE_LATE_MS = 26 * 3_600_000
"""One message a day arrives where all is well."""
NEEDED_SCOPE, SPARE_SCOPES = "write::trade", frozenset({"write", "write::transfer"})


class Terminal(msgspec.Struct, frozen=True):
    """The terminal the operator sits at; ``None`` sizes: none."""

    name: str
    columns: int | None
    rows: int | None
    utf8: bool
    colors: int


# --- this machine -------------------------------------------------------------------------------


def clock(offset_ms: int | None) -> Finding:
    if offset_ms is None:
        return block("clock", "the offset to the venue's clock is not known", "reach the venue and run again")
    said = f"{offset_ms:+d} ms from the venue's clock"
    if abs(offset_ms) > CLOCK_MAX_MS:
        return block("clock", said, f"let NTP set it: entries stop above {CLOCK_MAX_MS} ms")
    if abs(offset_ms) > CLOCK_WARN_MS:
        return warn("clock", said, "check NTP before it drifts further")
    return ok("clock", said)


def sync(commits: Commits | None) -> Finding:
    """Commits with a durable sync on the journal's own disk."""
    if commits is None:
        return block("journal", "no commit could be timed", "check the profile's directory")
    if commits.slow:
        limit = COMMIT_US_MAX // 1000
        return block(
            "journal", commits.text(), f"move the profile to a faster disk: p99 must be under {limit} ms"
        )
    if commits.unsynced:
        remedy = "too fast to be a real sync: check that the disk honours it"
        return warn("journal", commits.text(), remedy)
    return ok("journal", commits.text())


def file_system(kind: str) -> Finding:
    """What the profile's directory lies on."""
    said = kind or "not known on this machine"
    if kind in NETWORK:
        return block("file system", said, "move the profile to a local disk: a journal breaks on this")
    if kind in VOLATILE:
        return warn("file system", said, "it lies in memory: a power cut loses the journal")
    return ok("file system", said)


def sqlite(version: tuple[int, int, int]) -> Finding:
    said = f"SQLite {'.'.join(map(str, version))}"
    if has_reset_race(version):
        return warn("sqlite", said, "safe with one writer; 3.51.3 also closes its WAL-reset race")
    return ok("sqlite", said)


def chain(path: str, problem: str, rows: int) -> Finding:
    """The journal that is there already."""
    if problem:
        return block("journal chain", problem, f"keep {path} and see pmconsole journal verify")
    return ok("journal chain", f"{rows} rows hold together" if rows else "no journal yet")


def disk(free_mb: int | None) -> Finding:
    if free_mb is None:
        return block("disk", "free space is not known", "check the profile's directory")
    said = f"{free_mb} MB free"
    if free_mb < DISK_MIN_MB:
        return block("disk", said, f"make room: entries stop under {DISK_MIN_MB} MB")
    return warn("disk", said, "make room soon") if free_mb < DISK_WARN_MB else ok("disk", said)


def terminal(found: Terminal) -> Finding:
    if found.columns is None or found.rows is None:
        return warn("terminal", "none: run from a script", "look at the console once before trading with it")
    said = f"{found.name or 'no TERM'} {found.columns}x{found.rows}, {found.colors} colours"
    if found.columns < 80 or found.rows < 24:
        return warn("terminal", said, "the console wants 80x24 or more")
    if not found.utf8:
        return warn("terminal", f"{said}, no UTF-8", "set a UTF-8 locale, such as LANG=C.UTF-8")
    return ok("terminal", said)


def drill(found: Drill | None, now_ms: int, code_version: str) -> Finding:
    again = "run pmconsole drill"
    if found is None:
        return block("drill", "the stop ladder was never drilled here", again)
    day = datetime.fromtimestamp(found.at_ms / 1000, UTC).date().isoformat()
    if not found.passed:
        return block("drill", f"failed on {day}: {found.said}", f"mend it, then {again}")
    age = now_ms - found.at_ms
    if found.code_version != code_version or not 0 <= age <= DRILL_MAX_MS:
        return block("drill", f"passed on {day} with {found.code_version}", f"{again} with this program")
    return (
        warn("drill", f"passed on {day}", again) if age > DRILL_WARN_MS else ok("drill", f"passed on {day}")
    )


def weather_models(found: Loaded, end: Ending | None, place: Profile) -> Finding:
    """``end``: what is about to end of the coefficients, or has."""
    if found.learned is None:
        said = found.fault.removesuffix(".") or "nothing is fitted yet: weather markets have no price"
        return warn("weather models", said, renewal(place))
    if end is not None:
        return warn("weather models", str(end), renewal(place))
    held = found.learned.held
    return ok("weather models", f"coefficients {found.learned.mark}, fitted {held.fitted_at}")


def watchdog(unfit: str | None, place: Profile) -> Finding:
    """``None``: no watchdog answers; else why it could not cancel now, empty when it could."""
    if unfit is None:
        starts = f"start it: {place.command('engine units')}, or {place.command('watchdog run')}"
        return warn("watchdog", "none answers", starts)
    if unfit:
        said = f"it could not cancel now: {unfit}"
        return warn("watchdog", said, f"see {place.command('watchdog status')}")
    return ok("watchdog", "runs and could cancel")


def outside(webhook: Webhook | None, unusable: str, record: Record, now_ms: int, place: Profile) -> Finding:
    """Whether somebody is told who looks at no console; ``unusable``: why not, where somebody should be."""
    check, test = "outside", place.command("alarms test")
    if unusable:
        said, _, remedy = unusable.rpartition(": ")
        return warn(check, f"nobody is told: {said}", remedy)
    if webhook is None:
        said = "nobody is told who looks at no console: alarms.webhook is off"
        remedy = "set it in config.toml to where the receiver's address is"
        return ok(check, said) if place.simulated else warn(check, said, remedy)
    if record.worked_ms is None:
        return warn(check, f"no message ever arrived{_colon(record.fault)}", f"run {test}")
    last = datetime.fromtimestamp(record.worked_ms / 1000, UTC).strftime("%Y-%m-%d %H:%MZ")
    if record.fault or now_ms - record.worked_ms > ALIVE_LATE_MS:
        return warn(check, f"the last message arrived {last}{_colon(record.fault)}", f"run {test}")
    return ok(check, f"the last message arrived {last}")


def _colon(why: str) -> str:
    return f": {why}" if why else ""


# --- keys and limits ----------------------------------------------------------------------------


def key(found: KeyState) -> Finding:
    name = f"{found.role.value} key"
    if found.problem:
        said, _, remedy = found.problem.rpartition(": ")
        return block(name, said, remedy)
    return ok(name, f"{found.key_id}, fingerprint {found.fingerprint[:16]}")


def grant(name: str, key_id: str, subaccount: int, found: Keys | Incomplete) -> Finding:
    """What the venue says the key may do: it has to trade, and needs nothing beyond."""
    check = f"{name} permissions"
    if isinstance(found, Incomplete):
        return not_read(check, found)
    granted = found.grants.get(key_id)
    if granted is None:
        return block(check, "the venue does not list this key", "add a key of this account")
    scopes = set(granted.scopes)
    said = ", ".join(sorted(scopes)) or "none"
    if granted.subaccount is not None:
        said += f", subaccount {granted.subaccount} only"
        if granted.subaccount != subaccount:
            again = f"add it again with pmconsole key add --subaccount {granted.subaccount}"
            return block(check, f"{said}, but it was added for subaccount {subaccount}", again)
    if not scopes & {NEEDED_SCOPE, "write"} or not any(s.partition("::")[0] == "read" for s in scopes):
        return block(check, said, f"make a key with the scopes read and {NEEDED_SCOPE}")
    spare = scopes & SPARE_SCOPES
    if spare:
        return warn(check, said, f"it may do more than trade ({', '.join(sorted(spare))}): make a lesser key")
    return ok(check, said)


def reach(guards: int, trades: int) -> Finding:
    """Whether the watchdog cancels where the engine trades."""
    check, said = "watchdog reach", f"it cancels on subaccount {guards}, the engine trades on {trades}"
    if guards != trades:
        return block(
            check, said, f"add its key again with pmconsole key add --watchdog --subaccount {trades}"
        )
    return ok(check, said)


def limits(missing: Sequence[str]) -> Finding:
    """Money limits of a desk with real money are the operator's own words, never a default."""
    if missing:
        return block("limits", f"not set: {', '.join(missing)}", "write them into [limits] of config.toml")
    return ok("limits", "every money limit is set")


# --- the venue ----------------------------------------------------------------------------------


def not_read(check: str, found: Incomplete) -> Finding:
    """What was asked and not answered."""
    return block(check, f"not read: {found.reason}", "run again once the venue answers")


def rates(found: Tier | Incomplete) -> Finding:
    if isinstance(found, Incomplete):
        return not_read("rate limits", found)
    said = f"tier {found.name}, {found.writes_per_s:g} write tokens a second, {found.write_burst:g} at once"
    return ok("rate limits", said)


def region(found: Keys | Incomplete, now_ms: int) -> Finding:
    """Sports, elections and entertainment need a location attestation (Kalshi API: list API keys)."""
    again = "attest your location on the venue's page: some categories are refused without"
    if isinstance(found, Incomplete):
        return not_read("region", found)
    if found.region_until_ms is None:
        return warn("region", "never attested", again)
    until = datetime.fromtimestamp(found.region_until_ms / 1000, UTC).strftime("%Y-%m-%d %H:%MZ")
    if found.region_until_ms <= now_ms:
        return warn("region", f"lapsed on {until}", again)
    if found.region_until_ms - now_ms < REGION_WARN_MS:
        return warn("region", f"attested until {until}", "attest again before it lapses")
    return ok("region", f"attested until {until}")


def cash(found: Cash | Incomplete, shards: Sequence[int], reserve: Money) -> Finding:
    """Orders see only what lies on their market's shard."""
    if isinstance(found, Incomplete):
        return not_read("cash", found)
    parts = ", ".join(f"shard {shard} {money_text(found.on(shard))}" for shard in shards)
    said = f"{money_text(found.total)} in all; {parts}"
    empty = [shard for shard in shards if found.on(shard) <= reserve]
    if len(empty) == len(shards):
        return block("cash", said, f"fund it: no more than the reserve of {money_text(reserve)} is there")
    if empty:
        named = ", ".join(map(str, empty))
        return warn("cash", said, f"orders on shard {named} will be refused: move money there")
    return ok("cash", said)


def venue(found: ExchangeState | Incomplete, windows: Sequence[Maintenance], now_ms: int) -> Finding:
    if isinstance(found, Incomplete):
        return not_read("venue", found)
    said_more = found.mode or found.resumes
    if not found.exchange_active:
        return block("venue", f"the exchange is down {said_more}".rstrip(), "wait until it is back")
    if not found.trading_active:
        return block("venue", f"trading is paused {said_more}".rstrip(), "wait until it goes on")
    coming = [w for w in windows if w.start_ms - MAINTENANCE_WARN_MS <= now_ms < w.end_ms]
    if coming:
        begins = datetime.fromtimestamp(coming[0].start_ms / 1000, UTC).strftime("%H:%MZ")
        return warn("venue", f"trades; maintenance at {begins}", "entries stop a minute before")
    return ok("venue", "trades")
