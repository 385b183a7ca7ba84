"""systemd user units for a profile's engine and its watchdog, as text and as installed files.

The manager restarts either after two seconds, three times within ten minutes, then leaves it down: a
desk that keeps dying waits for a person. Refusals (exit codes 2 and 75) are not repeated at all.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import msgspec

from core.config.paths import Profile

STOP_S = 45
"""An engine takes up to 20 s to prove its cancels."""
SILENT_S = 10
"""A process that has not said that it lives for this long is killed and started again."""


class UnitError(Exception):
    """A unit cannot be written; the text is the sentence for the operator."""


class Unit(msgspec.Struct, frozen=True):
    name: str
    text: str


def units(place: Profile, home: str | None) -> tuple[Unit, ...]:
    """Both units; ``home`` is ``PMCONSOLE_HOME`` where it is set."""
    return (
        _unit(place, home, "engine", "trades and holds the keys", weight=1_000),
        _unit(place, home, "watchdog", "cancels when the engine falls silent", weight=500),
    )


def install(found: tuple[Unit, ...], environment: dict[str, str]) -> list[Path]:
    """Write them where the user's manager looks; raises ``UnitError``."""
    config = environment.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    folder = Path(config) / "systemd" / "user"
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for unit in found:
            path = folder / unit.name
            path.write_text(unit.text)
            written.append(path)
    except OSError as error:
        raise UnitError(f"cannot write {error.filename or folder}: {error.strerror}") from error
    return written


def _unit(place: Profile, home: str | None, what: str, does: str, *, weight: int) -> Unit:
    command = " ".join(_quoted(part) for part in (sys.executable, "-P", "-m", "tui.cli", what, "run"))
    lines = [
        "[Unit]",
        f"Description=pmconsole {what} of profile {place.name}: {does}",
        "StartLimitIntervalSec=600",
        "StartLimitBurst=3",
        "",
        "[Service]",
        "Type=notify",
        "NotifyAccess=main",
        *([f"Environment={_quoted(f'PMCONSOLE_HOME={home}')}"] if home else []),
        f"ExecStart={command} --profile {place.name}",
        f"WatchdogSec={SILENT_S}",
        f"TimeoutStopSec={STOP_S}",
        "KillMode=mixed",
        "Restart=on-failure",
        "RestartSec=2",
        "RestartPreventExitStatus=2 75",
        f"CPUWeight={weight}",
        "NoNewPrivileges=yes",
        "LockPersonality=yes",
        "RestrictSUIDSGID=yes",
        "LimitCORE=0",
        "UMask=0077",
        "",
        "[Install]",
        "WantedBy=default.target",
    ]
    return Unit(f"pmconsole-{what}-{place.name}.service", "\n".join(lines) + "\n")


def _quoted(text: str) -> str:
    """One word of a unit file: ``%`` and ``$`` mean something to systemd."""
    plain = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{plain}"' if plain != text or not plain or any(c.isspace() for c in plain) else plain


def here() -> tuple[dict[str, str], str | None]:
    """The environment this process has, and the home it names."""
    return dict(os.environ), os.environ.get("PMCONSOLE_HOME") or None
