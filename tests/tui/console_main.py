"""``python -m tests.tui.console_main SOCKET [THEME]``: the console alone, for pictures and pty tests."""

from __future__ import annotations

import sys
from pathlib import Path

from core.config import paths
from tui import textual_environment


def main(socket: Path, theme: str, *, coach: bool) -> int:
    textual_environment.decide()
    from tui.app import ConsoleOptions, run

    options = ConsoleOptions(socket, paths.profile("demo").command, theme=theme, coach=coach)
    return run(options, socket.with_suffix(".log"))


if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if word != "--no-coach"]
    sys.exit(main(Path(words[0]), [*words, "dark"][1], coach="--no-coach" not in sys.argv))
