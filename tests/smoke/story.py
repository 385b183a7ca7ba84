"""The demo's first three minutes as a newcomer plays them: real keys in a real terminal of 80x24.

Keys are pressed when the screen asks for them. Whether a beat happened is decided by the journal and
by the venue's own records, never by what the screen shows or when.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from core.domain.clock import machine_ns
from core.journal.events import Row
from core.journal.wording import text_of
from tests.desk import rig
from tests.desk.rig import STOP_KEY, Desk, alive
from tests.desk.terminal import DeskError, Terminal, wait_for

FIRST_CARD_S = 10.0
LOST_ANSWER_S = 109.0
"""Real seconds after the desk heard the staged forecast, which came out 2.5 s into the story: from its 110 s
on the venue loses the next answer."""
NUDGE_S = 45.0
"""Real seconds after the desk heard it, before which no book is nudged: that is done at 50 s."""
LADDER_PAUSE_S = 0.9
"""The stop ladder takes ``f`` only after so long without any key."""

PRICE = re.compile(r" @ ([\d.]+)c ")


class Outcome(NamedTuple):
    """One beat: when it happened after the command was typed, and the proof; or what is missing."""

    name: str
    at_s: float
    proof: str
    missing: str = ""

    def __str__(self) -> str:
        word = "MISSING " if self.missing else "ok      "
        return f"{word}{self.at_s:6.1f} s  {self.name:<12} {self.missing or self.proof}"


class Player(NamedTuple):
    """Who presses the keys, and what is asked for proof."""

    desk: Desk
    console: Terminal

    def until(self, what: str, seconds: float, happened: Callable[[], Any]) -> Any:
        return wait_for(what, seconds, happened, poll_s=0.1)

    def row(self, seconds: float, kind: str, *words: str) -> Row:
        """The journal row that proves a beat."""
        what = " ".join((kind, *words))
        found = self.until(what, seconds, lambda: self.desk.happened(kind, *words))
        assert isinstance(found, Row)
        return found

    def forecast(self, seconds: float) -> Row:
        """The row that heard of the forecast with which the story begins."""
        return self.row(seconds, "FAIR", "+1.5F")


# --- the beats ----------------------------------------------------------------------------------


def opened(player: Player) -> str:
    console = player.console
    wait_for("answering engine", 20, lambda: "answers (pid" in console.said())
    answered = time.monotonic()
    wait_for("first paint", 10, lambda: "\x1b[?1049h" in console.said() and "DEMO" in console.text())
    painted_s = time.monotonic() - answered
    console.wait("MARKETS [1-9]", 20)
    filled_s = time.monotonic() - answered
    player.until("ready engine", 10, lambda: player.desk.ask("status")["ready"])
    priced = player.until(
        "fair values",
        10,
        lambda: sum(m["fair"] is not None for m in player.desk.ask("markets") if "NYC" in m["label"]),
    )
    markets = len(player.desk.ask("markets"))
    return (
        f"first paint {painted_s:.2f} s and {markets} markets {filled_s:.2f} s after the engine answered, "
        f"{priced} of New York priced"
    )


def first_card(player: Player) -> str:
    moved = player.forecast(15)
    card = player.row(5, "PROPOSAL", "KXHIGHNY")
    player.console.wait("ARMED", 5)
    shown_s = time.monotonic() - player.console.started
    player.desk.turn_to_kalshi(player.console)  # either venue's may be on top; the next beat asks this one's
    approved = player.desk.approve_by_key(player.console, 10)
    if shown_s > FIRST_CARD_S:
        raise DeskError(f"the first card was armed only {shown_s:.1f} s after the command")
    return f"armed at {shown_s:.1f} s; {_text(moved)}; {_text(card)}; {_text(approved)}"


def filled(player: Player) -> str:
    def complete() -> bool:
        mine = player.desk.venue.orders(status="executed")
        return bool(mine) and all(float(order["remaining_count_fp"]) == 0 for order in mine)

    player.until("complete fill", 50, complete)
    rows = [row for row in player.desk.journal() if row.kind == "FILL"]
    held = player.desk.venue.positions()
    told = {row["ticker"]: float(row["net"]) for row in player.desk.ask("positions")}
    if told != held:
        raise DeskError(f"the desk says {told}, the venue {held}")
    return f"{len(rows)} fills, the venue holds {held}"


def moved_card(player: Player) -> str:
    """The staged one, whose price moves; sizes change whenever another card of its event is approved, and
    by a cent books move before it too."""
    from_ns = player.forecast(1).ts_mono_ns + int(NUDGE_S * 1e9)

    def moved() -> Row | None:
        rows = (row for row in player.desk.journal() if row.kind == "PROPOSAL_STATE")
        return next((row for row in rows if row.ts_mono_ns > from_ns and _reprices(text_of(row))), None)

    return _text(player.until("card that moved in price", 60, moved))


def blocked_card(player: Player) -> str:
    blocked = next(
        row
        for row in player.until(
            "BLOCKED G11 in AUS",
            60,
            lambda: [
                row
                for row in player.desk.journal()
                if row.kind == "PROPOSAL_STATE" and "BLOCKED G11" in row.payload and "KXHIGHAUS" in row.ticker
            ],
        )
    )

    def clear() -> bool:
        return all(m["intact"] for m in player.desk.ask("markets") if m["ticker"].startswith("KXHIGHAUS"))

    player.until("end of the freeze", 30, clear)
    return f"{blocked.ticker}: {_text(blocked)}; cleared"


def feed_down(player: Player) -> str:
    down = player.row(40, "FEED", "METEO DOWN")
    player.console.press(b"5")
    player.console.wait("METEO", 5)
    player.console.press(b"1")

    def back() -> bool:
        return any(
            row.kind == "FEED" and "METEO ok" in row.payload
            for row in player.desk.journal()
            if row.seq > down.seq
        )

    player.until("METEO ok again", 40, back)
    return f"{_text(down)}; back"


def lost_answer(player: Player) -> str:
    from_ns = player.forecast(1).ts_mono_ns + int(LOST_ANSWER_S * 1e9)
    player.until("time of the lost answer", 60, lambda: machine_ns() > from_ns)
    player.desk.turn_to_kalshi(player.console, 30)
    approved = player.desk.approve_by_key(player.console)
    intent = player.until(
        "intent",
        5,
        lambda: [r for r in player.desk.journal() if r.kind == "ORDER_INTENT" and r.seq > approved.seq],
    )[0]

    def outcome() -> str:
        rows = player.desk.journal()
        return next(
            (r.payload for r in rows if r.kind == "SEND_OUTCOME" and r.order_id == intent.order_id), ""
        )

    answer = str(player.until("send outcome", 10, outcome))
    if '"unresolved"' not in answer:
        raise DeskError(f"the answer was not lost: {answer}")
    player.until("adoption", 30, lambda: player.desk.ask("status")["unknown_orders"] == 0)
    same = [o for o in player.desk.venue.orders() if o["client_order_id"] == intent.order_id]
    if len(same) != 1:
        raise DeskError(f"the venue has {len(same)} orders {intent.order_id}")
    state = next(o["state"] for o in player.desk.ask("orders") if o["id"] == intent.order_id)
    return f"UNKNOWN, then {state}; the venue has it once"


def exit_card(player: Player) -> str:
    card = player.row(60, "PROPOSAL", " SELL ")
    top = player.until(
        "exit on top",
        5,
        lambda: [c for c in player.desk.ask("proposals")[:1] if c["side"].startswith("sell")],
    )
    return f"{_text(card)}; on top: {top[0]['side']} {top[0]['quantity']} @ {top[0]['price']}"


def stopped(player: Player) -> str:
    console = player.console
    console.press(STOP_KEY)
    start = player.row(5, "FLATTEN_START", "console")
    time.sleep(LADDER_PAUSE_S)
    console.press(b"f")
    ended = player.row(40, "FLATTEN_END")
    held, resting = player.desk.venue.positions(), player.desk.venue.orders(status="resting")
    if held or resting or "FLAT, confirmed" not in ended.payload:
        raise DeskError(f"{_text(ended)}; the venue holds {held} and {len(resting)} orders")
    return f"{_text(start)}; {_text(ended)}; flat after {(ended.ts_mono_ns - start.ts_mono_ns) / 1e9:.1f} s"


def resumed(player: Player) -> str:
    """The first attempt may be refused: the account has to be read once more. A person tries again."""
    console = player.console
    console.wait("FLAT, confirmed", 10)
    for attempt in range(1, 4):
        for words, shows in ((":", "type here"), ("resume\r", "Type resume"), ("resume\r", "Reason")):
            console.press(words.encode())
            console.wait(shows, 5)
        console.press(b"tour over\r")
        try:
            row = player.row(4, "RESUME")
        except DeskError:
            continue
        status = player.desk.ask("status")
        if (status["level"], status["mode"], status["paused"]) != ("NORMAL", "semi", ["*"]):
            raise DeskError(f"resumed as {status['level']} {status['mode']}, paused {status['paused']}")
        return f"{_text(row)}; semi-automatic, all entries paused (attempt {attempt})"
    raise DeskError(f"not resumed; the screen shows:\n{console.text()}")


def left(player: Player) -> str:
    engine, sim = player.desk.engine_pid(), player.desk.sim_pid()
    player.console.press(b"q")
    code = player.console.ended()
    if code or alive(engine) or alive(sim) or not player.console.restored():
        raise DeskError(f"code {code}, engine {alive(engine)}, simulator {alive(sim)}")
    verified = player.desk.run("journal", "verify")
    if verified.code:
        raise DeskError(verified.out)
    return f"both stopped, terminal restored; {verified.out.splitlines()[-1]}"


BEATS: tuple[Callable[[Player], str], ...] = (
    opened,
    first_card,
    filled,
    moved_card,
    blocked_card,
    feed_down,
    lost_answer,
    exit_card,
    stopped,
    resumed,
    left,
)


def play(seed: int, beats: tuple[Callable[[Player], str], ...] = BEATS) -> Iterator[Outcome]:
    """Start the demo and play the beats in order; a missing beat does not end the story."""
    with rig.home() as desk:
        console = desk.terminal("demo", "--seed", str(seed))
        try:
            player = Player(desk, console)
            for beat in beats:
                name = beat.__name__.replace("_", " ")
                try:
                    proof, missing = beat(player), ""
                except DeskError as error:
                    proof, missing = "", str(error)
                yield Outcome(name, time.monotonic() - console.started, proof, missing)
        finally:
            console.close()


def _reprices(said: str) -> bool:
    """Whether a row's text says that a card MOVED to another price."""
    prices = PRICE.findall(said)
    return " MOVED " in said and len(prices) == 2 and prices[0] != prices[1]


def _text(row: Row) -> str:
    return text_of(row)[:160]
