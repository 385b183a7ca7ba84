"""``pmconsole engine run`` with a stamp: notes when the bytes of each index value reach its socket."""

from __future__ import annotations

import os
import re
import struct
from pathlib import Path

from websockets.asyncio.client import ClientConnection

from core.domain.clock import machine_ns

STAMP = struct.Struct("<qq")
"""Monotonic nanoseconds of this machine, and the value's own time in Unix milliseconds."""
_VALUE = re.compile(rb'\\"id\\":\\"BRTI\\",\\"time\\":(\d+)')


def main() -> None:
    honest = ClientConnection.data_received
    stamps = os.open(
        Path(os.environ["PMCONSOLE_HOME"]) / "stamps", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600
    )

    def stamped(self: ClientConnection, data: bytes) -> None:
        at_ns = machine_ns()
        honest(self, data)
        for found in _VALUE.findall(data):
            os.write(stamps, STAMP.pack(at_ns, int(found)))

    ClientConnection.data_received = stamped  # type: ignore[method-assign]
    from tui.cli import main as cli

    cli()


if __name__ == "__main__":
    main()
