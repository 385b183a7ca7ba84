"""``pmconsole engine run`` with a probe: how late its loop wakes, each time a microsecond count in a file."""

from __future__ import annotations

import asyncio
import os
import struct
from pathlib import Path
from typing import Any

from core.control import process

EVERY_S = 0.005
LATE = struct.Struct("<I")


async def _probe() -> None:
    loop = asyncio.get_running_loop()
    path = Path(os.environ["PMCONSOLE_HOME"]) / "wakes"
    found = bytearray()
    with path.open("ab", buffering=0) as file:
        while True:
            due = loop.time() + EVERY_S
            await asyncio.sleep(EVERY_S)
            found += LATE.pack(max(0, round((loop.time() - due) * 1e6)))
            if len(found) >= 200 * LATE.size:
                file.write(found)
                found.clear()


def main() -> None:
    honest = process._serve

    async def probed(*given: Any) -> None:
        probe = asyncio.create_task(_probe())
        try:
            await honest(*given)
        finally:
            probe.cancel()

    process._serve = probed
    from tui.cli import main as cli

    cli()


if __name__ == "__main__":
    main()
