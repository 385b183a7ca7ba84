"""``config.toml`` to one frozen struct, complete without a file, strict with one.

A key that is not in the structs below, or a value of another type, is one error that names file,
line, key and the nearest valid name. Floats are read as ``Decimal``, so an amount of money never
passes through binary. The tables ``limits`` and ``keys`` are handed on as they stand:
``risk/limits_file.py`` and ``tui/keymap.py`` know their names and check them the same way.
"""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any, get_type_hints
from urllib.parse import urlsplit

import msgspec

from core.config.toml import TomlError, read_toml

_SIZE_MAX = 256 * 1024
_SERIES = re.compile(r"[A-Z0-9]{2,40}", re.ASCII)
_KEY = re.compile(r"\s*(?:0x)?[0-9a-fA-F]{64}\s*", re.ASCII)
_PATH = re.compile(r"(?:/[a-z0-9_-]{1,40}){1,5}", re.ASCII)
_TICKER = re.compile(r"[A-Za-z0-9.-]{2,200}", re.ASCII)
_FOLLOWED = re.compile(r"tag:[a-z0-9-]{1,80}|series:[0-9]{1,12}|[a-z0-9][a-z0-9-]{1,199}", re.ASCII)
_URL = re.compile(
    r"(?:https?|wss?)://(?=[^/?]{1,100}(?:[/?]|$))"
    r"(?:[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\.?|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?"
    r"(?:[/?][!\"$-~]{0,300})?",
    re.ASCII,
)
"""Nobody stands before the host: what is secret in an address is behind it."""
_LIKE_A_KEY = re.compile(r"(?=[^0-9]*[0-9])[A-Za-z0-9_-]{20,}", re.ASCII)
"""A long word with a digit in it and nothing that a file's name has."""
_FOLLOW = re.compile(r"[A-Za-z0-9^=./_ -]{1,40}", re.ASCII)
_TIME = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]", re.ASCII)
_STATION = re.compile(r"[A-Z]{4}", re.ASCII)


class SettingsError(Exception):
    """The file cannot be used; the text names the place and the remedy."""


def _within(name: str, value: Decimal | int, low: int, high: int) -> None:
    if not Decimal(value).is_finite() or not low <= value <= high:
        raise ValueError(f"{name} must be between {low} and {high}, not {value}")


def _is_address(url: str) -> bool:
    """Whether something can be asked there: with a port that exists, in brackets an address of version 6."""
    try:
        return _URL.fullmatch(url) is not None and urlsplit(url).port != 0
    except ValueError:
        return False


class EngineSettings(msgspec.Struct, frozen=True):
    """How the desk behaves around its orders."""

    exits_without_approval: bool = False
    """Semi-automatic mode: whether exits leave without a card."""
    confirm_above: Decimal = Decimal("25")
    """Dollars of cost above which a card asks for the outcome's letter."""
    unattended_max_s: int = 900
    """Automatic mode goes on this long without a console, then only reduces."""
    flatten_countdown_s: int = 5
    flatten_on_day_loss: bool = False
    """Whether reaching the day's loss limit also sells everything."""
    watchdog_silent_s: int = 10
    """Seconds without a sign of life after which the watchdog cancels everything."""

    def __post_init__(self) -> None:
        _within("confirm_above", self.confirm_above, 0, 1_000_000)
        _within("unattended_max_s", self.unattended_max_s, 0, 86_400)
        _within("flatten_countdown_s", self.flatten_countdown_s, 0, 60)
        _within("watchdog_silent_s", self.watchdog_silent_s, 3, 60)


DAILY_HIGHS = ("KXHIGHNY", "KXHIGHCHI", "KXHIGHMIA", "KXHIGHAUS", "KXHIGHDEN")


