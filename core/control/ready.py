"""The simulator's ready line: where it is, with which keys, by which clock, and which world it plays."""

from __future__ import annotations

from pathlib import Path

import msgspec

from core.domain.clock import WorldClock

_SIZE_MAX = 64 * 1024


class ReadyError(Exception):
    """There is no usable ready line; the text says what to do."""


class KeyReady(msgspec.Struct, frozen=True):
    key_id: str
    private_key_path: str


class KalshiReady(msgspec.Struct, frozen=True):
    rest: str
    ws: str
    key_id: str
    private_key_path: str
    watchdog: KeyReady
    """A second key of the same account, for whoever only cancels."""


class PolymarketReady(msgspec.Struct, frozen=True):
    clob: str
    gamma: str
    data: str
    ws_market: str
    ws_user: str
    geoblock: str
    chain_id: int
    address: str
    """Of the wallet's key."""
    private_key_path: str
    credentials_path: str
    wallets: dict[str, str]
    """Funders by signature type."""


class FeedsReady(msgspec.Struct, frozen=True):
    """``sources``: the addresses of every simulated source, by its name and the roles of its services."""

    sources: dict[str, dict[str, str]] = {}


class WorldReady(msgspec.Struct, frozen=True):
    """``replay`` says what is replayed and what generated; world date = original date + offset."""

    id: str
    replay: str = ""
    calendar_offset_days: int | None = None
    series: tuple[str, ...] = ()
    """What it lists at its Kalshi."""
    views: tuple[tuple[str, ...], ...] = ()
    """What it expects of figures to come, as lines of a file of views."""


class Ready(msgspec.Struct, frozen=True):
    """What the engine needs of the line; other fields are for people and other programs."""

    kalshi: KalshiReady
    feeds: FeedsReady
    clock: WorldClock
    world: WorldReady
    polymarket: PolymarketReady | None = None


def read_ready(path: Path) -> Ready:
    """Raises ``ReadyError`` when the file is missing, partial or not a ready line."""
    try:
        data = path.read_bytes()[: _SIZE_MAX + 1]
        return msgspec.json.decode(data, type=Ready)
    except FileNotFoundError:
        raise ReadyError("no simulator has been started for this desk: start both with pmconsole") from None
    except OSError as error:
        raise ReadyError(f"{path} cannot be read: {error.strerror}") from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ReadyError(
            f"{path} is no ready line of the simulator ({error}): pmconsole demo --fresh"
        ) from error
