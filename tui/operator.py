"""What the person at the keyboard has selected, asked for and been told; intents go to the engine.

No rules about trading live here: every method makes one command and the engine decides. Selection is by
id and by key, never by row number. Times are this machine's monotonic clock.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import msgspec

from core.control.protocol import (
    AbortFlatten,
    Acknowledge,
    AnyCommand,
    CancelMarket,
    CancelOrder,
    Disarm,
    Flatten,
    Halt,
    HurryExits,
    Pause,
    Query,
    Reply,
    SetMode,
    SkipWait,
)
from core.control.tables.safety import AlarmRow
from tui.actions import DIRECT
from tui.coach import Coach
from tui.deciding import Deciding
from tui.format import sanitise
from tui.keymap import USUAL, Keymap
from tui.ladder import Ladder, Step
from tui.ordering import MarketOrdering
from tui.scene import Message, Scene
from tui.tables import Now
from tui.takeover import Press, Takeover
from tui.view_model import ViewModel
from tui.widgets.market_table import MARKETS
from tui.widgets.stop_band import receipt

SAY_NS = 4_000_000_000
RECEIPT_NS = 30_000_000_000
"""How long the last word of a stop stays; then it is in the alarms and the journal."""
ANSWER_NS = 5_000_000_000


class Operator(Deciding):
    """State of the hands and eyes: selection, sort, filter, arming, ladder, messages."""

    def __init__(
        self,
        view: ViewModel,
        session: str,
        send: Callable[[AnyCommand], bool],
        *,
        coach: bool = True,
        view_only: bool = False,
        keymap: Keymap = USUAL,
    ) -> None:
        super().__init__(view)
        self.keymap = keymap
        self.view_only = view_only
        self.session = session
        self.ladder = Ladder()
        self.takeover = Takeover()
        self.ordering = MarketOrdering(MARKETS)
        self.watchlist = ""
        """Name of the list that markets are marked in; empty where none is kept."""
        self.watched: frozenset[tuple[str, str]] = frozenset()
        """Venue and ticker of the markets in it."""
        self.order_id = ""
        self._send = send
        self._coach = Coach(enabled=coach)
        self._numbers = itertools.count(1)
        self._pending: dict[str, tuple[str, int]] = {}
        self._asked: dict[str, tuple[Callable[[bytes], None], Callable[[str], None] | None]] = {}
        self._message: Message | None = None
        self._was_stopping = False
        self._controller: tuple[str, str] | None = None
        """Who had control when the desk was looked at last, by session and name."""
        self._receipt_ns = 0

    # --- the picture ------------------------------------------------------------------------------

    def scene(self, now: Now, width: int) -> Scene:
        """Everything one paint needs. Keeps the selection on its card, or moves it when that is gone."""
        view = self.view
        cards = tuple(view.cards())
        card = self.selected(cards, now)
        if view.stopping:
            self.ladder.shown()
        elif self._was_stopping and view.flatten is not None:
            self.say(receipt(view.flatten), "strong", now, RECEIPT_NS)
            self._receipt_ns = now.mono_ns
        self._was_stopping = view.stopping
        self._expire(now)
        controls = self.controls
        self._tell_of_control(now)
        word = ""
        if card is not None:
            word = self.arming.word(card, now.mono_ns, lag=self.blind(now), controls=controls)
            if word == "LAG" and view.engine_down(now):
                word = "DOWN"
            if self.is_sent(card) and word in ("ARMED", "ARMING"):
                word = "SENT"
        scene = Scene(
            view=view,
            now=now,
            width=width,
            cards=cards,
            card=card,
            card_word=word,
            order_id=self.order_id,
            sort=self.ordering.word,
            filter=self.ordering.filter,
            watchlist=self.watchlist,
            watched=self.watched,
            message=self._message,
            coach=self.keymap.spelt(self._coach.update(view, now)),
            keymap=self.keymap,
            ladder_ask=self.ladder.asks(now.mono_ns),
            ladder_hurry=self.ladder.offers_hurry(now.mono_ns),
            stop_sent=self.ladder.waiting(now.mono_ns),
            controls=controls,
            view_only=self.view_only,
            quiet_ns=self.ladder.quiet_ns(now.mono_ns),
            takeover=self.taken_over(now),
            asks_reason=asked.id if (asked := self.question.about(now.mono_ns)) is not None else "",
        )
        keys = self.ordering.keys(scene, view.markets, still=self.arming.arming(card, now.mono_ns))
        cursor = self.ordering.cursor
        resting = cursor if cursor is not None else next(iter(keys), None)
        current = card.key if card is not None else resting
        return msgspec.structs.replace(scene, market_keys=tuple(keys), cursor=cursor, current=current)

    @property
    def controls(self) -> bool:
        return self.view.controls(self.session)

    def _tell_of_control(self, now: Now) -> None:
        """Say it once when control changes hands, whoever had it. Who takes it here is told by the reply."""
        status = self.view.status
        if status is None:
            return
        before, self._controller = self._controller, (status.controller_session, status.controller)
        if before is None or before[0] == status.controller_session or self.controls:
            return
        who, left = status.controller, before[1]
        if not who:
            text = f"{left} is gone: no console has control"
        elif before[0] == self.session:
            text = f"{who} took control; this one views, :take takes it back"
        else:
            text = f"{who} took control from {left}" if left else f"{who} has control now; nobody had it"
        self.say(text, "near", now)

    def blind(self, now: Now) -> bool:
        return self.view.lags(now) or self.view.engine_down(now)

    def _expire(self, now: Now) -> None:
        if self._message is not None and now.mono_ns >= self._message.until_ns:
            self._message = None
        if self._receipt_ns and any(row.since_ns > self._receipt_ns for row in self.view.urgent()):
            self._message, self._receipt_ns = None, 0
        for command_id, (label, sent_ns) in list(self._pending.items()):
            if now.mono_ns - sent_ns > ANSWER_NS:
                del self._pending[command_id]
                self.say(f"no answer to {label}: it may or may not have happened", "near", now)

    def say(
        self, text: str, role: str, now: Now, seconds_ns: int = SAY_NS, *, without_engine: str = ""
    ) -> None:
        """Put a sentence on the message line."""
        self._message = Message(text, role, now.mono_ns + seconds_ns, without_engine)
        self._receipt_ns = 0

    # --- commands ---------------------------------------------------------------------------------

    def next_id(self) -> str:
        return f"{self.session}-{next(self._numbers)}"

    def send(self, command: AnyCommand, label: str, now: Now) -> bool:
        """Send, show that it was sent, and wait for the reply."""
        if not self._send(command):
            direct = DIRECT if isinstance(command, Flatten) else ""
            self.say(f"{label} not sent", "alarm", now, 2 * SAY_NS, without_engine=direct)
            return False
        self._pending[command.id] = (label, now.mono_ns)
        self.say(f"sent {label}", "text-muted", now, ANSWER_NS)
        return True

    def ask(self, query: Query, label: str, show: Callable[[bytes], None], now: Now) -> None:
        """Ask the engine for what no frame carries; ``show`` gets the answer."""
        if self.send(query, label, now):
            self._asked[query.id] = show, None

    def look(
        self, query: Query, show: Callable[[bytes], None], refuse: Callable[[str], None] | None = None
    ) -> bool:
        """Ask without a word on the message line: for what asks again by itself. ``refuse`` gets the sentence
        of a refusal."""
        if not self._send(query):
            return False
        self._asked[query.id] = show, refuse
        return True

    def replied(self, reply: Reply, now: Now) -> None:
        """Show the answer with its round trip."""
        label, sent_ns = self._pending.pop(reply.id, ("", 0))
        show, refuse = self._asked.pop(reply.id, (None, None))
        if show is not None and reply.accepted:
            if label:
                self._message = None
            show(reply.data)
            return
        text = self.view.in_labels(sanitise(reply.text))
        if refuse is not None:
            refuse(text)
        if not label:
            return
        took = f" in {(now.mono_ns - sent_ns) // 1_000_000} ms"
        if reply.accepted:
            self.say(f"{label} -> accepted{took}" + (f": {text}" if text else ""), "good", now)
            return
        if label == "flatten":
            self.ladder.refused()
        self.undecided(label)
        self.say(f"{label} -> refused{took}: {text}", "blocked", now, 2 * SAY_NS)

    # --- orders and the desk ------------------------------------------------------------------------

    def cancel_order(self, order_id: str, now: Now) -> None:
        if order_id:
            self.send(CancelOrder(self.next_id(), order_id), f"cancel {order_id[-8:]}", now)
        else:
            tab = self.keymap.name("pane.next")
            self.say(f"no order under the cursor; {tab} goes to ORDERS", "text-muted", now)

    def cancel_market(self, key: int | None, now: Now) -> None:
        static = self.view.statics.get(key) if key is not None else None
        if static is not None:
            self.send(CancelMarket(self.next_id(), static.ticker), f"cancel all of {static.label}", now)

    def pause(self, strategy: str, now: Now) -> None:
        label = f"pause {strategy}" if strategy else "pause all entries"
        self.send(Pause(self.next_id(), strategy), label, now)

    def semi(self, now: Now) -> None:
        self.send(SetMode(self.next_id(), "semi"), "mode semi", now)

    def halt(self, now: Now, reason: str = "") -> None:
        self.send(Halt(self.next_id(), reason or "operator pressed H"), "halt", now)

    def disarm(self, now: Now, reason: str = "") -> None:
        self.send(Disarm(self.next_id(), reason), "disarm", now)

    def taken_over(self, now: Now) -> AlarmRow | None:
        """The alarm that has the whole screen; a running stop comes before it."""
        return None if self.in_ladder(now) else self.takeover.alarm(self.view, now.mono_ns)

    def takeover_key(self, key: str, arrived_ns: int, alarm: AlarmRow, now: Now) -> None:
        """A key other than Ctrl-X while an alarm has the screen."""
        reaches = self.controls and not self.view.engine_down(now)
        acknowledges = self.keymap.has("alarm.acknowledge", key)
        pressed = self.takeover.key(arrived_ns, alarm, acknowledges=acknowledges, controls=reaches)
        if pressed is Press.ACKNOWLEDGE:
            self.acknowledge(alarm.id, now)

    def acknowledge(self, alarm_id: int | None, now: Now) -> None:
        if alarm_id is not None:
            self.send(Acknowledge(self.next_id(), alarm_id), "acknowledge", now)

    # --- stop -------------------------------------------------------------------------------------

    def stop(self, now: Now, arrived_ns: int, press: str | None = None, *, external: bool = False) -> None:
        """Ask for the emergency flatten; the engine joins the one that may be running already.

        ``press`` is the id under which the input thread has sent it: the engine counts both as one.
        """
        if not self.view.stopping:
            self.ladder.start(now.mono_ns)
        else:
            self.ladder.key("ctrl+x", arrived_ns, exiting=self.view.exiting)
        wanted = Flatten(press or self.next_id(), sent_ns=arrived_ns, include_external=external)
        if not self.send(wanted, "flatten", now):
            self.ladder.refused()

    def keep(self, now: Now) -> None:
        """Sell nothing more; halted and cancelled all the same."""
        self.send(AbortFlatten(self.next_id()), "keep positions", now)

    def in_ladder(self, now: Now) -> bool:
        """Whether the stop takes the keys: not with its engine gone, or the console could not be left."""
        running = self.view.stopping and not self.view.engine_down(now)
        return running or self.ladder.waiting(now.mono_ns)

    def ladder_key(self, key: str, arrived_ns: int, now: Now) -> bool:
        """A key other than Ctrl-X while stopping; true: the command line is wanted."""
        match self.ladder.key(key, arrived_ns, exiting=self.view.exiting):
            case Step.ABORT if self.controls:
                self.keep(now)
            case Step.SKIP if self.controls:
                self.send(SkipWait(self.next_id()), "skip the wait", now)
            case Step.HURRY if self.controls:
                self.send(HurryExits(self.next_id()), "hurry the exits", now)
            case Step.TYPE:
                return self.controls
            case _:
                pass
        return False

    def escape(self) -> None:
        """Take one thing back: the question for the side, the message, the coach, the filter."""
        if self.arming.withdraw():
            return
        self._message = None
        if not self._coach.dismiss() and self.ordering.filter:
            self.ordering.narrow("")
