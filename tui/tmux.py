"""Lines for tmux's configuration: in its copy mode keys belong to tmux, and the stop must not end there."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

TABLES = ("copy-mode", "copy-mode-vi", "prefix")
"""Both kinds of copy mode, and every pane behind tmux's prefix."""
_COMMENT = """\
# In tmux's copy mode keys belong to tmux: Ctrl-X never reaches the console there.
# With these lines Ctrl-X stops the desk in copy mode too, and prefix Ctrl-X from every pane.
# Take them up with: {take_up}
"""


def bindings(flatten: Sequence[str], home: str | None, take_up: str) -> str:
    """Key bindings that run ``flatten`` without a screen of its own; ``home`` is its ``PMCONSOLE_HOME``.

    What it prints would open over the pane in use, so only a stop that did not end flat is told.
    """
    words = [f"PMCONSOLE_HOME={shlex.quote(home)}"] if home else []
    stop = " ".join([*words, *map(shlex.quote, flatten)])
    unsure = shlex.quote("the stop has not ended flat: look at pmconsole status")
    shell = f"{stop} >/dev/null 2>&1 || tmux display-message -d 0 {unsure}"
    lines = [f"bind-key -T {table} C-x run-shell -b {_quoted(shell)}\n" for table in TABLES]
    return _COMMENT.format(take_up=take_up) + "".join(lines)


def _quoted(command: str) -> str:
    """One word of tmux's configuration, in which it finds nothing of its own to expand."""
    return "'" + command.replace("#", "##").replace("'", "'\\''") + "'"
