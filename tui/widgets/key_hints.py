"""The last line: only the keys that work here and now, and STOP always in the same place."""

from __future__ import annotations

from tui.actions import hints
from tui.lines import Line, Span, ends, line, width_of
from tui.scene import Scene
from tui.widgets.line_pane import LinePane


def hint_line(scene: Scene, screen: str) -> Line:
    """Hints of the registry that fit, in its order, with the stop key at the right end."""
    stop = line((" ^X STOP ", "stop"))
    if scene.view.stopping or scene.stop_sent:
        return ends(line((" the stop ladder takes every key", "text-muted")), stop, scene.width)
    parts: list[Span] = [Span(" ")]
    for key, text in hints(screen, card=scene.card is not None, width=scene.width - width_of(stop) - 1):
        parts += [Span(key, "key"), Span(" " + text, "text-muted"), Span("  ")]
    return ends(line(*parts), stop, scene.width)


class KeyHints(LinePane):
    bare = True

    def show(self, scene: Scene, screen: str) -> None:
        self.paint([hint_line(scene, screen)])
