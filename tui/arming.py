"""When a card may be approved: armed, seen, unheld and fresh. Pure rules on monotonic nanoseconds.

A card arms 400 ms after it was selected, or first drawn with all that is decided, with its fingerprint
unchanged. A money key counts as held when
it comes again within 800 ms, because terminals report no key-up. A key that arrived before the card was
armed was meant for something else.
"""

from __future__ import annotations

from core.control.tables.cards import ProposalRow
from tui.view_model import DECIDABLE

ARM_NS = 400_000_000
HELD_NS = 800_000_000
ASK_NS = 10_000_000_000
"""How long a large card waits for its side."""
BUFFERED_NS = 400_000_000
"""A card's key handled this long after it arrived was typed at an older picture."""

APPROVES = frozenset({"ARMING", "MOVED", "ARMED"})
"""States of a card in which its key approves it, now or in an instant; in any other it is not named."""


class Arming:
    """What the operator has selected, since when, and which money keys may still be held down."""

    def __init__(self) -> None:
        self.card_id = ""
        self._since_ns = 0
        self._fingerprint = ""
        self._pressed_ns: dict[str, int] = {}
        self._asked: tuple[str, int] = ("", 0)
        self._whole = False
        self.unread = False
        """Whether what happened while nobody looked has still to be read: until then nothing arms."""

    def select(self, card: ProposalRow | None, now_ns: int) -> None:
        """Note the selected card; a new one, or a changed fingerprint, starts the arming time again."""
        if card is None:
            self.card_id = self._fingerprint = ""
            return
        if card.id != self.card_id or card.fingerprint != self._fingerprint:
            self.card_id, self._fingerprint, self._since_ns = card.id, card.fingerprint, now_ns
            self._asked = ("", 0)

    def drawn(self, *, whole: bool, now_ns: int) -> bool:
        """Note whether the screen has room for what the card cannot be approved without; the arming time
        starts when it has. True when that changed."""
        changed = whole is not self._whole
        if changed and whole:
            self._since_ns = now_ns
        self._whole = whole
        return changed

    def release(self, now_ns: int) -> None:
        """It has been read: the arming time begins."""
        self.unread, self._since_ns = False, now_ns

    def armed_ns(self, card: ProposalRow) -> int:
        """The moment the card is armed from."""
        return self.stood_since_ns(card) + ARM_NS

    def stood_since_ns(self, card: ProposalRow) -> int:
        """Since when the card stands there selected and unchanged."""
        return max(self._since_ns, card.changed_ns)

    def arming(self, card: ProposalRow | None, now_ns: int) -> bool:
        return card is not None and card.state in DECIDABLE and now_ns < self.armed_ns(card)

    def word(self, card: ProposalRow, now_ns: int, *, lag: bool, controls: bool) -> str:
        """The card's state in a word."""
        if card.state == "BLOCKED":
            rule = next((check.code for check in card.checks if check.blocks), "")
            return f"BLOCKED {rule}".strip()
        if card.state not in DECIDABLE:
            return card.state
        if card.expires_ns <= now_ns:
            return "EXPIRED"
        if lag:
            return "LAG"
        if not controls:
            return "VIEWER"
        if self.unread or now_ns < self.armed_ns(card):
            return "MOVED" if card.state == "MOVED" else "ARMING"
        if not self._whole:
            return "SMALL"
        return "CONFIRM" if self.asked(card, now_ns) else "ARMED"

    def asked(self, card: ProposalRow, now_ns: int) -> bool:
        """Whether this large card waits for its side to be named."""
        fingerprint, until_ns = self._asked
        return fingerprint == card.fingerprint and now_ns < until_ns

    def ask(self, card: ProposalRow, now_ns: int) -> None:
        self._asked = (card.fingerprint, now_ns + ASK_NS)

    def withdraw(self) -> bool:
        """Drop the question for the side; says whether there was one."""
        had = self._asked[0] != ""
        self._asked = ("", 0)
        return had

    def press(self, key: str, arrived_ns: int) -> bool:
        """Note a money key; false when it counts as held down."""
        last = self._pressed_ns.get(key)
        self._pressed_ns[key] = arrived_ns
        return last is None or arrived_ns - last >= HELD_NS

    def refusal(self, card: ProposalRow, arrived_ns: int, now_ns: int, *, lag: bool, controls: bool) -> str:
        """Why this card cannot be approved by a key that arrived then; empty when it can."""
        word = self.word(card, now_ns, lag=lag, controls=controls)
        if word.startswith("BLOCKED"):
            check = next((check for check in card.checks if check.blocks), None)
            return f"{word}: {check.text}" if check is not None else "this card is blocked"
        reasons = {
            "LAG": "the picture is over 1 s old",
            "VIEWER": "this console has no control",
            "EXPIRED": "this card has expired",
            "ARMING": "not armed yet",
            "MOVED": "it changed; read it again",
            "SMALL": "there is no room to show what would be sent; make the terminal larger",
        }
        if word in reasons:
            return reasons[word]
        if word not in ("ARMED", "CONFIRM"):
            return f"this card is {word}"
        if arrived_ns < self.armed_ns(card):
            return "the key came before the card was armed"
        return ""
