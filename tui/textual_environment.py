"""What Textual reads from the environment, once, while it is imported: decided here, whatever the shell says.

The kitty keyboard protocol stays off: with it on a terminal sends every key as an escape sequence, and the
stop key is byte 0x18 on every layout only without it. Where no colours are wanted a theme without any is
drawn, to which Textual's own answer to NO_COLOR would give its greys back.
"""

from __future__ import annotations

import os

_DECIDED = {"TEXTUAL_DISABLE_KITTY_KEY": "1", "TEXTUAL_FPS": "10", "TEXTUAL_ANIMATIONS": "none"}


def decide() -> None:
    """To be called before anything imports Textual."""
    os.environ.update(_DECIDED)
    os.environ.pop("NO_COLOR", None)
