"""``pmconsole`` with one fault: the key of the help fails."""

from __future__ import annotations

from tui import cli, handlers
from tui.app import PmConsole
from tui.tables import Now


def _fail(_app: PmConsole, _now: Now) -> None:
    raise KeyError("a \x1b[31mfault\x1b[0m made on purpose")


if __name__ == "__main__":
    handlers.HANDLERS["help"] = _fail
    cli.main()
