"""The end of a console that failed: one sentence on the screen, the rest in a file."""

from __future__ import annotations

import traceback
from pathlib import Path

from tui.format import sanitise

_CAUSE_MAX = 160


def record(error: BaseException, log: Path) -> str:
    """Write down what went wrong, in place of the last time; the sentence for the operator."""
    cause = sanitise(f"{type(error).__name__}: {error}", _CAUSE_MAX)
    try:
        log.write_text("".join(traceback.format_exception(error)), errors="backslashreplace")
    except OSError as refused:
        where = f"and {log} cannot be written ({refused.strerror})"
    else:
        where = f"its details are in {log}"
    return f"pmconsole: the console failed ({cause}); {where}. The engine and its orders are not touched."
