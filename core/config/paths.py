"""Where everything of a profile lives: one private directory, found the same way by every process.

``PMCONSOLE_HOME`` names the parent of all profiles; without it the platform's data directory does.
Importing this module costs nothing: the console and every CLI verb need it first.
"""

from __future__ import annotations

import enum
import os
import stat
from pathlib import Path

import msgspec


class Environment(enum.Enum):
    """Which exchange a profile trades at. A key belongs to exactly one of them."""

    SIM = "sim"
    """The simulator on this machine."""
    DEMO = "demo"
    """Kalshi's own demo exchange: real protocol, play money."""
    PRODUCTION = "production"


PROFILES = {
    "demo": Environment.SIM,
    "kalshi-demo": Environment.DEMO,
    "live": Environment.PRODUCTION,
}
"""What can be started, and where it trades. A name that is not here is refused, never created."""

DEFAULT_PROFILE = "demo"
"""The profile of a command that names none."""

SOCKET_PATH_BYTES_MAX = 100
"""Linux takes 107, macOS 103; a longer home gets a short path in the user's runtime directory."""


class ProfileError(Exception):
    """The profile cannot be used; the text is the sentence for the operator."""


class Profile(msgspec.Struct, frozen=True):
    """One profile's directory (0700) and the names inside it."""

    name: str
    directory: Path

    @property
    def environment(self) -> Environment:
        return PROFILES[self.name]

    @property
    def simulated(self) -> bool:
        """Whether the exchange is the simulator, started together with the desk."""
        return self.environment is Environment.SIM

    def command(self, verb: str = "") -> str:
        """What to type for this profile, such as ``pmconsole engine start --profile live``."""
        option = "" if self.name == DEFAULT_PROFILE else f"--profile {self.name}"
        return " ".join(filter(None, ("pmconsole", verb, option)))

    @property
    def config(self) -> Path:
        return self.directory / "config.toml"

    @property
    def themes(self) -> Path:
        """The operator's own colour themes; need not exist."""
        return self.directory / "themes"

    @property
    def screenshots(self) -> Path:
        """Pictures the operator took of the console."""
        return self.directory / "screenshots"

    @property
    def lock(self) -> Path:
        return self.directory / "engine.lock"

    @property
    def sim_ready(self) -> Path:
        """The simulator's ready line: addresses, keys, clock and world."""
        return self.directory / "sim.json"

    @property
    def sim_pid(self) -> Path:
        """Which process the ready line is from."""
        return self.directory / "sim.pid"

    @property
    def keys(self) -> Path:
        return self.directory / "keys"

    @property
    def trading_key(self) -> Path:
        """The engine's private key at a real exchange."""
        return self.keys / "trading.pem"

    @property
    def watchdog_key(self) -> Path:
        """The watchdog's own, so that one may be revoked without the other."""
        return self.keys / "watchdog.pem"

    @property
    def wallet_key(self) -> Path:
        """The Polymarket wallet's private key, which signs orders."""
        return self.keys / "wallet.key"

    @property
    def wallet(self) -> Path:
        """Which Polymarket wallet trades and how; no secret. Without it the profile has no such account."""
        return self.keys / "wallet.json"

    @property
    def api_credentials(self) -> Path:
        """The wallet's API key at Polymarket: all the watchdog gets of it."""
        return self.keys / "polymarket.json"

    @property
    def webhook(self) -> Path:
        """The address that alarms are posted to outside: a secret as a whole."""
        return self.keys / "webhook.url"

    @property
    def outside(self) -> Path:
        """What became of these posts."""
        return self.directory / "outside.json"

    def feed_key(self, source: str) -> Path:
        """A data provider's key, one word in a file of its own."""
        return self.keys / "feeds" / f"{source}.key"

    @property
    def recordings(self) -> Path:
        """What the data providers sent, as it came."""
        return self.directory / "recordings"

    @property
    def quotas(self) -> Path:
        """What is spent of the data providers' quotas."""
        return self.directory / "quotas.json"

    @property
    def memory(self) -> Path:
        """What sources noted for after a restart."""
        return self.directory / "notes.json"

    def training(self, world: str) -> Path:
        """Histories of the stations, a table each. A simulated world has its own past."""
        return self.directory / "training" / _file_name(world or "real")

    @property
    def training_lock(self) -> Path:
        return self.directory / "training.lock"

    @property
    def coefficients(self) -> Path:
        """What was fitted to them; the engine loads it."""
        return self.directory / "coefficients.json"

    @property
    def doctor(self) -> Path:
        """What the last examination found; arming asks for it."""
        return self.directory / "doctor.json"

    @property
    def drill(self) -> Path:
        """When the stop ladder was last drilled on this machine, and how it went: one for all profiles."""
        return self.directory.parent / "drill.json"

    @property
    def seen(self) -> Path:
        """What the operator saw of the desk last."""
        return self.directory / "seen.json"

    @property
    def watchlist(self) -> Path:
        """The markets that the operator marked to watch."""
        return self.directory / "watch.toml"

    @property
    def watchdog_lock(self) -> Path:
        return self.directory / "watchdog.lock"

    @property
    def watchdog_pid(self) -> Path:
        """Which process the front door started as watchdog."""
        return self.directory / "watchdog.pid"

    @property
    def watchdog_log(self) -> Path:
        return self.directory / "watchdog.log"

    @property
    def watchdog_record(self) -> Path:
        """What the watchdog did last; the next engine reads it at its start."""
        return self.directory / "watchdog.json"

    @property
    def engine_log(self) -> Path:
        return self.directory / "engine.log"

    @property
    def console_log(self) -> Path:
        """Why the last console that failed did."""
        return self.directory / "console.log"

    @property
    def sim_log(self) -> Path:
        return self.directory / "sim.log"

    @property
    def flatten_flag(self) -> Path:
        """Touching this file does what the stop key does."""
        return self.directory / "FLATTEN"

    @property
    def socket_note(self) -> Path:
        """Where the running engine listens, when that is not inside the directory."""
        return self.directory / "control.path"

    def journal(self, world: str) -> Path:
        """Each simulated world has its own journal, a real account its only one; older ones stay."""
        return self.directory / f"journal-{_file_name(world or self.environment.value)}.db"

    def journals(self) -> tuple[Path, ...]:
        """Every journal of the profile, newest first."""
        found = self.directory.glob("journal-*.db")
        return tuple(sorted(found, key=lambda path: path.stat().st_mtime, reverse=True))


