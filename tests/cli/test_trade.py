"""Trading by hand from a shell: the exact commands, and mistakes said in a sentence."""

from __future__ import annotations

import pytest

from core.control import protocol as p

from .conftest import Desk


async def test_orders_by_hand_are_asked_for_with_the_words_that_were_typed(desk: Desk) -> None:
    for arguments, sent in (
        (("order", "KX-1", "yes", "40", "0.31"), p.Propose("", "KX-1", "yes", 3_100, 40_000_000)),
        (
            ("order", "KX-1", "no", "2.5", "0.665", "--style", "ioc"),
            p.Propose("", "KX-1", "no", 6_650, 2_500_000, "ioc"),
        ),
        (("close", "KX-1"), p.Propose("", "KX-1", "sell", style="ioc")),
        (
            ("close", "KX-1", "--size", "3", "--price", "0.4", "--rest"),
            p.Propose("", "KX-1", "sell", 4_000, 3_000_000),
        ),
        (("amend", "3ab1", "--price", "0.3"), p.Amend("", "3ab1", 3_000)),
        (("cancel-market", "KX-1"), p.CancelMarket("", "KX-1")),
    ):
        ended = await desk.run(*arguments)
        assert (ended.code, ended.out) == (0, "Done.\n")
        got = desk.answers.commands[-1]
        assert type(got) is type(sent)
        assert all(
            getattr(got, name) == getattr(sent, name) for name in sent.__struct_fields__ if name != "id"
        )


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("order", "KX-1", "maybe", "40", "0.31"), "is not one of"),
        (("order", "KX-1", "yes", "forty", "0.31"), "forty"),
        (("order", "KX-1", "yes", "40", "0"), "not more than nothing"),
        (("close", "KX-1", "--rest"), "needs a --price"),
        (("amend", "3ab1"), "--size, --price or both"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
async def test_a_mistake_sends_nothing_and_leaves_with_2(
    empty: Desk, arguments: tuple[str, ...], says: str
) -> None:
    ended = await empty.run(*arguments)
    assert ended.code == 2 and says in ended.err
