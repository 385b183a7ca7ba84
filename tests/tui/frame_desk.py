"""The desk of the frames: that of ``rows`` with both venues, at one moment, its clock moved by hand; what its
engine answers, and what its journal has."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from core.control.protocol import Frame
from core.control.tables.account import JournalRow
from core.domain.units import contracts
from core.execution.events import OrderAnswered, OrderFilled, OrderIntended, OrderReported
from core.journal.events import Event, Kind
from core.venues.venue import Accepted, ReportStatus
from tests.journal.test_story import a_fill, a_report, an_intent
from tests.tui import rows
from tests.tui.conftest import Desk
from tests.tui.market_told import equity_told, history_told, market_told, payoff_told
from tests.tui.rows import S
from tests.tui.test_batch import TOGETHER
from tests.tui.test_feeds import TOLD as SOURCE_TOLD
from tests.tui.test_funnel import told as funnel_told
from tests.tui.test_score import VETOES, WORSE
from tests.tui.test_score import told as score_told
from tests.tui.test_system import told as system_told
from tests.tui.test_truth import account_line
from tui.tables import TRACE_MARKS, Now

START = Now(1_000 * S, rows.WORLD_MS)
ORDER = "pm-r1-0001-abc"
"""The order whose story the journal has."""
TICKER = next(static.ticker for static in rows.statics() if static.key == 2)
HELD = next(static.ticker for static in rows.statics() if static.key == 10)
"""Of the first position."""
RULES = {
    "ticker": TICKER, "venue": "kalshi", "hash": "9f3c51e07ab2", "pinned": "9f3c51e07ab2",
    "series": "KXHIGHNYC", "waits": "", "mark": "",
    "text": "If the highest temperature recorded at Central Park, New York on Nov 23, 2026 is between 48 and "
    "49 degrees Fahrenheit according to the National Weather Service's Climatological Report (Daily), then "
    "the market resolves to Yes. Revisions after the report's first issue do not count.",
}  # fmt: skip
PREVIEW = {"cost": "6.20", "fee": "0.08", "max_loss": "6.28", "edge": "0.068", "blocked": ""}
_WALK = (3_100, 3_100, 3_150, 3_200, 3_250, 3_200, 3_300, 3_350, 3_300, 3_250)
"""Middles of a book, for the sparks."""
NEWEST = 1_000
"""Behind the newest row of the journal."""


class Still:
    """The clock of the frames, for the console, its engine and its journal."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> Now:
        return self.now

    def passes(self, seconds: float) -> None:
        mono_ns, wall_ms = self.now
        self.now = Now(mono_ns + int(seconds * S), wall_ms + int(seconds * 1000))

    def mono_ns(self) -> int:
        return self.now.mono_ns

    def wall_ms(self) -> int:
        return self.now.wall_ms


class Stage:
    """A console whose tables are written directly: no frame is on its way while a picture is taken."""

    def __init__(self, desk: Desk, clock: Still, newest: tuple[JournalRow, ...]) -> None:
        self.desk, self.clock, self.newest = desk, clock, newest
        self._seq = 1_000

    def tell(self, **parts: Any) -> None:
        self._seq += 1
        self.desk.app.view.apply(Frame(self._seq, self.clock.mono_ns(), **parts), self.clock())

    def status(self, **changes: Any) -> None:
        usual = {"links": self._links(), "feeds": rows.twenty(self.clock()), "viewers": 1, "unsettled": 4}
        self.tell(status=rows.status(self.clock(), session=self.desk.engine.session, **(usual | changes)))

    def card(self, card: Callable[..., Any] = rows.card, **changes: Any) -> None:
        """That card and the one that waits behind it."""
        self.tell(gone_proposals=("4F2A",))
        self.tell(proposals=(card(self.clock(), **changes),))

    def _links(self) -> tuple[rows.LinkRow, ...]:
        now = self.clock()
        kalshi = rows.LinkRow("kalshi", "ok", now.mono_ns - 400_000_000, "", None, account="91c7")
        return kalshi, rows.poly_link(now)