class MarketSettings(msgspec.Struct, frozen=True):
    """What the desk looks at."""

    series: tuple[str, ...] = ()
    """Kalshi's series; each one's settlement station decides which forecasts are read. Empty: the five
    ``DAILY_HIGHS``, and in the demo all that the simulator lists."""
    polymarket: tuple[str, ...] = ()
    """What is followed on Polymarket: ``tag:`` and a slug, ``series:`` and an id, or an event's slug.
    Empty: nothing, and in the demo all that the simulator lists."""
    deny: tuple[str, ...] = ()
    """Series, events or markets by ticker in which nothing is opened."""
    confirmed: tuple[str, ...] = ()
    """Series whose settlement source you have read in the rules yourself, where no table knows it for sure:
    without that they are priced and not traded."""

    def __post_init__(self) -> None:
        if len(self.confirmed) > 100 or not all(_SERIES.fullmatch(name) for name in self.confirmed):
            raise ValueError("confirmed must be up to 100 series such as 'KXBTC15M'")
        if len(self.series) > 100 or not all(_SERIES.fullmatch(name) for name in self.series):
            raise ValueError("series must be up to 100 names such as 'KXHIGHNY'")
        if len(self.polymarket) > 100 or not all(_FOLLOWED.fullmatch(word) for word in self.polymarket):
            raise ValueError(
                "polymarket must be up to 100 of 'tag:weather', 'series:10192' or an event's slug, such as "
                "'highest-temperature-in-miami-on-november-23-2026'"
            )
        if len(self.deny) > 1_000 or not all(_TICKER.fullmatch(name) for name in self.deny):
            raise ValueError("deny must be names such as 'KXHIGHNY' or 'KXHIGHNY-26NOV23-B48.5'")


WEATHER_MODELS = ("default", "emos-t", "emos", "rolling", "article-normal")


class StrategySettings(msgspec.Struct, frozen=True):
    """What the strategy asks of a trade."""

    model: str = "default"
    """Of the weather: ``default``, ``emos-t``, ``emos``, ``rolling`` or ``article-normal``."""
    maker_entries: bool = True
    taker_entries: bool = False
    arbitrage: bool = False
    """Whether markets are searched for sets of orders that pay more than they cost whatever happens. Their
    orders take. A person decides on each set, in automatic mode too."""
    min_edge: Decimal = Decimal("0.02")
    """Net edge per contract below which nothing is proposed, dollars."""
    kelly_fraction: Decimal = Decimal("0.25")
    depth_share: Decimal = Decimal("0.25")
    """Largest share of the visible depth one order takes or joins."""
    leave_before_close_min: int = 0
    """Positions are sold from so many minutes of the world before their market closes on; 0: they are held
    to settlement."""

    def __post_init__(self) -> None:
        if self.model not in WEATHER_MODELS:
            raise ValueError(f"model is {self.model!r}: use one of {', '.join(map(repr, WEATHER_MODELS))}")
        _within("min_edge", self.min_edge, 0, 1)
        _within("kelly_fraction", self.kelly_fraction, 0, 1)
        _within("depth_share", self.depth_share, 0, 1)
        _within("leave_before_close_min", self.leave_before_close_min, 0, 1440)


class SourceSettings(msgspec.Struct, frozen=True):
    """One source, ``[feeds.NAME]``: what differs from what its module declares."""

    on: bool | None = None
    """Unset: as the source's declaration and the profile have it."""
    every_s: int = 0
    """World seconds between two questions; 0: as declared."""
    urls: tuple[str, ...] = ()
    """Addresses in the place of the declared ones, in their order."""
    follows: tuple[str, ...] = ()
    """What it is to tell of, by the desk's names, such as ``EUR/USD``."""
    key: str = "file"
    """Where the provider's key is: ``file``, ``env`` or ``keyring``."""
    key_file: str = ""
    """Empty: ``keys/feeds/NAME.key`` of the profile."""

    def __post_init__(self) -> None:
        if self.every_s:
            _within("every_s", self.every_s, 1, 7 * 86_400)
        if self.key not in ("file", "env", "keyring"):
            raise ValueError("key must be 'file', 'env' or 'keyring': where the key is, never the key itself")
        if _LIKE_A_KEY.fullmatch(self.key_file):
            raise ValueError("key_file must name a file, it looks like the key itself: move it into one")
        if len(self.urls) > 8 or not all(map(_is_address, self.urls)):
            raise ValueError("urls must be up to 8 addresses such as 'https://example.com'")
        if len(self.follows) > 100 or not all(_FOLLOW.fullmatch(name) for name in self.follows):
            raise ValueError("follows must be up to 100 names such as 'EUR/USD'")


