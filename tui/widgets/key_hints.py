"""The last line: only the keys that work here and now, and STOP always in the same place."""

from __future__ import annotations

from tui.arming import APPROVES
from tui.lines import Line, Span, ends, line, width_of
from tui.scene import Scene
from tui.veto import REASONS
from tui.widgets.line_pane import LinePane

STOP = " ^X STOP "


def hint_line(scene: Scene, screen: str, *, more: bool) -> Line:
    """Hints of the registry that fit, in its order, with the stop key at the right end."""
    stop = line((STOP, "stop"))
    if scene.in_ladder:
        return ends(line((" the stop ladder takes every key", "text-muted")), stop, scene.width)
    if scene.takeover is not None:
        return ends(line((" this alarm takes every key", "text-muted")), stop, scene.width)
    if scene.asks_reason:
        return ends(_reasons(scene.asks_reason), stop, scene.width)
    parts: list[Span] = [Span(" ")]
    card = scene.card is not None and scene.card.state != "SENT" and scene.card_word != "SMALL"
    room = scene.width - width_of(stop) - 1
    shown = scene.keymap.hints(
        screen,
        card=card and not scene.down,
        spends=scene.card_word in APPROVES,
        controls=scene.controls,
        width=room,
        more=more,
    )
    for key, text in shown:
        parts += [Span("  " if len(parts) > 1 else ""), Span(key, "key"), Span(" " + text, "text-muted")]
    return ends(line(*parts), stop, scene.width)


def _reasons(card_id: str) -> Line:
    """The question for the reason of a veto, in place of the hints."""
    parts: list[Span] = [Span(f" {card_id}: why not?", "strong")]
    for key, text in (*REASONS.items(), ("Esc", "none")):
        parts += [Span("  "), Span(key, "key"), Span(" " + text, "text-muted")]
    return line(*parts)


class KeyHints(LinePane):
    bare = True

    def show(self, scene: Scene, screen: str, *, asking: bool, more: bool) -> None:
        """The hints; beside an open command line only how to stop, and until the screen is laid out again
        without it."""
        narrow = asking or self.size.width < scene.width
        self.paint([line((STOP, "stop")) if narrow else hint_line(scene, screen, more=more)])
