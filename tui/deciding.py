"""Which card is selected, and what the operator's keys say of it; intents go to the engine.

A card is approved by one key only once it stood armed, vetoed at once, and put off without being lost.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from core.control.protocol import AnyCommand, Approve, Defer, Edit, Veto
from core.control.tables.cards import ProposalRow
from core.domain.drawn import Drawn
from tui.arming import Arming
from tui.tables import Now
from tui.veto import REASONS, VetoQuestion
from tui.view_model import ViewModel

_SIDES = {"y": "YES", "n": "NO"}


class Deciding(ABC):
    """The operator's side of the approval queue; ``Operator`` adds the rest of the desk."""

    def __init__(self, view: ViewModel) -> None:
        self.view = view
        self.arming = Arming()
        self.question = VetoQuestion()
        self._approved: set[str] = set()
        """Fingerprints that were approved and whose cards still stand."""
        self._chosen = ""
        """The card selected by hand, which stays selected even when it was deferred."""
        self._drawn_card: ProposalRow | None = None
        self._expected: tuple[int, frozenset[str]] | None = None
        """Market of the card that was asked for by hand, and the ids of those that were there before."""
        self.on_asked: Callable[[], object] = lambda: None
        """Called once that card is selected."""

    @property
    @abstractmethod
    def controls(self) -> bool:
        """Whether this console may decide."""

    @abstractmethod
    def blind(self, now: Now) -> bool:
        """Whether the picture is too old to decide on."""

    @abstractmethod
    def next_id(self) -> str: ...

    @abstractmethod
    def send(self, command: AnyCommand, label: str, now: Now) -> bool: ...

    @abstractmethod
    def say(self, text: str, role: str, now: Now) -> None: ...

    # --- which card ---------------------------------------------------------------------------------

    def selected(self, cards: Sequence[ProposalRow], now: Now) -> ProposalRow | None:
        """The selected one of the cards that are drawn now: the selection stays on its card, or moves on when
        that is gone or was put off."""
        self._take_expected(cards, now)
        card = next((row for row in cards if row.id == self.arming.card_id), None)
        if card is None or (card.state == "DEFERRED" and card.id != self._chosen):
            card = cards[0] if cards else None
        self.arming.select(card, now.mono_ns)
        self._drawn_card = card
        self._approved &= {row.fingerprint for row in cards}
        return card

    def expect_card(self, key: int) -> None:
        """A card of this market was asked for by hand: it is selected when it comes."""
        known = frozenset(row.id for row in self.view.proposals.values() if row.by_hand)
        self._expected = key, known

    def _take_expected(self, cards: Sequence[ProposalRow], now: Now) -> None:
        if self._expected is None:
            return
        key, known = self._expected
        came = next((row for row in cards if row.by_hand and row.key == key and row.id not in known), None)
        if came is not None:
            self._expected, self._chosen = None, came.id
            self.arming.select(came, now.mono_ns)
            self.on_asked()

    def is_sent(self, card: ProposalRow) -> bool:
        """Whether an approval of the card as it stands is under way."""
        return card.fingerprint in self._approved

    def undecided(self, label: str) -> None:
        """The engine refused a command: what was approved may be approved again."""
        self._approved.clear()
        if label.startswith("veto "):
            self.question.close()
        elif label.startswith(("ticket ", "amend ")):
            self._expected = None

    @property
    def card(self) -> ProposalRow | None:
        return self.view.proposals.get(self.arming.card_id)

    def step_card(self, step: int, now: Now) -> None:
        cards = self.view.cards()
        if not cards:
            return
        at = next((i for i, row in enumerate(cards) if row.id == self.arming.card_id), 0)
        self.select_card(cards[(at + step) % len(cards)].id, now)

    def select_card(self, card_id: str, now: Now) -> bool:
        """Select a card that is shown; false when there is none of that id. A deferred one arms anew."""
        card = next((row for row in self.view.cards() if row.id == card_id), None)
        if card is None:
            return False
        self._chosen = card_id
        self.arming.select(card, now.mono_ns)
        return True

    # --- what the keys say --------------------------------------------------------------------------

    def approve(self, key: str, arrived_ns: int, now: Now) -> None:
        """Spend: only an armed card, only a fresh key, and a large card only with its side named."""
        card = self.card
        unheld = self.arming.press(key, arrived_ns)
        if card is None:
            self.say("no card to approve", "text-muted", now)
            return
        if not unheld:
            return
        reason = self.arming.refusal(
            card, arrived_ns, now.mono_ns, lag=self.blind(now), controls=self.controls
        )
        if not reason and self.is_sent(card):
            reason = "it was sent already"
        side = _SIDES.get(key)
        asked = self.arming.asked(card, now.mono_ns)
        if not reason and side is not None and not asked:
            return
        if not reason and side is not None and side != card.outcome:
            self.arming.withdraw()
            reason = f"you named {side}, the card is {card.outcome}"
        if reason:
            self.say(f"not sent: {reason}", "near", now)
        elif card.large and side is None:
            self.arming.ask(card, now.mono_ns)
        else:
            self.arming.withdraw()
            drawn = self._drawn(card, arrived_ns)
            command = Approve(self.next_id(), card.id, card.fingerprint, self.view.made_ns, drawn)
            if self.send(command, f"approve {card.id}", now):
                self._approved.add(card.fingerprint)

    def veto(self, now: Now, reason: str = "", key_ns: int | None = None) -> bool:
        """Say no to the card at once; whether that was sent."""
        card = self.card
        if card is None:
            return False
        drawn = self._drawn(card, now.mono_ns if key_ns is None else key_ns)
        command = Veto(self.next_id(), card.id, card.fingerprint, reason, drawn)
        return self.send(command, f"veto {card.id}", now)

    def veto_by_key(self, key: str, arrived_ns: int, now: Now) -> None:
        """Say no, then ask for the reason; a held key says no once."""
        card = self.card
        if card is None or not self.arming.press(key, arrived_ns):
            return
        if self.veto(now, key_ns=arrived_ns) and self.controls and not card.by_hand:
            self.question.ask(card, now.mono_ns)

    def reason_by_key(self, key: str, arrived_ns: int, now: Now) -> bool:
        """Whether a key told the reason of the last veto, or that there is none to tell."""
        card = self.question.about(now.mono_ns)
        if not self.question.takes(key, arrived_ns, now.mono_ns):
            return False
        if card is not None and key in REASONS:
            command = Veto(self.next_id(), card.id, card.fingerprint, REASONS[key])
            self.send(command, f"reason of {card.id}", now)
        return True

    def _drawn(self, card: ProposalRow, key_ns: int) -> Drawn:
        """What the last picture said of a card; a newer frame may have come since."""
        seen = self._drawn_card
        row = seen if seen is not None and seen.fingerprint == card.fingerprint else card
        return Drawn(row.bid, row.ask, row.fair, row.edge, self.arming.stood_since_ns(card), key_ns)

    def defer(self, now: Now) -> None:
        """Put the card off and go on to the first of the others; alone, it stays until another comes."""
        card = self.card
        if card is None:
            return
        if self.send(Defer(self.next_id(), card.id, card.fingerprint), f"defer {card.id}", now):
            self._chosen = ""
            others = (row for row in self.view.cards() if row.id != card.id and row.state != "SENT")
            self.arming.select(next(others, card), now.mono_ns)

    def edit(self, card: ProposalRow, price: int, quantity: int, now: Now) -> None:
        command = Edit(self.next_id(), card.id, card.fingerprint, price, quantity)
        self.send(command, f"edit {card.id}", now)
