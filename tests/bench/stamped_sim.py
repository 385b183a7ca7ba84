"""``pmconsole sim`` with a stamp: notes in a file when each cancel request reaches the exchange."""

from __future__ import annotations

import os
import struct
import time
from pathlib import Path
from typing import Any

from core.sim import process
from core.sim.kalshi.app import build_app

STAMP = struct.Struct("<q")


def _stamped(app: Any, file: int) -> Any:
    async def stamped(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["method"] == "DELETE":
            os.write(file, STAMP.pack(time.monotonic_ns()))
        await app(scope, receive, send)

    return stamped


def main() -> None:
    stamps = Path(os.environ["PMCONSOLE_HOME"]) / "stamps"
    file = os.open(stamps, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    process.build_app = lambda *given: _stamped(build_app(*given), file)  # type: ignore[assignment]
    from tui.cli import main as cli

    cli()


if __name__ == "__main__":
    main()