class FeedSettings(msgspec.Struct, frozen=True):
    """How the sources are asked. The weather service wants a name it can write to."""

    user_agent: str = "pmconsole (contact: set feeds.user_agent in config.toml)"
    stations: tuple[str, ...] = ()
    """Settlement stations by ICAO code whose forecasts are read besides those of ``markets.series``."""
    record: bool = True
    """Whether what the sources send is kept in files, for replay."""
    record_mb: int = 256
    """Space of these files together, megabytes; the oldest go."""
    sources: dict[str, SourceSettings] = {}
    """The tables ``[feeds.NAME]``; ``core/control/sources.py`` knows the names."""

    def __post_init__(self) -> None:
        _within("record_mb", self.record_mb, 8, 1_000_000)
        if not self.user_agent.isprintable() or not 0 < len(self.user_agent) <= 200:
            raise ValueError("user_agent must be 1 to 200 printable characters")
        if len(self.stations) > 40 or not all(_STATION.fullmatch(icao) for icao in self.stations):
            raise ValueError("stations must be up to 40 codes such as 'KATL'")


class ReleaseSettings(msgspec.Struct, frozen=True):
    """What the economic calendar means for entries."""

    before_s: int = 60
    """World seconds before a release from which nothing is opened where it moves prices."""
    after_s: int = 120
    affects: tuple[str, ...] = ()
    """Kinds of releases by series, event or market, such as ``KXINX: CPI FOMC``, in the place of what ships;
    ``core/risk/releases.py`` knows the kinds."""

    def __post_init__(self) -> None:
        _within("before_s", self.before_s, 0, 86_400)
        _within("after_s", self.after_s, 0, 86_400)
        if len(self.affects) > 1_000:
            raise ValueError("affects must be up to 1000 entries such as 'KXINX: CPI FOMC'")


_FEED_KEYS = ("stations", "user_agent", "record", "record_mb")


class ConsoleSettings(msgspec.Struct, frozen=True):
    """How the console looks and how much it sends to the terminal."""

    theme: str = "dark"
    """One of those that come with the console, or a file in the profile's folder ``themes/``."""
    swap_up_down: bool = False
    """Draw what rises as others draw what falls, as it is usual in East Asia."""
    low_bandwidth: bool = False
    repaint_hz: int = 4
    mouse: bool = False
    bell: str = "act"
    """When the terminal's bell rings: ``act`` for what somebody must act on, ``card`` also for the first
    proposal after a quiet time, or ``off``."""

    def __post_init__(self) -> None:
        _within("repaint_hz", self.repaint_hz, 1, 10)
        if self.bell not in ("act", "card", "off"):
            raise ValueError(f"bell is {self.bell[:40]!r}: use 'act', 'card' or 'off'")


class AlarmSettings(msgspec.Struct, frozen=True):
    """Who is called where no console is open: what must be acted on is posted to one address."""

    webhook: str = "off"
    """Where that address is: ``file``, ``env`` or ``keyring``; ``off``: nobody is called."""
    webhook_file: str = ""
    """Empty: ``keys/webhook.url`` of the profile."""
    again_min: int = 15
    """What nobody has seen is said again so many minutes later, and so on."""
    alive_at: str = "08:00"
    """UTC. At that time of each day a message says that the desk is there: who misses it looks."""

    def __post_init__(self) -> None:
        # The address may have been pasted into the wrong place: neither text is quoted.
        if self.webhook not in ("off", "file", "env", "keyring"):
            raise ValueError(
                "webhook must be 'off', 'file', 'env' or 'keyring': where the address is, never the address"
            )
        if "://" in self.webhook_file:
            raise ValueError("webhook_file must name a file, it looks like the address: move it into one")
        _within("again_min", self.again_min, 1, 1_440)
        if not _TIME.fullmatch(self.alive_at):
            raise ValueError(f"alive_at is {self.alive_at[:20]!r}: write a UTC time of day such as '08:00'")


