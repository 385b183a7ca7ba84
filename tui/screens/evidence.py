"""Evidence: everything behind the selected card, below the card itself, so that it is decided on here."""

from __future__ import annotations

from core.control.tables.cards import ProposalRow
from tui.lines import Line, line
from tui.scene import Scene, head, note
from tui.screens.decide_screen import CARD_ROWS, DecideScreen
from tui.screens.desk_plan import Plan, over
from tui.screens.models import event_lines
from tui.widgets.card_state import clears_sentence
from tui.widgets.line_pane import LinePane
from tui.widgets.plan_card import in_full
from tui.widgets.text_pane import TextPane, wrapped


class EvidenceScreen(DecideScreen):
    """Goes on to the next card with the selection, as the Desk does."""

    name_in_registry = "evidence"

    def __init__(self) -> None:
        super().__init__()
        self.detail = TextPane(id="detail")
        self._shown = ""

    def panes(self) -> list[LinePane]:
        return [self.card, self.detail]

    def plan(self, width: int, height: int) -> Plan:
        return over(width, height, "card", CARD_ROWS, 0)

    def draw(self, scene: Scene) -> None:
        self.show_card(scene, compact=True)
        card = scene.card
        if card is None:
            self.detail.show_text([note("No card is up.")], head("EVIDENCE"))
            return
        if card.id != self._shown:
            self.detail.scroll_text(-(10**6))
            self._shown = card.id
        rows = evidence_lines(scene, card, self.detail.body_size[0])
        title = head("EVIDENCE", f"{card.id}  {scene.view.named(card.key)}")
        self.detail.show_text(rows, title, dim=scene.dim)


def evidence_lines(scene: Scene, card: ProposalRow, width: int) -> list[Line]:
    """What the card has no room for: legs, checks, reasons in full, evidence, its event."""
    rows: list[Line] = []
    if card.plan is not None:
        rows += in_full(scene, card.plan, width - 2)
    for check in card.checks:
        word, role = ("BLOCK", "blocked") if check.blocks else ("WARN", "near")
        said = f"{word} {check.code} {check.text}. {clears_sentence(check.clears)}"
        rows += wrapped(said, width - 2, role)
    rows += (line((" why", "title")), *wrapped(card.why, width - 2, indent=2))
    rows += (line((" against", "title")), *wrapped(card.against or "nothing named", width - 2, indent=2))
    rows += ((), line((" evidence when proposed", "title")))
    for sentence in card.evidence:
        rows += wrapped(sentence, width - 2, indent=2)
    event = scene.view.event_of(card.key)
    if event is not None:
        rows += ((), *event_lines(scene, event, width, current=card.key))
    return rows
