"""Trading by hand from the keyboard: what a ticket's text and keys make of it, and what is then sent."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from core.control.protocol import (
    Amend,
    AnyCommand,
    Approve,
    CancelMarket,
    Flatten,
    Frame,
    Propose,
    Query,
    Reply,
)
from core.control.tables.cards import ProposalRow
from tests.tui import rows
from tests.tui.conftest import running
from tests.tui.fake_engine import read_clocks
from tests.tui.test_card_keys import FIRST, NOW, SECOND, Hands
from tui import commands
from tui.actions import TRADES
from tui.keymap import USUAL
from tui.lines import plain
from tui.talks import Question
from tui.ticket_talks import Typed, change, close, parse_ticket, ticket
from tui.widgets.order_card import reasons, size, value

KEY = FIRST.key
C = 1_000_000


def asked(hands: Hands, key: int = KEY) -> Question:
    question = next(ticket(hands.operator, lambda: hands.now, key))
    assert isinstance(question, Question)
    return question


def say(hands: Hands, line: str) -> str:
    """Carry out a line of the command line; what it says instead of sending anything."""
    parsed = commands.parse(line)
    assert not isinstance(parsed, str), parsed
    talk = commands.talk(parsed, hands.operator, lambda: hands.now)
    assert talk is not None
    try:
        question = next(talk)
    except StopIteration as end:
        return str(end.value)
    return question if isinstance(question, str) else question.prompt


def sent(hands: Hands) -> list[AnyCommand]:
    return [command for command in hands.sent if not isinstance(command, Query)]


def by_hand(**changes: object) -> ProposalRow:
    return rows.card(
        NOW, id="P77", fingerprint="fp-77", strategy="manual", by_hand=True, edge=-500, **changes
    )


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("", Typed()),
        ("40", Typed(quantity=40 * C)),
        ("@31.5", Typed(price=3_150)),
        ("no 2.5@ 31 ioc", Typed("no", 3_100, 2_500_000, "ioc")),
        ("y 7 l", Typed("yes", None, 7 * C, "limit")),
        ("post-only sell @ 99", Typed("sell", 9_900, None, "post-only")),
    ],
)
def test_a_ticket_is_read_in_any_order_and_what_is_left_out_stays_open(text: str, typed: Typed) -> None:
    assert parse_ticket(text) == typed


@pytest.mark.parametrize(
    "text",
    [
        "buy", "40 41", "@", "40 @", "-3", "yes no", "1.00000001", "@ 31 @ 32", "\x1b", "0", "sell 0",
        "sell @ 0", "40 @ 100", "40 @ 31.255",
    ],
)  # fmt: skip
def test_what_is_no_ticket_is_said_in_a_sentence(text: str) -> None:
    assert isinstance(parse_ticket(text), str)


def test_keys_choose_side_and_style_and_move_the_price_by_its_tick() -> None:
    keys = asked(Hands(FIRST)).keys
    assert keys["up"]("40") == "yes 40 @ 32 post-only", "from the bid it would join"
    assert keys["down"]("yes 40 @ 32 post-only") == "yes 40 @ 31 post-only"
    assert keys["tab"]("40 @ 35") == "no 40" and keys["tab"]("no 40") == "sell 40" == keys["tab"]("no 40 ioc")
    assert keys["tab"]("sell 40") == "yes 40"
    assert keys["up"]("no 40") == "no 40 @ 67 post-only", "34 asked for YES is 66 bid for NO"
    assert keys["up"]("no 40 ioc") == "no 40 @ 70 ioc", "what takes starts at the offer"
    assert keys["shift+tab"]("40") == "yes 40 limit" and keys["shift+tab"]("40 limit") == "yes 40 ioc"
    assert keys["shift+tab"]("sell") == "sell post-only" and keys["shift+tab"]("sell post-only") == "sell ioc"
    assert keys["down"]("@ 1") == "yes @ 1 post-only "
    for key in keys:
        behind = keys[key]("") + "40"
        assert parse_ticket(behind) == parse_ticket(keys[key]("40")), "a size is typed behind what keys made"
    assert {keys[key]("40 50") for key in keys} == {"40 50"}, "what cannot be read is left as it is"


def test_a_ticket_tells_what_it_would_come_to_and_sends_nothing_but_a_wish_for_a_card() -> None:
    hands = Hands(FIRST)
    question = asked(hands)
    assert "NYC hi Nov23 48-49: SIZE" in question.prompt
    assert question.tell("no").startswith("no @ 66 post-only: type a size; Tab side") and hands.sent == []
    assert question.tell("40") == "yes 40 @ 31 post-only: ..."
    (query,) = hands.sent
    ticker = hands.view.statics[KEY].ticker
    assert isinstance(query, Query) and query.about == f"{ticker} yes 3100 40000000 post-only"
    figures = {"cost": "12.40", "fee": "0", "max_loss": "12.40", "edge": None, "blocked": ""}
    hands.operator.replied(Reply(query.id, True, "", msgspec.json.encode(figures)), hands.now)
    assert question.tell("40").endswith("cost 12.40  fee 0.00  max loss 12.40  net edge --")
    row = msgspec.structs.replace(hands.view.markets[KEY], bid=3_200)
    hands.view.apply(Frame(3, hands.now.mono_ns, markets=(row,)), hands.now)
    assert question.tell("40").startswith("yes 40 @ 32 post-only"), "a price of its own follows the book"
    talk = ticket(hands.operator, lambda: hands.now, KEY)
    next(talk)
    again = talk.send("@ 31")
    assert isinstance(again, Question) and again.prompt.startswith("type a size") and again.value == "@ 31"
    with pytest.raises(StopIteration):
        talk.send("40 ioc")
    (wish,) = sent(hands)
    assert isinstance(wish, Propose)
    assert (wish.ticker, wish.side, wish.price, wish.quantity, wish.style) == (
        ticker,
        "yes",
        3_400,
        40 * C,
        "ioc",
    )


def test_the_card_that_was_asked_for_is_selected_once_and_arms_like_any_other() -> None:
    hands = Hands(FIRST)
    came: list[bool] = []
    hands.operator.on_asked = lambda: came.append(True)
    hands.later(500)
    assert hands.scene().card_word == "ARMED"
    hands.operator.expect_card(KEY)
    assert hands.scene().card == FIRST and not came
    card = by_hand(created_ns=hands.now.mono_ns, changed_ns=hands.now.mono_ns)
    elsewhere = by_hand(created_ns=card.created_ns, changed_ns=card.changed_ns)
    elsewhere = msgspec.structs.replace(elsewhere, id="P76", fingerprint="fp-76", key=SECOND.key)
    assert hands.frame(FIRST, elsewhere).card == FIRST, "somebody else's wish takes nothing"
    scene = hands.frame(FIRST, elsewhere, card)
    assert {row.id for row in scene.cards[:2]} == {"P76", "P77"}, "on top of all, whatever a model says of it"
    assert (scene.card, scene.card_word, came) == (card, "ARMING", [True])
    assert hands.later(500).card_word == "ARMED"
    hands.operator.select_card(FIRST.id, hands.now)
    assert hands.scene().card == FIRST and came == [True], "it takes the selection but once"
    hands.operator.select_card(card.id, hands.now)
    hands.veto()
    assert hands.operator.question.about(hands.now.mono_ns) is None, "nobody is asked why of one's own wish"


def test_a_wish_that_was_refused_expects_no_card_any_more() -> None:
    hands = Hands(FIRST)
    came: list[bool] = []
    hands.operator.on_asked = lambda: came.append(True)
    close(hands.operator, KEY, "T", hands.now)
    ticker, label = hands.operator.view.statics[KEY].ticker, hands.operator.view.named(KEY)
    hands.operator.replied(Reply(hands.sent[-1].id, False, f"nothing is held of {ticker}"), hands.now)
    message = hands.scene().message
    assert message is not None and f"nothing is held of {label}" in message.text
    card = by_hand(created_ns=hands.now.mono_ns, changed_ns=hands.now.mono_ns)
    assert hands.frame(FIRST, card).card == FIRST and not came, "the shell asked for this one"


def test_a_price_that_was_pointed_at_is_the_tickets_for_either_outcome() -> None:
    hands = Hands(FIRST)
    question = next(ticket(hands.operator, lambda: hands.now, KEY, 2_900))
    assert isinstance(question, Question) and "at 29c" in question.prompt
    keys = question.keys
    assert keys["up"]("40") == "yes 40 @ 30 post-only" and keys["down"]("no 40 ioc") == "no 40 @ 70 ioc"
    talk = ticket(hands.operator, lambda: hands.now, KEY, 2_900)
    next(talk)
    with pytest.raises(StopIteration):
        talk.send("sell")
    (wish,) = sent(hands)
    assert isinstance(wish, Propose) and (wish.price, wish.quantity, wish.style) == (2_900, 0, "ioc")


def test_lines_of_the_command_line_name_their_market_and_ask_for_cards() -> None:
    hands = Hands(FIRST)
    static = hands.view.statics[KEY]
    assert say(hands, f"order {static.label} yes 40 @ 30 limit") == ""
    assert say(hands, f"close {static.ticker} 5 @ 33 post-only") == ""
    assert say(hands, f"close {static.ticker}") == ""
    assert say(hands, f"cancel-market {static.ticker}") == ""
    assert say(hands, "amend 3ab1 7 @ 31") == ""
    order, part, whole, cancel, amend = sent(hands)
    assert isinstance(order, Propose) and (order.side, order.price, order.style) == ("yes", 3_000, "limit")
    assert isinstance(part, Propose) and (part.side, part.price, part.quantity) == ("sell", 3_300, 5 * C)
    assert isinstance(whole, Propose) and (whole.price, whole.quantity, whole.style) == (0, 0, "ioc")
    assert isinstance(cancel, CancelMarket) and cancel.ticker == static.ticker
    assert isinstance(amend, Amend) and (amend.order, amend.price, amend.quantity) == ("3ab1", 3_100, 7 * C)
    assert say(hands, f"order {static.ticker}").startswith("Order "), "without an order it asks"
    for wrong, says in (
        ("order nowhere yes 4 @ 3", "not one market"),
        (f"order {static.ticker} sideways", "write yes|no|sell"),
        (f"order {static.ticker} @ 30", "type a size"),
        (f"close {static.ticker} yes", "usage: close"),
        ("amend 3ab1", "amend: write SIZE"),
        ("cancel-market nowhere", "not one market"),
    ):
        assert says in say(hands, wrong)
    assert len(sent(hands)) == 5


def test_an_order_under_the_cursor_is_changed_by_keys_and_says_what_that_costs() -> None:
    hands = Hands(FIRST)
    row = hands.view.working()[0]
    talk = change(hands.operator, lambda: hands.now, row)
    question = next(talk)
    assert isinstance(question, Question)
    size, price = row.leaves // C, row.price // 100
    assert question.keys["up"]("") == f"{size} @ {price + 1}"
    assert question.keys["down"]("7") == f"7 @ {price - 1}" and question.keys["up"]("x y") == "x y"
    assert "place in the queue is lost" in question.tell("7") and question.tell("yes").startswith(
        "write SIZE"
    )
    able = msgspec.structs.replace(row, reduces=True)
    hands.view.apply(Frame(3, hands.now.mono_ns, orders=(able,)), hands.now)
    for text in ("7", f"7 @ {price}"):
        assert question.tell(text).endswith("left of it at once, no card; its place in the queue is kept")
    for text in (f"7 @ {price - 1}", f"@ {price - 1}", f"{size + 1}"):
        assert "place in the queue is lost" in question.tell(text)
    left = msgspec.structs.replace(row, leaves=2 * C)
    hands.view.apply(Frame(3, hands.now.mono_ns, orders=(left,)), hands.now)
    assert question.tell("@ 30").startswith("2 @ 30c"), "what is left of it by now"
    again = talk.send("yes 3")
    assert isinstance(again, Question) and again.value == "yes 3"
    with pytest.raises(StopIteration):
        talk.send("7")
    (amend,) = sent(hands)
    assert isinstance(amend, Amend)
    assert (amend.order, amend.price, amend.quantity) == (row.client_order_id, 0, 7 * C)
    found = {screen: USUAL.action_for("e", screen) for screen in ("orders", "market", "desk")}
    assert [action and action.id for action in found.values()] == ["order.amend", "order.amend", "card.edit"]


def test_what_no_model_values_is_drawn_as_not_known_never_as_nothing() -> None:
    card = by_hand(fair=None, sigma=0, edge_half=0, against="no model says what it is worth")
    scene = Hands(card).scene()
    text = " ".join(
        plain(group) for group in (*value(scene, card), *size(scene, card), *reasons(card)) if group
    )
    assert "fair -- book" in text and "net edge --" in text and "at half size --" in text
    assert "full kelly --" in text and "0.0" not in text and "no model says" in text


def test_a_ticket_and_the_cancel_of_a_market_work_wherever_markets_are_listed() -> None:
    for screen in ("desk", "markets", "market", "orders", "positions", "links", "batch"):
        assert screen in TRADES
        found = {key: USUAL.action_for(key, screen) for key in ("t", "C")}
        assert {key: action and action.id for key, action in found.items()} == {
            "t": "ticket",
            "C": "order.cancel_market",
        }


def test_a_sale_of_what_is_held_asks_for_all_of_it_at_the_touch() -> None:
    hands = Hands(FIRST)
    close(hands.operator, KEY, "T", hands.now)
    (wish,) = sent(hands)
    assert isinstance(wish, Propose) and (wish.side, wish.price, wish.quantity) == ("sell", 0, 0)


async def test_the_row_under_the_cursor_is_what_is_traded_and_the_desk_shows_its_card(
    directory: Path,
) -> None:
    async with running(directory, size=(80, 24)) as desk:
        await desk.press("2", "end", "t")
        markets = desk.app.operator.ordering
        await desk.shows("SIZE, Tab side")
        await desk.press("4", "tab")
        await desk.shows(" no 4 @ ")
        await desk.press("shift+tab")
        await desk.shows(" limit: ")
        await desk.press("tab", "tab", "up")
        await desk.shows("yes 4 @ ")
        await desk.press("t", "backspace", "a")
        assert not desk.sent(Approve), "in the field every key but the stop is text"
        await desk.press("backspace", "backspace", "backspace", "down", "enter")
        (wish,) = desk.sent(Propose)
        key = markets.cursor
        assert key is not None and wish.ticker == desk.app.view.statics[key].ticker
        await desk.press("C")
        assert [c.ticker for c in desk.sent(CancelMarket)] == [wish.ticker]
        now = read_clocks()
        desk.engine.send(proposals=(by_hand(key=key, created_ns=now.mono_ns, changed_ns=now.mono_ns),))
        await desk.until(lambda: desk.app.screen_name == "desk", "shown where it can be decided on")
        await desk.until(lambda: desk.app.operator.arming.card_id == "P77", "selected")
        await desk.press("4", "end", "r")
        held = desk.app.selected("positions")
        assert [c.ticker for c in desk.sent(Propose) if c.side == "sell"] == [
            desk.app.view.statics[held].ticker
        ]
        await desk.press("t", "ctrl+x")
        assert desk.sent(Flatten)
