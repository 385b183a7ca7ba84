"""``pmconsole flatten`` with a stamp: notes in a file when its first byte goes to the engine's socket."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from core.control.protocol import Flatten
from tests.bench.stamped_sim import STAMP
from tui import verbs


def main() -> None:
    honest = verbs.call

    def stamped(line: Any, command: Any) -> Any:
        if isinstance(command, Flatten):
            path = Path(os.environ["PMCONSOLE_HOME"]) / "asked"
            path.write_bytes(STAMP.pack(time.monotonic_ns()))
        return honest(line, command)

    verbs.call = stamped
    from tui.cli import main as cli

    cli()


if __name__ == "__main__":
    main()
