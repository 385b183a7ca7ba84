"""What the approval card keeps where a row has no room for all of it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from core.control.protocol import Frame
from core.control.tables.cards import BeforeRow, CheckRow, UsedRow
from tests.tui import rows
from tui.keymap import keymap
from tui.lines import plain, width_of
from tui.scene import Scene
from tui.tables import Now
from tui.view_model import ViewModel
from tui.widgets import order_card
from tui.widgets.card import column_lines, compact_lines
from tui.widgets.card_state import keys_line, state_groups
from tui.widgets.key_hints import hint_line

NOW = Now(1_000 * rows.S, 1_700_000_000_000)
WIDTH = 78
"""Of a body at 80 columns."""


def shown(**changes: object) -> list[str]:
    card = rows.card(NOW, **changes)
    lines = compact_lines(Scene(ViewModel(), NOW, 80, cards=(card,), card=card), card, WIDTH)
    assert all(width_of(one) <= WIDTH for one in lines)
    return [plain(one) for one in lines]


@pytest.mark.parametrize(
    "source", ["SPX", "Northeast corridor", "Northeast corridor and the lower Great Lakes"]
)
def test_what_binds_is_named_beside_full_and_used_kelly_however_long_its_name(source: str) -> None:
    row = shown(kelly_full=1.0, bound_by=f"correlated limit ({source})")[3]
    assert row.startswith("full kelly 100.0%") and "used 0.25 x 0.71" in row
    assert f"bound by correlated limit ({source}"[:33] in row


def test_a_sale_says_how_much_may_be_sold_at_all_or_that_nobody_knows() -> None:
    sale = {"closes": True, "bound_by": "position"}
    assert shown(**sale)[3].split() == ["sellable", "--", "bound", "by", "position"]
    view = ViewModel()
    view.apply(rows.snapshot(NOW, "me"), NOW)
    held = replace(rows.positions()[0], sellable=12_500_000)
    view.positions[held.key] = held
    card = rows.card(NOW, key=held.key, **sale)
    lines = compact_lines(Scene(view, NOW, 80, cards=(card,), card=card), card, WIDTH)
    assert plain(lines[3]).startswith("sellable 12.50")


@pytest.mark.parametrize(
    ("price", "says"),
    [(2_900, "expected fill 41% in 1 h"), (3_000, "expected fill 41% in 1 h"), (2_800, "-- 1c behind")],
)
def test_an_order_behind_the_best_price_is_promised_no_fill(price: int, says: str) -> None:
    """What is expected to fill counts those who come for the best price."""
    lines = "\n".join(shown(price=price, bid=2_900, ask=3_200, fill=0.41, style="post-only"))
    assert says in lines


def test_a_card_that_was_sent_counts_no_time_down() -> None:
    """Its order has an end of its own; the card's was read as that."""
    for state, counts in (("OPEN", True), ("SENT", False)):
        card = rows.card(NOW, state=state)
        scene = Scene(ViewModel(), NOW, 160, cards=(card,), card=card)
        assert ("exp " in plain(column_lines(scene, card, 60, 18)[0])) is counts


def test_what_can_be_lost_in_all_never_reads_as_less_than_it_is() -> None:
    used = UsedRow("total", 18_760_000, 0, 800_000_000)
    assert "total 19/800" in "\n".join(shown(used=(used,)))


def test_the_net_edge_is_never_crowded_out_by_what_the_fair_value_is_made_of() -> None:
    wide = {"fair": 10_000, "sigma": 1_290, "bid": 8_150, "ask": 8_450, "edge": 1_580, "edge_half": -1_580}
    row = shown(**wide, model=10_000, market=10_000, weight=0.35)[2]
    assert "fair 100.0c" in row and "book 8" in row and "net edge +15.8c" in row
    assert "model 38.2c x0.35 market 32.5c" in shown(model=3_820, market=3_250, weight=0.35)[2]


def test_a_fair_value_beyond_the_market_is_told_by_how_the_market_counts_in_it() -> None:
    beyond = {"model": 7_490, "market": 7_580, "weight": 0.41, "fair": 7_650, "sharpened": 7_720}
    told = [
        plain(group) for group in order_card.value(Scene(ViewModel(), NOW, 120), rows.card(NOW, **beyond))
    ]
    assert told[4:6] == ["model 74.9c x0.41 market 75.8c", "sharpened 77.2c"]
    alike = rows.card(NOW, **beyond | {"sharpened": 7_582})
    assert not any(
        "sharpened" in plain(group) for group in order_card.value(Scene(ViewModel(), NOW, 120), alike)
    )
    assert "market 75.8c" in shown(**beyond)[2], "it gives way before what it explains"


WARNED = (
    CheckRow("AUTO", "not sent by automatic mode: no record of this model yet", "a record", blocks=False),
)
POOLED = {"model": 3_900, "market": 3_250, "weight": 0.5}


