"""Linking from a shell: the exact command, and what is printed of the pairs."""

from __future__ import annotations

import json

from core.control import protocol as p

from .conftest import Desk

WAY = {
    "first": "YES", "second": "NO", "quantity": "10.00", "cost": "9.40", "fee": "0.30",
    "difference": "0.0301", "why": "",
}  # fmt: skip
PAIR = {
    "first": "KX-1", "first_venue": "kalshi", "second": "slug", "second_venue": "polymarket",
    "opposite": True, "state": "linked", "why": "", "quantity": "10.00",
    "ways": [WAY, {**WAY, "first": "NO", "second": "YES", "why": "polymarket has no YES to buy"}],
    "apart": ["station KNYC, KLGA"], "first_book_age_s": 0.4, "second_book_age_s": 75.0,
    "caution": "Not riskless: so it is.", "by": "cli", "linked": "2026-11-22T16:00:00.000Z",
}  # fmt: skip


async def test_links_are_added_and_removed_with_the_words_that_were_typed(desk: Desk) -> None:
    for arguments, sent in (
        (("add", "KX-1", "slug"), p.LinkMarkets("", "KX-1", "slug", 10_000_000)),
        (
            ("add", "KX-1", "slug", "--opposite", "--quantity", "2.5"),
            p.LinkMarkets("", "KX-1", "slug", 2_500_000, opposite=True),
        ),
        (("remove", "slug", "KX-1"), p.UnlinkMarkets("", "slug", "KX-1")),
    ):
        ended = await desk.run("link", *arguments)
        assert (ended.code, ended.out) == (0, "Done.\n")
        got = desk.answers.commands[-1]
        assert type(got) is type(sent)
        assert all(
            getattr(got, name) == getattr(sent, name) for name in sent.__struct_fields__ if name != "id"
        )


async def test_the_words_that_settle_a_market_are_printed_with_what_counts_here(desk: Desk) -> None:
    text = "Settles by the NWS report. " * 8
    desk.answers.data["rules"] = {
        "ticker": "KX-1", "venue": "kalshi", "hash": "ab12cd34ef", "pinned": "ab12cd34ef", "text": text,
        "series": "KX", "waits": "", "mark": "",
    }  # fmt: skip
    same = await desk.run("rules", "KX-1")
    assert same.code == 0 and same.out.splitlines()[0] == "KX-1 on kalshi, text ab12cd34"
    assert " ".join(same.out.splitlines()[1:]) == text.strip() and max(map(len, same.out.splitlines())) <= 98
    desk.answers.data["rules"] |= {"pinned": "99999999ef", "text": ""}
    other = (await desk.run("rules", "KX-1")).out
    assert "reads differently: the text that counts here is 99999999" in other and "no text" in other
    desk.answers.data["rules"] |= {"waits": "trading waits for you", "mark": "3f2a91c0"}
    waiting = (await desk.run("rules", "KX-1")).out
    assert "trading waits for you.\nonce you have read it: pmconsole confirm source KX 3f2a91c0\n" in waiting
    assert json.loads((await desk.run("rules", "KX-1", "--json")).out)["pinned"] == "99999999ef"


async def test_a_size_that_is_none_is_a_usage_error_and_a_refusal_is_printed(desk: Desk) -> None:
    ended = await desk.run("link", "add", "KX-1", "slug", "--quantity", "ten")
    assert ended.code == 2 and "'ten' is no quantity" in ended.err and not desk.answers.commands
    desk.answers.reply = lambda _: (False, "'KX-1' is no market of this desk; pmconsole markets lists them.")
    refused = await desk.run("link", "add", "KX-1", "slug")
    assert (refused.code, refused.err) == (
        1,
        "'KX-1' is no market of this desk; pmconsole markets lists them.\n",
    )


async def test_the_list_says_both_ways_what_differs_and_that_nothing_is_riskless(desk: Desk) -> None:
    desk.answers.data["links"] = [
        PAIR,
        {**PAIR, "state": "unpinned", "why": "changed", "ways": [], "apart": []},
    ]
    ended = await desk.run("links")
    assert ended.code == 0
    assert ended.out.splitlines() == [
        "KX-1 and slug (opposites)  linked",
        "  YES kalshi and NO polymarket: 10.00 of 10.00 cost 9.40, fees up to 0.30, difference 0.0301 each",
        "  NO kalshi and YES polymarket: polymarket has no YES to buy",
        "  books 0s, 1m old; station KNYC, KLGA",
        "KX-1 and slug (opposites)  unpinned",
        "  changed: read both texts and link again, or remove it",
        "  books 0s, 1m old; times and strikes agree",
        "Not riskless: so it is.",
    ]
    desk.answers.data["links"] = []
    assert (await desk.run("links")).out == "none\n"
    assert (await desk.run("links", "--json")).out == "[]\n"
    assert "links.ways:" in (await desk.run("links", "--fields")).out
