"""``python -m tests.tui.console_main SOCKET [THEME]``: the console alone, for pictures and pty tests."""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.setdefault("TEXTUAL_FPS", "10")
os.environ.setdefault("TEXTUAL_DISABLE_KITTY_KEY", "1")
os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")

from core.config import paths
from tui.app import ConsoleOptions, run

if __name__ == "__main__":
    theme = sys.argv[2] if len(sys.argv) > 2 else "dark"
    coach = "--no-coach" not in sys.argv
    sys.exit(run(ConsoleOptions(Path(sys.argv[1]), paths.profile("demo").command, theme=theme, coach=coach)))