@pytest.mark.parametrize(("width", "height"), [(60, 14), (60, 11), (48, 16), (48, 14)])
@pytest.mark.parametrize("checks", [(), WARNED])
@pytest.mark.parametrize(
    "moved", [{}, {"was": rows.before(price=3_100, fair=4_010, edge=810, cost=12_400_000)}]
)
def test_why_and_against_stay_beside_the_state_where_a_column_is_too_low_for_all_of_it(
    width: int, height: int, checks: tuple[CheckRow, ...], moved: dict[str, BeforeRow]
) -> None:
    card, other = rows.card(NOW, checks=checks, **POOLED, **moved), rows.second_card(NOW)
    scene = Scene(ViewModel(), NOW, 160, cards=(card, other), card=card, card_word="ARMED")
    lines = [plain(row) for row in column_lines(scene, card, width, height)]
    assert len(lines) <= height and all(len(row) <= width for row in lines)
    shown = "\n".join(lines)
    for wanted in (
        "BUY YES",
        "40 @ 32c",
        "max loss",
        "net edge",
        "pos 0 -> 40",
        "why 3 of 4",
        "against spread",
    ):
        assert wanted in shown, shown
    assert " ARMED " in shown and "12 @ 27c" in lines[-1], "the state, and the card that waits"


def test_a_moved_card_shows_old_and_new_of_all_that_moved_for_as_long_as_it_is_news() -> None:
    moved = {
        "was": rows.before(fair=4_010, edge=810),
        "price": 3_300,
        "cost": 13_200_000,
        "changed_ns": NOW.mono_ns - 14 * rows.S,
    }
    _, order, value, *_ = shown(**moved)
    assert "40 @ 33c post-only MOVED, was 40 @ 32c" in order and "cost 13.20 was 12.80" in order
    assert "fair 38.2c +/-2.9   was 40.1c" in value and "net edge +5.8c was +8.1c" in value
    same = "\n".join(shown(was=rows.before(edge=590)))
    assert "was +5.9c" in same and same.count("was") == 1, "what did not move is said once"
    assert "was" not in "\n".join(shown(**(moved | {"changed_ns": NOW.mono_ns - 16 * rows.S})))


@pytest.mark.parametrize("profile", ["live", "demo"])
@pytest.mark.parametrize("width", [78, 60, 48])
def test_a_large_card_asks_with_profile_venue_account_count_and_dollars(profile: str, width: int) -> None:
    view, card = ViewModel(), rows.card(NOW, large=True)
    link = rows.LinkRow("kalshi", "ok", NOW.mono_ns, "", None, account="91c7")
    view.apply(rows.snapshot(NOW, "me", profile=profile), NOW)
    status = rows.status(NOW, session="me", profile=profile, links=(link,))
    view.apply(Frame(2, NOW.mono_ns, status=status), NOW)
    scene = Scene(view, NOW, 80, cards=(card,), card=card, card_word="CONFIRM")
    drawn = compact_lines(scene, card, width) if width == 78 else column_lines(scene, card, width, 20)
    text = " ".join(" ".join(plain(row).split()) for row in drawn)
    asked = f"CONFIRM {profile.upper()} KAL ..91c7, 40 for 12.80: y for YES, n for NO sends it"
    assert asked in text, text


def test_a_card_names_the_keys_that_the_operator_has_given_it() -> None:
    own = keymap({"card": {"approve": "A", "yes": "Y", "evidence": "F7"}})
    for changes, word, says in (
        ({}, "ARMED", "A approve  x veto  e edit  d defer  F7 why"),
        ({"large": True}, "CONFIRM", "Y for YES, n for NO sends it"),
        ({"state": "DEFERRED"}, "ARMED", "A approve  x veto  e edit  F7 why"),
    ):
        card = rows.card(NOW, **changes)
        scene = Scene(
            ViewModel(), NOW, 160, cards=(card,), card=card, card_word=word, keymap=own, controls=True
        )
        state = [*state_groups(scene, card), keys_line(scene, card, 60)]
        assert says in "  ".join(plain(group).strip() for group in state)


@pytest.mark.parametrize(
    ("word", "named"),
    [
        *((word, True) for word in ("ARMING", "MOVED", "ARMED")),
        *((word, False) for word in ("CONFIRM", "EXPIRED", "LAG", "BLOCKED G11")),
    ],
)
def test_only_a_card_that_can_be_approved_names_the_key_for_it(word: str, named: bool) -> None:
    view, card = ViewModel(), rows.card(NOW)
    view.connected = True
    scene = Scene(view, NOW, 160, cards=(card,), card=card, card_word=word, controls=True)
    assert ("a approve" in plain(keys_line(scene, card, 60))) is named
    hints = plain(hint_line(scene, "desk", more=False))
    assert ("a yes" in hints) is named and "x no" in hints