def home() -> Path:
    """``PMCONSOLE_HOME``, else the platform's data directory; raises ``ProfileError`` for no such user."""
    chosen = os.environ.get("PMCONSOLE_HOME")
    if chosen:
        try:
            return Path(chosen).expanduser().absolute()
        except RuntimeError:
            raise ProfileError(f"PMCONSOLE_HOME {chosen[:80]!r} names no home: write the full path") from None
    from platformdirs import user_data_path

    return user_data_path("pmconsole", appauthor=False)


def profile(name: str) -> Profile:
    """The named profile's places; nothing is created. Raises ``ProfileError``."""
    if name not in PROFILES:
        known = ", ".join(PROFILES)
        raise ProfileError(f"profile {name[:40]!r} does not exist: use one of {known}")
    return Profile(name, home() / name)


def prepare(place: Profile) -> None:
    """Create the private directories, 0700 from birth; raises ``ProfileError``."""
    for directory in (place.directory, place.keys):
        make_private(directory)


def make_private(directory: Path) -> None:
    """Create a directory only its owner can enter, or prove that it is one; raises ``ProfileError``."""
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        directory.mkdir(mode=0o700, exist_ok=True)
        found = directory.lstat()
        if not stat.S_ISDIR(found.st_mode):
            raise ProfileError(f"{directory} is not a directory: move it away or set PMCONSOLE_HOME")
        if found.st_uid != os.getuid():
            raise ProfileError(f"{directory} belongs to uid {found.st_uid}: set PMCONSOLE_HOME to your own")
        if stat.S_IMODE(found.st_mode) & 0o077:
            directory.chmod(0o700)
    except OSError as error:
        raise ProfileError(
            f"cannot use {directory}: {error.strerror}; set PMCONSOLE_HOME to a directory you can write"
        ) from error


def socket_path(place: Profile) -> Path:
    """Where the engine of this profile listens or would listen.

    A path too long for a socket address moves to the runtime directory. The engine writes that
    place down, because a later login may have another runtime directory.
    """
    try:
        noted = place.socket_note.read_text().strip()
    except (OSError, UnicodeDecodeError):
        noted = ""
    return Path(noted) if noted else chosen_socket(place)


def chosen_socket(place: Profile) -> Path:
    """The path an engine started now would choose."""
    return _socket(place, "control")


def watchdog_socket(place: Profile) -> Path:
    """Where the watchdog of this profile listens. Both ends are started from the same environment."""
    return _socket(place, "watchdog")


def _socket(place: Profile, name: str) -> Path:
    plain = place.directory / f"{name}.sock"
    if len(os.fsencode(plain)) <= SOCKET_PATH_BYTES_MAX:
        return plain
    import hashlib  # and with it the whole of OpenSSL, for the few whose home is long

    digest = hashlib.sha256(os.fsencode(place.directory)).hexdigest()[:12]
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    folder = (
        Path(runtime) / "pmconsole"
        if runtime and len(os.fsencode(runtime)) <= SOCKET_PATH_BYTES_MAX - 32
        else Path("/tmp") / f"pmconsole-{os.getuid()}"  # the one place that is short everywhere
    )
    return folder / f"{digest}{'' if name == 'control' else f'-{name}'}.sock"


def _file_name(world: str) -> str:
    """A world id comes from another process: keep what is safe in a file name."""
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in world[:64])
    return kept or "unnamed"