class PolymarketSettings(msgspec.Struct, frozen=True):
    """Where the Polymarket wallet's key is, who signs with it, and how the venue is reached.

    Which wallet it is, ``pmconsole key add-wallet`` writes down.
    """

    signer: str = "own"
    """``own``, or ``sdk`` for the vendor's package (extra ``sdk``)."""
    chain_id: int = 137
    key: str = "file"
    """Where the wallet's private key is: ``file``, ``env`` or ``keyring``."""
    key_file: str = ""
    """Empty: ``keys/wallet.key`` of the profile."""
    heartbeat_path: str = "/v1/heartbeats"
    """The dead-man switch's call, which the venue has announced to change."""
    assets_per_socket: int = 200
    """Most outcomes one market socket subscribes to."""
    clob: str = ""
    """Addresses of the venue's servers; empty: the venue's own."""
    gamma: str = ""
    data: str = ""
    site: str = ""
    ws_market: str = ""
    ws_user: str = ""

    def __post_init__(self) -> None:
        _within("assets_per_socket", self.assets_per_socket, 1, 500)
        # A private key may have been pasted into the wrong place: none of these texts is quoted.
        if self.key not in ("file", "env", "keyring"):
            raise ValueError("key must be 'file', 'env' or 'keyring': where the key is, never the key itself")
        if _KEY.fullmatch(self.key_file):
            raise ValueError("key_file must name a file, it looks like the key itself: move it into one")
        if self.signer not in ("own", "sdk"):
            raise ValueError(f"signer is {self.signer[:40]!r}: use 'own' or 'sdk'")
        if self.chain_id != 137:
            raise ValueError(f"chain_id is {self.chain_id}: orders are only signed for Polygon, 137")
        if not _PATH.fullmatch(self.heartbeat_path):
            raise ValueError("heartbeat_path must be a path such as '/v1/heartbeats'")


class Settings(msgspec.Struct, frozen=True):
    """Everything an operator may set in ``config.toml``."""

    engine: EngineSettings = EngineSettings()
    markets: MarketSettings = MarketSettings()
    strategy: StrategySettings = StrategySettings()
    feeds: FeedSettings = FeedSettings()
    releases: ReleaseSettings = ReleaseSettings()
    console: ConsoleSettings = ConsoleSettings()
    alarms: AlarmSettings = AlarmSettings()
    polymarket: PolymarketSettings = PolymarketSettings()
    keys: dict[str, Any] = {}
    """Keys by action, unread: ``tui/keymap.py`` checks them."""
    limits: dict[str, Any] = {}
    """Ceilings by name, unread: ``risk/limits_file.py`` checks names, units and ranges."""


def load(path: Path) -> Settings:
    """Read the file, or the defaults when there is none; raises ``SettingsError``."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return Settings()
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror}): correct its permissions") from error
    if len(raw) > _SIZE_MAX:
        raise SettingsError(f"{path}: {len(raw)} bytes is no configuration (limit {_SIZE_MAX})")
    try:
        return parse(raw.decode(), str(path))
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise SettingsError(f"{path}:{line}: not UTF-8 text: save the file as UTF-8") from error


def parse(text: str, source: str) -> Settings:
    """Validated settings from TOML text; ``source`` names it in errors. Raises ``SettingsError``."""
    try:
        tables = read_toml(text, _decimal)
    except TomlError as error:
        raise SettingsError(f"{source}: {error}") from error
    sections = get_type_hints(Settings)
    values: dict[str, Any] = {}
    for name, table in tables.items():
        if name not in sections:
            raise _unknown(source, text, "", name, sections)
        if not isinstance(table, dict):
            raise _at(source, text, "", name, f"{name} is a table: write [{name}] and its keys below it")
        if name == "feeds":
            table = _with_sources(source, text, table)
        values[name] = (
            table if name in ("limits", "keys") else _section(source, text, name, table, sections[name])
        )
    return Settings(**values)


def _with_sources(source: str, text: str, table: dict[str, Any]) -> dict[str, Any]:
    """The feeds' own keys, and their tables read under ``sources``."""
    tables = {name: inner for name, inner in table.items() if isinstance(inner, dict)}
    own = {name: value for name, value in table.items() if name not in tables}
    if "sources" in own or "sources" in tables:
        raise _unknown(source, text, "feeds", "sources", dict.fromkeys(_FEED_KEYS))
    sources = {
        name: _section(source, text, f"feeds.{name}", inner, SourceSettings) for name, inner in tables.items()
    }
    return own | ({"sources": sources} if sources else {})


