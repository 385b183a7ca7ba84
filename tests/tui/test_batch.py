"""The screens beside the Desk on which a card is read and decided on: its evidence, and its event's batch."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from core.control.protocol import Approve, Edit, Query, Veto
from tests.tui import rows
from tests.tui.conftest import Desk, running
from tests.tui.fake_engine import read_clocks
from tests.tui.test_card_keys import NOW, Hands
from tests.tui.test_screens import checked_lines
from tui.lines import plain
from tui.screens.batch import Batch, BatchTable, together
from tui.screens.evidence import evidence_lines

EVENT = next(static.event for static in rows.statics() if static.key == 2)
TOGETHER = {
    "event": EVENT, "cards": 2, "cost": "25.30", "fee": "0.30", "event_now": "4.02", "event_after": "29.62",
    "event_limit": "200", "total_now": "34.36", "total_after": "59.96", "total_limit": "60",
    "outcomes": [
        {"label": "48-49", "made": "14.05"}, {"label": "50-51", "made": "-5.60"},
        {"label": "none", "made": "-25.60"},
    ],
}  # fmt: skip


def beside(desk: Desk) -> None:
    """A second card of the first one's event."""
    now = read_clocks()
    other = rows.card(now, id="5B3C", fingerprint="fp-5", key=3, price=2_500, edge=120)
    desk.engine.send(proposals=(other,))


async def test_a_batch_shows_the_cards_of_one_event_and_one_key_decides_on_one(directory: Path) -> None:
    async with running(directory, size=(80, 24)) as desk:
        desk.engine.answers[EVENT] = json.dumps(TOGETHER).encode()
        beside(desk)
        await desk.shows("of 3")
        await desk.press("b")
        await desk.shows("BATCH NYC high Nov 23  2 of 3 cards")
        await desk.shows("event at worst 4.02 -> 29.62 of 200")
        await desk.shows("none -25.60")
        lines = checked_lines(desk)
        (first,) = [row for row in lines if ">48-49" in row]
        assert "BUY YES" in first and "12.95" in first and "+5.8" in first
        (second,) = [row for row in lines[17:] if " 50-51" in row and "BUY YES" in row]
        assert ">" not in second and not any("NYC hi Nov24" in row and "BUY" in row for row in lines[17:])
        desk.stand()
        await desk.press("j")
        await desk.until(lambda: desk.app.operator.arming.card_id == "5B3C")
        await desk.shows(" ARMING ")
        desk.go_on()
        await desk.shows(" ARMED ")
        assert desk.app.operator.card is not None and "APPROVE 2 of 3" in desk.text
        await desk.press("enter")
        assert desk.sent(Approve) == []
        await desk.press("a")
        command = await desk.engine.expect(Approve)
        assert command.fingerprint == "fp-5"  # type: ignore[attr-defined]
        assert {q.about for q in desk.sent(Query) if q.what == "batch"} == {EVENT}


async def test_a_card_is_decided_on_below_its_evidence_and_the_screen_goes_on_to_the_next(
    directory: Path,
) -> None:
    async with running(directory, size=(80, 24)) as desk:
        await desk.shows(" ARMED ")
        await desk.press("v")
        await desk.shows("EVIDENCE 4F2A")
        await desk.shows("HRRR 12Z 48.9F.")
        await desk.pilot.resize_terminal(40, 6)
        await desk.shows(" SMALL ")
        await desk.pilot.resize_terminal(80, 24)
        await desk.shows(" ARMED ")
        assert "40 @ 32c" in desk.text
        await desk.press("pagedown", "e", *"20", "enter")
        edit = await desk.engine.expect(Edit)
        assert edit.quantity == 20 * rows.C  # type: ignore[attr-defined]
        await desk.press("x")
        veto = await desk.engine.expect(Veto)
        assert veto.proposal_id == "4F2A"  # type: ignore[attr-defined]
        await desk.shows("4F2A: why not?  p price")
        desk.engine.send(proposals=(rows.card(read_clocks(), state="VETOED"),))
        await desk.shows("EVIDENCE 77C1")
        await desk.press("o")
        await desk.until(lambda: desk.sent(Veto)[-1].reason == "other")
        await desk.shows(" ARMED ")
        await desk.press("a")
        approved = await desk.engine.expect(Approve)
        assert approved.proposal_id == "77C1"  # type: ignore[attr-defined]
        await desk.press("escape")
        await desk.shows("MARKETS")


@pytest.mark.parametrize("width", [78, 158])
def test_what_all_cards_come_to_warns_of_a_limit_and_is_silent_where_several_may_pay(width: int) -> None:
    lines = together(msgspec.convert(TOGETHER, Batch), width)
    text = "\n".join(plain(row) for row in lines)
    assert all(len(plain(row)) <= width for row in lines) and len(lines) <= 4
    assert "all 2 cards cost 25.30 fee 0.30" in text and "48-49 +14.05" in text
    roles = {span.text: span.role for row in lines for span in row}
    assert roles["59.96"] == "near" and roles["29.62"] == "strong"
    alone = msgspec.structs.replace(
        msgspec.convert(TOGETHER, Batch), cards=1, outcomes=(), total_after=Decimal(61)
    )
    (row, *rest) = together(alone, width)
    assert plain(row).startswith(" the card cost") and "filled" not in "".join(map(plain, rest))
    assert any(span == ("61.00", "breach") for line in (row, *rest) for span in line)


def test_a_plan_in_a_batch_has_no_price_of_its_own_and_the_edge_of_a_set() -> None:
    card = rows.plan_card(NOW)
    scene, table = Hands(card).scene(), BatchTable()
    table.show(scene, [card])
    cells = {column.name: column.cell(scene, card.id).text for column in table.columns}
    assert (cells["price"], cells["fair"], cells["trade"].strip()) == (
        "--",
        "--",
        f"{len(card.plan.legs)} legs",
    )
    assert cells["edge"] == f"{card.edge / 100:+.1f}"


def test_the_evidence_of_a_plan_cuts_no_word_of_what_can_go_wrong() -> None:
    caution = " ".join(f"word{n}" for n in range(40))
    card = rows.plan_card(NOW)
    card = msgspec.structs.replace(card, plan=msgspec.structs.replace(card.plan, cautions=(caution,)))
    lines = [plain(row) for row in evidence_lines(Hands(card).scene(), card, 78)]
    assert caution in " ".join(" ".join(lines).split()) and max(map(len, lines)) <= 78