def desk_rows(stage: Stage) -> None:
    """The usual desk: both venues, every family of feeds, two cards of one event and one of another."""
    now, session, view = stage.clock(), stage.desk.engine.session, stage.desk.app.view
    view.apply(rows.snapshot(now, session), now)
    view.journal.clear()
    ours = rows.events()[0]
    theirs = replace(ours, event="poly-nyc", brackets=(replace(ours.brackets[2], key=rows.POLY_KEY),))
    stage.tell(**rows.two_venues(now, session), events=(theirs,), journal=stage.newest)
    stage.status()
    view.trace(now)  # and not again before the picture is taken
    view.markets = {key: replace(row, volume=row.bid_size * 40) for key, row in view.markets.items()}
    view.mids = {key: deque(_WALK, maxlen=TRACE_MARKS) for key in view.markets}
    beside = rows.card(now, id="5B3C", fingerprint="fp-5", key=3, price=2_500, edge=120)
    stage.tell(proposals=(beside,))


def answers() -> dict[str, bytes]:
    """What the engine answers: nothing else is asked."""
    told = {
        "NYC": TOGETHER | {"event": "NYC"},
        "coinbase": SOURCE_TOLD,
        "funnel": funnel_told(),
        "score": [score_told(), WORSE],
        "vetoes": VETOES,
        "system": system_told(),
        TICKER: RULES,
        "4F2A fp-1 3100 20000000": PREVIEW,
        f"{TICKER} yes 3100 20000000 post-only": PREVIEW,
        "account": [
            account_line("cash", "agrees", ours="462.35", theirs="462.35"),
            account_line("position", "agrees", ticker=TICKER),
            account_line("order", "moved", ticker=TICKER, subject="pm-91c7", theirs="not listed"),
        ],
    }
    ready = {name: json.dumps(answer).encode() for name, answer in told.items()}
    return ready | {
        f"market {TICKER}": market_told(TICKER),
        f"history {TICKER}": history_told(TICKER),
        "equity": equity_told(),
        f"payoff {HELD}": payoff_told(HELD),
    }


class Journalling(Still):
    """The journal's clock: its rows are spread over the two hours before the frames."""

    def __init__(self) -> None:
        super().__init__()
        self.passes(-7_200)

    def wall_ms(self) -> int:
        self.passes(97)
        return super().wall_ms()


def journalled() -> tuple[Event, ...]:
    """The journal: a card, its order with all that became of it, and what others did. The newest rows are
    those that frames bring."""

    def said(kind: Kind, text: str, actor: str = "engine", **more: Any) -> Event:
        return Event(kind, {"text": text}, actor=actor, **more)

    def of_order(kind: Kind, payload: object, cause: int) -> Event:
        return Event(kind, payload, ORDER, TICKER, cause)

    trader, other = "console pid 4711 (uid 1000)", "console pid 9 (uid 0)"
    made = OrderIntended(an_intent(ORDER, TICKER), '{"passed":true}')
    return (
        said(Kind.START, "engine starts, world w1"),
        said(Kind.FEED, "NWS OKX forecast 13:31Z replaced 07:32Z: mean +1.5F"),
        Event(
            Kind.PROPOSAL,
            {"proposal_id": "4F2A", "text": "4F2A NYC hi Nov23 48-49 BUY YES 10 @ 32c, edge +5.8c"},
            ticker=TICKER,
            cause_seq=2,
        ),
        said(Kind.APPROVAL, "4F2A approved", trader, ticker=TICKER, cause_seq=3),
        of_order(Kind.ORDER_INTENT, made, 4),
        of_order(Kind.SEND_OUTCOME, OrderAnswered(Accepted("v-1", contracts(4), contracts(6), 5), 6), 5),
        of_order(Kind.FILL, OrderFilled(a_fill(ticker=TICKER), "stream"), 5),
        said(Kind.LIMIT, "day_loss_max 75.00 -> 60.00: going out", other),
        said(Kind.HALT, "market KXHIGHNYC-26NOV23-B48-49 REDUCE_ONLY: late fill"),
        said(Kind.RESUME, "market KXHIGHNYC-26NOV23-B48-49: looked at it", other),
        Event(
            Kind.ALARM, {"text": "CHECK AUS hi Nov23 book is 14 s old, limit 3 s.", "id": 1, "level": "CHECK"}
        ),
        said(Kind.COMMAND, "cancel pm-r1-0001-abc", other, cause_seq=5),
        of_order(
            Kind.ORDER_REPORT, OrderReported(a_report(ReportStatus.CANCELED, 4, ORDER, TICKER), "stream"), 12
        ),
    )
