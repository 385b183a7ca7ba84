"""``pmconsole sim`` with a stamp: notes in a file when each stop reaches the exchange, a group's trigger or
a cancel. While a file ``throttle`` lies beside it, two reads of the account are answered 429."""

from __future__ import annotations

import os
import struct
import time
from pathlib import Path
from typing import Any

from core.sim import process
from core.sim.kalshi.app import build_app

STAMP = struct.Struct("<q")
THROTTLED = 2
"""Below what the limiter calls a storm: that would shut entries for a minute after each press."""


class _Watch:
    def __init__(self, app: Any, home: Path) -> None:
        self._app, self.state, self._throttle = app, app.state, home / "throttle"
        self._stamps = os.open(home / "stamps", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._answered = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            if scope["method"] == "DELETE" or scope["path"].endswith("/trigger"):
                os.write(self._stamps, STAMP.pack(time.monotonic_ns()))
            elif scope["method"] == "GET" and "/portfolio/" in scope["path"] and self._throttle.exists():
                await self._refuse(send)
                return
        await self._app(scope, receive, send)

    async def _refuse(self, send: Any) -> None:
        self._answered += 1
        if self._answered % THROTTLED == 0:
            self._throttle.unlink(missing_ok=True)
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 429, "headers": headers})
        await send({"type": "http.response.body", "body": b'{"error":"too many requests"}'})


def main() -> None:
    home = Path(os.environ["PMCONSOLE_HOME"])
    process.build_app = lambda *given: _Watch(build_app(*given), home)  # type: ignore[assignment]
    from tui.cli import main as cli

    cli()


if __name__ == "__main__":
    main()