def place_of(path: Path, section: str, key: str) -> str:
    """File and line of a key, for the messages of whoever checks its value; the file alone without it."""
    try:
        line = line_of(path.read_text("utf-8", "replace"), section, key)
    except OSError:  # gone since it was loaded
        line = None
    return f"{path}:{line}" if line else str(path)


def line_of(text: str, section: str, key: str) -> int | None:
    """Line at which TOML text sets a key, or opens the section of an empty key; best effort."""
    current = ""
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[\s*([^\[\]]+?)\s*\]", line)
        if header:
            current = header.group(1)
            if key == current and not section:
                return number
        name = re.match(r"""\s*["']?([A-Za-z0-9_.-]+)["']?\s*=""", line)
        if name and f"{current}.{name.group(1)}".strip(".") == f"{section}.{key}".strip("."):
            return number
    return None


def _section(source: str, text: str, name: str, table: dict[str, Any], kind: type) -> msgspec.Struct:
    fields = get_type_hints(kind)
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in fields:
            raise _unknown(source, text, name, key, fields)
        try:
            values[key] = msgspec.convert(value, fields[key])
        except msgspec.ValidationError:
            private = (name, key) in _MAY_BE_SECRET or (
                name.startswith("feeds.") and key in ("key", "key_file", "urls")
            )
            shown = "" if private else f", not {value!r}"
            raise _at(
                source, text, name, key, f"{name}.{key} must be {_WANTED[fields[key]]}{shown}"
            ) from None
    try:
        struct: msgspec.Struct = kind(**values)
    except ValueError as error:
        key = str(error).split(" ", 1)[0]
        raise _at(source, text, name, key, f"{name}.{error}") from error
    return struct


_MAY_BE_SECRET = {
    ("polymarket", "key"),
    ("polymarket", "key_file"),
    ("alarms", "webhook"),
    ("alarms", "webhook_file"),
}
"""Where a private key may have been pasted, or an address that is a secret: TOML reads 0x and digits as a
number. So may a node's address hold one, with the brackets around it forgotten."""
_WANTED = {
    bool: "true or false",
    bool | None: "true or false",
    dict[str, SourceSettings]: "tables such as [feeds.yahoo]",
    int: "a whole number",
    Decimal: "a number",
    str: "a text in quotes",
    tuple[str, ...]: "a list of texts in quotes",
}


def _unknown(source: str, text: str, section: str, key: str, known: dict[str, Any]) -> SettingsError:
    import difflib  # nothing that starts needs it but who wrote a wrong key

    near = difflib.get_close_matches(key, known, n=1)
    remedy = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
    where = f" in [{section}]" if section else ""
    return _at(source, text, section, key, f"unknown key {key[:60]!r}{where}: {remedy}")


def _at(source: str, text: str, section: str, key: str, sentence: str) -> SettingsError:
    line = line_of(text, section, key)
    return SettingsError(f"{source}:{line}: {sentence}" if line else f"{source}: {sentence}")


def _decimal(text: str) -> Decimal:
    return Decimal(text.replace("_", ""))
