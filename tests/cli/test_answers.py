"""What the verbs print of a desk of two venues, from the very rows the console is drawn from."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

from core.control.queries.answers import Rows, answer
from core.control.queries.fields import Now as AnswerNow
from core.control.tables.markets import MarketStatic
from tests.tui import rows
from tui import answers
from tui.tables import Now

NOW = Now(mono_ns=10**12, wall_ms=rows.WORLD_MS)
TABLES: dict[str, Any] = rows.two_venues(NOW, "s")
STATICS: dict[int, MarketStatic] = {row.key: row for row in (*rows.statics(), *TABLES["statics"])}


def asked(what: str, **more: Any) -> Any:
    found = Rows(**{"status": TABLES["status"], "reconcile": TABLES["reading"]} | more)
    return json.loads(answer(what, found, AnswerNow(*NOW, rows.WORLD_MS, STATICS)))


def status(**changes: Any) -> str:
    links = (TABLES["status"].links[0], rows.poly_link(NOW, **changes))
    changed = msgspec.structs.replace(TABLES["status"], links=links)
    return "\n".join(answers.status_lines(asked("status", status=changed)))


def test_positions_keep_confirmed_provisional_and_failed_apart_and_name_the_page() -> None:
    held = asked("positions", positions=TABLES["positions"])
    columns = answers.columns_of("positions", held, several=True)
    assert columns[:7] == ("venue", "label", "net", "confirmed", "unsettled", "failed", "sellable")
    _, *lines = answers.table_lines(held, columns)
    (there,) = [text for text in lines if text.startswith("polymarket  NYC hi Nov23 48-49")]
    assert there.split()[5:10] == ["10.00", "6.00", "4.00", "3.00", "6.00"]
    told = "\n".join(answers.waiting_lines(held))
    assert f"{rows.SLUG}: 4.00 provisional, not to be sold before they are confirmed; 3.00 FAILED" in told
    assert f"{rows.PLAIN_SLUG}: under the venue's smallest order, not sellable until resolution" in told
    assert f"2.00 pairs to merge by hand; 7.00 to redeem by hand; {rows.PAGE}" in told


def test_markets_end_with_what_commands_take() -> None:
    listed = asked("markets", markets=TABLES["markets"])
    header, *lines = answers.table_lines(listed, answers.columns_of("markets", listed, several=True))
    assert header.endswith("  ticker") and lines
    assert [text.split()[-1] for text in lines] == [market["ticker"] for market in listed]


def test_a_desk_of_one_venue_prints_what_it_always_did() -> None:
    held = asked("positions", positions=rows.positions())
    assert answers.columns_of("positions", held, several=False) == answers.COLUMNS["positions"]
    assert list(answers.waiting_lines(held)) == []
    assert answers.columns_of("orders", [], several=False) == answers.COLUMNS["orders"]


def test_a_status_tells_the_countdown_the_mode_and_what_holds_a_venue_back() -> None:
    assert "polymarket  ok  beat 8 s\n" in status()
    missed = rows.beat(NOW, ends_ns=NOW.mono_ns + 3 * rows.S, missed=2, why="2 heartbeats were missed")
    assert "NO BEAT 3 s: 2 heartbeats were missed, no entries there, orders end" in status(beat=missed)
    assert "no beat yet: not armed, no entries" in status(beat=rows.beat(NOW, ends_ns=None, why="not armed"))
    assert "polymarket  PAUSED  cancels only  beat 8 s" in status(state="PAUSED", detail="cancels only")
    assert "beat 8 s  REDUCE_ONLY: closed-only" in status(halt="REDUCE_ONLY: closed-only")


def test_a_status_tells_who_brought_the_desk_where_it_stands_when_and_why() -> None:
    told = {
        "level": "HALTED", "level_by": "engine", "level_wall_ms": NOW.wall_ms,
        "level_reason": "lost 75.12 today",
        "paused": ("*",), "paused_by": "pid 9 (uid 0)", "paused_wall_ms": NOW.wall_ms, "paused_why": "",
    }  # fmt: skip
    stands = asked("status", status=msgspec.structs.replace(TABLES["status"], **told))
    first = next(iter(answers.status_lines(stands)))
    assert re.fullmatch(
        r"demo  semi  HALTED \(by engine at 2026-11-22T\S+Z: lost 75.12 today\),"
        r" paused \* \(by pid 9 \(uid 0\) at 2026-11-22T\S+Z\)",
        first,
    )
    assert next(iter(answers.status_lines(asked("status", status=TABLES["status"])))) == "demo  semi  NORMAL"


def test_a_reading_tells_of_each_account_and_a_stop_of_each_ladder() -> None:
    cash = rows.difference(NOW, "R13", about="cash", key=0, ticker="", venue="polymarket")
    text = "\n".join(answers.reconcile_lines(asked("reconcile", reconcile=rows.two_readings(NOW, cash))))
    assert "kalshi: agrees, read 3s ago\npolymarket: 1 differ, read 3s ago\n" in text
    assert "R13 polymarket cash: we say" in text
    unread = rows.two_readings(NOW, complete=False, reason="trades: timeout")
    text = "\n".join(answers.reconcile_lines(asked("reconcile", reconcile=unread)))
    assert "polymarket: INCOMPLETE, trades: timeout" in text
    stop = answers.progress_line(asked("status", flatten=rows.two_ladders(NOW))["flatten"])
    assert "kalshi FLAT: cancelled 2 of 2, exits 4 of 4, left 0.00; polymarket EXITING: " in stop
    assert "left 10.00, post-only after a restart" in stop


def test_a_plan_is_told_with_its_legs_and_what_can_go_wrong() -> None:
    leg = {"ticker": "A", "outcome": "NO", "price": "0.4100", "quantity": "20.00"}
    plan = {
        "kind": "every YES sold",
        "pays": "20.00",
        "profit": "0.52",
        "worst": "8.20",
        "cautions": ["a leg that fails", "a void"],
        "legs": [leg, {**leg, "ticker": "B"}],
    }
    row = {"id": "P7-ab", "quantity": "20.00", "cost": "18.40", "fee": "1.08", "plan": plan}
    assert list(answers.plan_lines([row, {**row, "plan": None}])) == [
        "P7-ab: every YES sold, 20.00 sets for 18.40 and fees of 1.08, pays 20.00, profit 0.52, "
        "at worst -8.20",
        "  BUY NO 20.00 @ 0.4100  A",
        "  BUY NO 20.00 @ 0.4100  B",
        "  can go wrong: a leg that fails; a void",
    ]
