"""The rules of one market: what settles it, in its venue's own words as they read now."""

from __future__ import annotations

import msgspec

from tui.format import sanitise, venue_short
from tui.lines import Line, line
from tui.scene import Scene, head
from tui.screens.text_screen import TextScreen
from tui.widgets.text_pane import wrapped

_TEXT_MAX = 20_000
_HASH = 8
"""Characters of a hash that are shown."""


class Rules(msgspec.Struct, frozen=True):
    """The engine's answer, see ``RULES`` in ``core/control/queries/markets.py``."""

    ticker: str
    venue: str
    hash: str
    pinned: str
    text: str
    series: str = ""
    waits: str = ""
    mark: str = ""


def read_rules(answer: bytes) -> Rules:
    """The answer with every text in it safe to draw."""
    found = msgspec.json.decode(answer, type=Rules)
    return Rules(*(sanitise(getattr(found, name), _TEXT_MAX) for name in found.__struct_fields__))


def rules_lines(rules: Rules, width: int) -> list[Line]:
    """Whose words they are, whether they are the ones that count here, and the words."""
    about = f"{rules.ticker}  text {rules.hash[:_HASH]}"
    rows = [line(f" {venue_short(rules.venue)} ", (about, "text-muted"))]
    if rules.hash != rules.pinned:
        changed = f"Reads differently: the text that counts on this desk is {rules.pinned[:_HASH]}."
        rows += wrapped(changed, width, "near")
    if rules.waits:
        rows += wrapped(f"{rules.waits[:1].upper()}{rules.waits[1:]}.", width, "near")
    if rules.mark:
        rows += wrapped(f"Once you have read this:  :confirm source {rules.series} {rules.mark}", width)
    return [*rows, (), *wrapped(rules.text or "The venue gives no text.", width)]


class RulesScreen(TextScreen):
    name_in_registry = "rules"

    def __init__(self, rules: Rules) -> None:
        super().__init__()
        self._rules = rules

    def draw(self, scene: Scene) -> None:
        rows = rules_lines(self._rules, self.detail.body_size[0] - 2)
        label = next((s.label for s in scene.view.statics.values() if s.ticker == self._rules.ticker), "")
        self.detail.show_text(rows, head("RULES", label), dim=scene.dim)
