"""``pmconsole`` with a stamp: notes when each key has been handled (monotonic ns)."""

from __future__ import annotations

import os
import struct
from pathlib import Path

from core.domain.clock import machine_ns
from tui import cli, textual_environment

STAMP = struct.Struct("<q")


def main() -> None:
    textual_environment.decide()
    from textual import events

    from tui import app, dispatch

    stamps = os.open(
        Path(os.environ["PMCONSOLE_HOME"]) / "keys", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600
    )

    def stamped(console: app.PmConsole, event: events.Key) -> bool:
        done = dispatch.press(console, event)
        os.write(stamps, STAMP.pack(machine_ns()))
        return done

    app.press = stamped  # type: ignore[attr-defined]  # the name under which the console calls it
    cli.main()


if __name__ == "__main__":
    main()
