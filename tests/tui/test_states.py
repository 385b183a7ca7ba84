"""States that must be impossible to miss: the band, the title, the bell, and what a venue says."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.widgets import Input

from core.config import paths
from core.control.protocol import (
    Acknowledge,
    AcknowledgeAll,
    Flatten,
    Frame,
    Query,
    Shelve,
    TellOutside,
    Unshelve,
)
from core.control.tables.safety import AlarmRow
from core.control.tables.status import LinkRow
from tests.tui import rows
from tests.tui.conftest import Desk, running
from tests.tui.fake_engine import read_clocks
from tests.tui.test_truth import OTHER
from tests.tui.test_truth import halted as other_side
from tui.actions import ACTIONS, OPENED
from tui.app import PmConsole
from tui.bell import QUIET_NS, SPACING_NS, Bell
from tui.format import utc
from tui.lines import REVERSED, plain
from tui.operator import Operator
from tui.scene import Scene
from tui.screens.alarms import detail_lines, seen_word
from tui.standing import Standing, standing
from tui.tables import Now
from tui.title import title
from tui.truth_talks import alarm_command
from tui.view_model import FLOOD, ViewModel
from tui.widgets.alarms import HEADS
from tui.widgets.band import band_line
from tui.widgets.limits import limit_line, limit_lines, told_limits
from tui.widgets.line_pane import LinePane, edges_of
from tui.widgets.position_table import COLUMNS as POSITIONS
from tui.widgets.position_table import held_line
from tui.widgets.status_bar import status_line
from tui.widgets.stop_band import receipt, stop_hint, stop_line

NOW = Now(1_000_000 * rows.S, rows.WORLD_MS)
CALM = {"speed": 1.0, "replay": ""}
HALT = {
    "level": "HALTED",
    "level_scope": "desk",
    "level_reason": "lost 75.12 today",
    "level_by": "engine",
    "level_wall_ms": NOW.wall_ms - 125_000,
}
PAUSE = {
    "paused": ("*",),
    "paused_by": "pid 9 (uid 0)",
    "paused_wall_ms": NOW.wall_ms - 7_000,
    "paused_why": "after a resume",
}


def scene_of(
    width: int = 80,
    *,
    session: str = "me",
    view_only: bool = False,
    later_s: float = 0,
    parts: object = None,
    **status: object,
) -> Scene:
    view = ViewModel()
    view.connected = True
    profile = str(status.pop("profile", "demo"))
    view.apply(rows.snapshot(NOW, "me", cards=False, profile=profile), NOW)
    told = rows.status(NOW, session=session, profile=profile, **(CALM | status))
    view.apply(Frame(2, NOW.mono_ns, status=told, **(parts or {})), NOW)  # type: ignore[arg-type, dict-item]
    operator = Operator(view, "me", lambda _: True, coach=False, view_only=view_only)
    return operator.scene(Now(NOW.mono_ns + int(later_s * rows.S), NOW.wall_ms + int(later_s * 1000)), width)


def stands(scene: Scene) -> list[Standing]:
    return standing(scene, paths.profile(scene.view.profile or "demo").command)


def band(scene: Scene) -> str:
    found = stands(scene)
    return plain(band_line(found, scene.width)) if found else ""


def bar(scene: Scene) -> str:
    """The status bar's words, one blank between them."""
    return " ".join(plain(status_line(scene)).split())


def titled(scene: Scene) -> str:
    return title(scene, paths.profile(scene.view.profile or "demo").command)


def test_nothing_stands_on_an_ordinary_desk() -> None:
    assert stands(scene_of()) == []
    assert titled(scene_of()) == "DEMO semi - pmconsole"
    assert titled(scene_of(today_pnl=1, profile="live", mode="auto")) == "LIVE auto + pmconsole"
    assert titled(scene_of(today_pnl=None)) == "DEMO semi pmconsole"


@pytest.mark.parametrize(
    ("status", "said", "way", "word"),
    [
        (HALT, "HALTED   14:00:12Z (2m) by engine: lost 75.12 today", ":resume lifts it", "HALTED"),
        (HALT | {"level": "LOCKED"}, "LOCKED   14:00:12Z (2m) by engine", ":resume lifts it", "LOCKED"),
        (
            HALT | {"level": "REDUCE_ONLY", "level_scope": "POLY"},
            "REDUCE_ONLY on POLY   14:00:12Z",
            ":resume lifts it",
            "REDUCE_ONLY",
        ),
        (PAUSE, "PAUSED   all entries, 14:02:10Z (7s) by pid 9", ":unpause", "PAUSED"),
        (
            PAUSE | {"paused": ("maker",), "paused_by": "pid 4711 (uid 1000)", "paused_why": ""},
            "PAUSED   entries of maker, 14:02:10Z (7s) by you ",
            ":unpause",
            "PAUSED",
        ),
        (
            {"problem": "NO JOURNAL"},
            "NO JOURNAL   only cancels and ^X leave",
            "pmconsole doctor",
            "NO JOURNAL",
        ),
        ({"problem": "CLOCK +2.1s"}, "CLOCK +2.1s   entries wait", "pmconsole doctor", "CLOCK +2.1s"),
        ({"armed": False}, "NOT ARMED   no entry leaves", ":arm", "NOT ARMED"),
        ({"session": "other"}, "READ-ONLY   pid 4711 has control", ":take takes it", "READ-ONLY"),
        ({"session": "other", "controller": ""}, "READ-ONLY   no console has", ":take takes it", "READ-ONLY"),
        (
            {"session": "other", "view_only": True},
            "READ-ONLY   pid 4711 has",
            "started with --view-only",
            "READ-ONLY",
        ),
    ],
)
@pytest.mark.parametrize("width", [80, 160, 200])
def test_a_band_says_who_when_why_and_the_way_out_at_every_width(
    status: dict[str, object], said: str, way: str, word: str, width: int
) -> None:
    scene = scene_of(width, **status)  # type: ignore[arg-type]
    text = band(scene)
    assert len(text) == width and text.startswith(f" {said[: width - len(way) - 5]}") and way in text
    assert titled(scene).split(" semi")[0] == f"DEMO {word}"


def test_a_band_counts_how_long_ago_by_the_clock_that_it_names() -> None:
    scene = scene_of(speed=60.0, real_origin_ms=NOW.wall_ms - 600_000, world_origin_ms=NOW.wall_ms, **HALT)
    (halted,) = stands(scene)
    began = (600 - 125) * 60
    at = rows.WORLD_MS // 1000 + began
    assert f"{at // 3600 % 24:02}:{at // 60 % 60:02}:{at % 60:02}Z (2h)" in halted.text


def test_the_gravest_comes_first_and_what_stands_behind_it_is_counted() -> None:
    scene = scene_of(160, problem="NO JOURNAL", session="other", **(HALT | PAUSE))
    assert [found.word for found in stands(scene)] == ["NO JOURNAL", "READ-ONLY", "PAUSED"]
    assert band(scene).rstrip().endswith("+2 READ-ONLY")
    assert ": lost 75.12 today" in band(scene), "what the journal's end did stands with its reason"


def test_a_lost_engine_says_what_helps_and_forgets_the_sign_of_the_day() -> None:
    scene = scene_of(later_s=4)
    assert scene.down and "Run: pmconsole engine start   Orders at the venue: 2" in band(scene)
    assert titled(scene) == "DEMO ENGINE DOWN semi pmconsole" and "ENGINE DOWN 4s" in bar(scene)


def test_a_picture_behind_the_engine_is_dim_and_named_in_the_title() -> None:
    scene = scene_of(later_s=2)
    assert scene.dim and not scene.down and "VIEW LAG 2s" in bar(scene)
    assert titled(scene) == "DEMO VIEW LAG semi - pmconsole"


def test_a_replay_is_named_without_crying() -> None:
    scene = scene_of(160, replay="Replays 2024-11-18 to 2024-11-21.")
    assert "REPLAY   Replays 2024-11-18" in band(scene) and titled(scene) == "DEMO semi - pmconsole"
    assert {span.role for span in band_line(stands(scene), 160)} == {"text-muted"}
    assert {span.role for span in band_line(stands(scene_of(**HALT)), 80)} <= REVERSED  # type: ignore[arg-type]


def test_empty_space_says_that_nothing_is_real() -> None:
    assert scene_of(replay="Replays 2024-11-18.").watermark == "SIMULATED REPLAY"
    assert scene_of(profile="kalshi-demo").watermark == "SIMULATED"
    assert scene_of(profile="live").watermark == ""


def test_a_stop_says_where_it_sells_what_and_for_how_much() -> None:
    for profile in ("live", "demo"):
        scene = scene_of(profile=profile, parts={"flatten": rows.flatten(NOW)})
        name = profile.upper()
        assert plain(stop_line(scene)).startswith(f" {name}  STOPPING   EXITS IN 0:04")
        assert f" {name} KAL: cancels 2 orders, sells 4 positions worth 17.46" in band(scene)
        assert titled(scene).startswith(f"{name} STOPPING") and "Esc Esc keeps" in plain(stop_hint(scene))


def test_alarms_nobody_has_seen_are_counted_in_the_title() -> None:
    acts = tuple(act(number) for number in (7, 8))
    assert titled(scene_of(parts={"alarms": acts})) == "DEMO !2 semi - pmconsole"


# --- the bar --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["RESTART", "POST-ONLY", "CXL-ONLY", "MAINT", "PAUSED"])
def test_a_venue_that_takes_no_orders_says_which_and_until_when(word: str) -> None:
    link = LinkRow(
        "kalshi", "PAUSED", NOW.mono_ns, "in its words", None, opens_wall_ms=NOW.wall_ms + 45_000,
        word=word, traded_ns=NOW.mono_ns - 43 * rows.S,
    )  # fmt: skip
    assert f"KAL {word} 0:45" in bar(scene_of(links=(link,)))
    assert f"KAL {word} 0:45 good 43s ago" in bar(scene_of(160, links=(link,)))


def test_a_venue_that_is_gone_says_when_it_was_last_good() -> None:
    link = LinkRow("kalshi", "DOWN", NOW.mono_ns - 43 * rows.S, "", NOW.mono_ns + 20 * rows.S)
    assert "KAL DOWN 0:20" in bar(scene_of(links=(link,)))
    assert "KAL DOWN 0:20 good 43s ago" in bar(scene_of(160, links=(link,)))
    never = LinkRow("kalshi", "connecting", 0, "", None)
    assert "good" not in bar(scene_of(160, links=(never,)))


def test_what_is_not_settled_is_counted_where_a_venue_settles_later_and_wherever_there_is_some() -> None:
    assert " uns " not in bar(scene_of(160))
    assert "unk 0 uns 3 " in bar(scene_of(unsettled=3))
    both = (LinkRow("kalshi", "ok", NOW.mono_ns, "", None), rows.poly_link(NOW))
    assert "unk 0 uns 0 " in bar(scene_of(200, links=both))


def test_whoever_has_control_is_named_in_the_bar_with_how_many_look_on() -> None:
    assert "READ-ONLY pid 4711" in bar(scene_of(session="other", unknown=2))
    assert "control: you, 2 looking on" in bar(scene_of(200, viewers=2))


def test_a_wide_limit_says_what_makes_room_once_it_is_nearly_full() -> None:
    scene = scene_of(160)
    total = msgspec.structs.replace(rows.limits()[4], clears="less at risk altogether")
    for used, told in ((639, False), (640, True), (800, True)):
        row = msgspec.structs.replace(total, used=used * rows.C)
        assert ("G08 clears with less at risk altogether" in plain(limit_line(scene, row, 120))) is told
        for narrow in (50, 62, 80):
            text = plain(limit_line(scene, row, narrow))
            assert "clears" not in text and len(text) <= narrow
            lines = [plain(one) for one in limit_lines(scene, row, narrow)]
            assert lines[1:] == (["   G08 clears with less at risk altogether"] if used == 800 else [])
        assert len(limit_lines(scene, row, 120)) == 1, "not twice"
    full, near = (msgspec.structs.replace(total, used=used * rows.C) for used in (800, 700))
    texts = [plain(one).split()[0] for one in told_limits(scene, [full, near], 62, 2)]
    assert texts == ["total", "total"], "no limit that is nearly full gives way to it"
    assert len(told_limits(scene, [full, near], 62, 3)) == 3 and told_limits(scene, [full], 62, 0) == []


def test_what_nobody_bids_for_counts_as_lost_in_its_row_as_it_does_in_the_sum() -> None:
    scene = scene_of(160)
    view, unwanted = scene.view, msgspec.structs.replace(rows.positions()[0], exit_price=None, open_pnl=None)
    key = unwanted.key
    view.positions[key] = unwanted

    def told(**changes: object) -> list[str]:
        view.markets[key] = msgspec.structs.replace(view.markets[key], **changes)
        shown = {column.name: column.cell(scene, key).text.strip() for column in POSITIONS}
        return [shown["exit"], shown["open"]]

    assert told(intact=True) == ["none", "-4.02"]
    assert "-4.02" in plain(held_line(scene))
    assert told(intact=False)[1] == "--", "nobody knows by a book with a gap"
    view.statics[key] = msgspec.structs.replace(view.statics[key], close_world_ms=0)
    assert told(intact=True)[1] == "--", "over: it is worth what it was until it pays"


# --- the table ------------------------------------------------------------------------------------------


def link(now: Now, **changes: object) -> LinkRow:
    return msgspec.structs.replace(LinkRow("kalshi", "ok", now.mono_ns, "", None), **changes)


def table(now: Now, session: str) -> list[tuple[str, str, dict[str, object], tuple[str, ...]]]:
    """Every state with the screen it is looked for on, what the engine tells, and the words that say it."""

    def status(**changes: object) -> dict[str, object]:
        return {"status": rows.status(now, session=session, **changes)}

    def venue(word: str) -> dict[str, object]:
        held = {"state": "PAUSED", "word": word, "opens_wall_ms": now.wall_ms + 45_000}
        return status(links=(link(now, **held),))

    unknown = rows.order(now, client_order_id="pm-u", state="UNKNOWN", bound="may cost 6.60")
    outside = rows.order(now, client_order_id="x1", order_id="x1", external=True, state="EXT")
    full = msgspec.structs.replace(rows.limits()[4], used=800 * rows.C, clears="less at risk altogether")
    old_ms = (now.mono_ns - 14 * rows.S) // 1_000_000
    old = msgspec.structs.replace(rows.markets(now)[0], message_ms=old_ms, edge=None, edge_word="stale")
    feed = rows.feed(now, "NWS", "nws-grid", "weather", 99, 5400, state="STALE")
    gone = link(now, state="DOWN", retry_at_ns=now.mono_ns + 20 * rows.S)
    differs = rows.reading(now, rows.difference(now))
    lost = {"status": rows.status(now, session="other")}
    return [
        ("1", "simulated", status(), (" DEMO ",)),
        ("1", "stale input", {"markets": (old,)}, ("31~", "  stale  ")),
        ("1", "stale feed", status(feeds=(feed,)), ("STALE",)),
        ("1", "down", status(links=(gone,)), (" DOWN 0:",)),
        ("1", "restart", venue("RESTART"), (" RESTART 0:",)),
        ("1", "cancels only", venue("CXL-ONLY"), (" CXL-ONLY 0:",)),
        ("1", "post-only", venue("POST-ONLY"), (" POST-ONLY 0:",)),
        ("1", "maintenance", venue("MAINT"), (" MAINT 0:",)),
        ("1", "unknown", status(unknown=1) | {"orders": (unknown,)}, (" unk 1 ", "UNKNOWN")),
        ("1", "unsettled", status(unsettled=3), ("uns 3",)),
        ("3", "mismatch", {"reading": differs}, (" MISMATCH ", "30.00", "33.00")),
        ("3", "external", {"orders": (outside,), "reading": rows.reading(now)}, ("EXT",)),
        (
            "1",
            "halted",
            status(**HALT | {"level_wall_ms": now.wall_ms - 125_000}),
            (" HALTED ", "by engine: lost 75.12 today", ":resume lifts it"),
        ),
        (
            "1",
            "paused",
            status(**PAUSE | {"paused_wall_ms": now.wall_ms - 7_000}),
            (" PAUSED ", "by pid 9: after a resume", ":unpause"),
        ),
        ("1", "limit", status() | {"limits": (full,)}, ("800/800 CAP", "CAP: clears with less at risk")),
        ("1", "clock", status(problem="CLOCK +2.1s"), (" CLOCK +2.1s ", "pmconsole doctor")),
        ("1", "journal", status(problem="NO JOURNAL"), (" NO JOURNAL ", "only cancels and ^X", "doctor")),
        ("1", "control", lost, ("READ-ONLY", "pid 4711", ":take takes it")),
    ]


@pytest.mark.parametrize("theme", ["dark", "mono"])
async def test_every_state_is_said_at_80x24_in_words_in_colour_and_without(
    directory: Path, theme: str
) -> None:
    async with running(directory, size=(80, 24), paints_per_s=10) as desk:
        assert desk.app.looks.change(theme)
        now = read_clocks()
        for screen, name, parts, words in table(now, desk.engine.session):
            await desk.press(screen)
            desk.engine.send(**parts)
            for word in words:
                await desk.until(lambda word=word: word in desk.text, f"{name}: said {word!r}")
                if word == words[0] and word.startswith(" ") and word.strip() != "DEMO":
                    assert emphasised(desk, word), (name, word)
            assert all(len(text) == 80 for text in desk.text.splitlines()), name


def emphasised(desk: Desk, word: str) -> bool:
    """Whether a word in one of the first two lines is reversed or bold: seen without any colour."""
    found = False
    for pane in desk.app.screen.query(LinePane):
        if pane.region and pane.region.y < 2 and word in pane.text:
            for segment in pane.render_line(0):
                style = segment.style
                found |= (
                    word.strip() in segment.text and style is not None and bool(style.reverse or style.bold)
                )
    return found


@pytest.mark.parametrize(
    ("profile", "edge"), [("live", "║"), ("demo", "│"), ("paper", "┆"), ("kalshi-demo", "┆")]
)
def test_profiles_are_told_apart_by_their_borders_without_colour(profile: str, edge: str) -> None:
    assert edges_of(profile).side == edge
    assert (edges_of(profile).role == "rule-live") is (profile == "live")


async def test_a_band_moves_nothing_but_the_body_and_comes_and_goes_with_its_cause(directory: Path) -> None:
    async with running(directory, size=(80, 24), cards=False) as desk:
        session = desk.engine.session
        before = desk.text.splitlines()
        desk.engine.send(status=rows.status(read_clocks(), session=session, **HALT))
        await desk.until(lambda: desk.text.splitlines()[1].startswith(" HALTED "))
        text = desk.text.splitlines()
        assert len(text) == 24, "arranged and drawn in one picture"
        assert text[-1] == before[-1] and "MARKETS" in desk.text and "LIMITS" in desk.text
        desk.engine.send(status=rows.status(read_clocks(), session=session))
        await desk.until(lambda: desk.text.splitlines()[1].startswith("── "))
        assert len(desk.text.splitlines()) == 24


async def test_stop_works_on_every_screen_and_in_every_field_and_real_money_is_named(
    directory: Path,
) -> None:
    ways = ways_to_screens()
    async with running(directory, size=(80, 24), profile="live", paints_per_s=10) as desk:
        with_rules(desk)
        for presses, (screen, keys) in enumerate(ways.items(), 1):
            await desk.press(*keys)
            await desk.until(lambda screen=screen: desk.app.screen_name == screen, f"opened {screen}")
            fields = [above.command_line for above in desk.app.screen_stack]
            assert screen == "palette" or not any(field.display for field in fields), "none is left open"
            await desk.until(lambda: desk.text.startswith(" LIVE "), f"named it on {screen}")
            assert emphasised(desk, " LIVE ") and "══" in desk.text and "──" not in desk.text, screen
            assert screen != "orders" or "L>CHI hi Nov23 41-42" in desk.text, "each order is marked"
            await stopped(desk, presses, screen)
        word = ("colon", *"resume", "enter")
        fields = (("colon",), ("slash",), ("e",), ("m",), word, (*word, *"resume", "enter"))
        for presses, keys in enumerate(fields, len(ways) + 1):
            await desk.press("1", *keys)
            await desk.until(lambda: isinstance(desk.app.focused, Input), f"opened a field by {keys}")
            await stopped(desk, presses, f"the field of {keys}")
        assert {type(command) for command in desk.engine.commands} == {Flatten, Query}


async def stopped(desk: Desk, presses: int, where: str) -> None:
    """Ctrl-X leaves, the ladder is drawn, no field has the keys; then the operator keeps the positions."""
    await desk.press("ctrl+x")
    await desk.until(lambda: len(desk.sent(Flatten)) == presses, f"stopped on {where}")
    desk.engine.send(flatten=rows.flatten(read_clocks()))
    await desk.until(lambda: " LIVE  STOPPING   EXITS IN" in desk.text.splitlines()[0], f"drew it on {where}")
    assert not isinstance(desk.app.focused, Input)
    over = rows.flatten(read_clocks(), phase="ABORTED", receipt=f"kept {presses}.")
    desk.engine.send(flatten=over)
    await desk.shows(f"kept {presses}.")


def ways_to_screens() -> dict[str, tuple[str, ...]]:
    """The keys that open every screen there is. One that is not in the table fails whoever asks for it."""
    ways: dict[str, tuple[str, ...]] = {
        **{name: (digit,) for name, digit in digits().items()},
        "market": ("2", "enter"),
        "evidence": ("1", "v"),
        "batch": ("1", "b"),
        "help": ("3", "question_mark"),
        "links": ("1", "l"),
        "palette": ("1", "ctrl+p"),
        "settings": ("1", "colon", *"settings", "enter"),
        "score": ("1", "colon", *"score", "enter"),
        "vetoes": ("1", "colon", *"vetoes", "enter"),
        "why": ("8", "v"),
        "digest": ("1", "colon", *"since", "enter"),
        "rules": ("1", "colon", *"rules", "space", "x", "enter"),
    }
    assert ways.keys() == {*PmConsole.MODES, *OPENED}
    return ways


def with_rules(desk: Desk) -> None:
    """Let the engine know the rules of a market x."""
    rules = dict.fromkeys(("hash", "pinned", "series", "waits", "mark"), "")
    rules |= {"ticker": "x", "venue": "kalshi", "text": "t"}
    desk.engine.answers["x"] = msgspec.json.encode(rules)


def digits() -> dict[str, str]:
    """The key of every screen that has one."""
    opens = {
        action.id.partition(".")[2]: action.keys[0] for action in ACTIONS if action.id.startswith("screen.")
    }
    return {name: opens[name] for name in PmConsole.MODES}


def fits(desk: Desk) -> bool:
    """Whether every pane is drawn to the size it has."""
    shown = [pane for pane in desk.app.screen.query(LinePane) if pane.region]
    return all(
        len(pane.text.splitlines()) == pane.region.height
        and {len(text) for text in pane.text.splitlines()} == {pane.region.width}
        for pane in shown
    )


async def test_a_question_and_an_alarm_outlive_every_resize(directory: Path) -> None:
    sizes = ((40, 10), (200, 50), (30, 7), (80, 24))
    async with running(directory, size=(80, 24), paints_per_s=10) as desk:
        now = read_clocks()
        desk.engine.send(status=rows.status(now, session=desk.engine.session, **HALT))
        await desk.press("colon", *"halt")
        for size in sizes:
            await desk.pilot.resize_terminal(*size)
            await desk.until(lambda: fits(desk), f"drew the question at {size}")
            assert isinstance(desk.app.focused, Input) and desk.app.focused.value == "halt"
        await desk.press("escape")
        differs = rows.reading(now, rows.difference(now, **OTHER))
        desk.engine.send(reading=differs, alarms=(other_side(),))
        for size in sizes[:3]:
            await desk.pilot.resize_terminal(*size)
            await desk.until(lambda: fits(desk) and "OTHER SIDE" in desk.text, f"drew the alarm at {size}")
        await desk.press("ctrl+x")
        await desk.engine.expect(Flatten)


async def test_whoever_looks_on_is_told_when_control_changes_hands(directory: Path) -> None:
    async with running(directory, size=(80, 24), paints_per_s=10) as desk:

        def held(session: str, name: str) -> None:
            desk.engine.send(status=rows.status(read_clocks(), session=session, controller=name))

        held("one", "pid 1 (uid 0)")
        await desk.shows("pid 1 (uid 0) took control; this one views, :take takes it back")
        held("two", "pid 2 (uid 0)")
        await desk.shows("pid 2 (uid 0) took control from pid 1 (uid 0)")
        held("", "")
        await desk.shows("pid 2 (uid 0) is gone: no console has control")
        held("three", "pid 3 (uid 0)")
        await desk.shows("pid 3 (uid 0) has control now; nobody had it")
        held(desk.engine.session, "pid 4 (uid 0)")
        await desk.until(lambda: "READ-ONLY" not in desk.text)
        assert "pid 4" not in desk.text


# --- floods ---------------------------------------------------------------------------------------------


def flood(count: int, level: str, kind: str, first: int = 10) -> tuple[AlarmRow, ...]:
    return tuple(
        act(number, level, kind=kind, since_ns=NOW.mono_ns + number) for number in range(first, first + count)
    )


def test_a_flood_is_one_line_with_a_count_and_hides_no_other_alarm() -> None:
    view = ViewModel()
    rows_in = (
        act(1, kind="journal"),
        *flood(12, "ACT", "external"),
        *flood(FLOOD - 1, "CHECK", "unknown", 50),
        *flood(3, "ACT", "external", 90),
    )
    seen = tuple(msgspec.structs.replace(row, acknowledged=True) for row in rows_in[-3:])
    view.alarms = {row.id: row for row in (*rows_in[:-3], *seen)}
    heads = [(row.id, alike) for row, alike in view.alarm_heads()]
    assert heads == [(21, 12), (1, 1), (52, 1), (51, 1), (50, 1), (92, 1), (91, 1), (90, 1)]
    scene = Scene(view=view, now=NOW, width=160)
    assert [HEADS[-1].cell(scene, key).text[:14] for key in (21, 1)] == ["  12x alarm 21", "  alarm 1"]
    assert len(view.urgent()) == 13, "each is still an alarm of its own"
    view.alarms = {1: act(1, "CHECK", kind="crossed", times=7)}
    assert "alarm 1 (7 times)" in HEADS[-1].cell(scene, 1).text


def test_what_is_shelved_counts_nowhere_and_is_listed_with_who_until_when_and_why() -> None:
    ends_ms = NOW.wall_ms + 1_680_000
    shelf = {"shelved_by": "cli pid 7", "shelved_until_wall_ms": ends_ms, "shelved_for": "wind"}
    view = ViewModel()
    view.alarms = {1: act(1, "CHECK"), 2: act(2, "CHECK", **shelf), 3: act(3, "CHECK", active=False, **shelf)}
    assert [row.id for row in view.unacknowledged()] == [row.id for row, _ in view.alarm_heads()] == [1]
    assert [row.id for row in view.all_alarms()] == [1, 2, 3], "what nobody has seen comes first"
    scene = Scene(view=view, now=NOW, width=160)
    assert [HEADS[0].cell(scene, key).text for key in (1, 2)] == [" !", "  "]
    assert [seen_word(row)[0] for row in view.all_alarms()] == ["unseen", "shelved", "shelved, over"]
    told = " ".join(plain(row).strip() for row in detail_lines(scene, view.alarms[2], 100))
    assert f"28m left, until {utc(ends_ms, '%H:%M')}Z in real time, by cli pid 7: wind" in told


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("ack", AcknowledgeAll("1")),
        ("ack 7", Acknowledge("1", 7)),
        ("shelve 7 30m", Shelve("1", 7, 30)),
        ("shelve 7 2h known: wind", Shelve("1", 7, 120, "known: wind")),
        ("unshelve 7", Unshelve("1", 7)),
        ("test", TellOutside("1")),
        ("shelve 7 30", "'30' is no time: type it as 30m or 2h"),
        ("shelve all 30m", "usage: "),
        ("shelve 7", "usage: "),
        ("ack 7 8", "usage: "),
        ("", "usage: "),
    ],
)
def test_what_is_typed_about_alarms(typed: str, sent: object) -> None:
    made = alarm_command("1", typed)
    assert made.startswith(str(sent)) if isinstance(made, str) else made[0] == sent


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["", "a", "b"]),
            st.sampled_from(["ACT", "CHECK", "NOTE"]),
            st.booleans(),
            st.booleans(),
        ),
        max_size=40,
    )
)
def test_every_alarm_worth_a_line_is_counted_in_exactly_one(
    rows_in: list[tuple[str, str, bool, bool]],
) -> None:
    view = ViewModel()
    view.alarms = {
        number: act(number, level, kind=kind, acknowledged=seen, active=active)
        for number, (kind, level, seen, active) in enumerate(rows_in, 1)
    }
    heads = view.alarm_heads()
    assert sum(alike for _, alike in heads) == len(view.alarm_list())
    assert all(alike == 1 or alike >= FLOOD for _, alike in heads)


# --- the bell -------------------------------------------------------------------------------------------


def act(number: int, level: str = "ACT", **changes: object) -> AlarmRow:
    row = AlarmRow(number, level, rows.WORLD_MS, NOW.mono_ns, f"alarm {number}", "", "", False, True)
    return msgspec.structs.replace(row, **changes)


def heard(bell: Bell, at_ns: int, *alarms: AlarmRow, cards: bool = False) -> bool:
    view = ViewModel()
    view.alarms = {row.id: row for row in alarms}
    now = Now(NOW.mono_ns + at_ns, NOW.wall_ms)
    return bell.rings(Scene(view=view, now=now, width=80, cards=(rows.card(NOW),) if cards else ()))


def test_what_somebody_must_act_on_rings_once() -> None:
    bell = Bell("act")
    assert not heard(bell, 0, act(1, "CHECK"), cards=True)
    assert heard(bell, 1, act(2))
    assert not heard(bell, SPACING_NS * 2, act(2)), "the same again"
    assert not heard(bell, SPACING_NS * 3, act(2, acknowledged=True))
    again = act(2, since_world_ms=rows.WORLD_MS + 1)
    assert heard(bell, SPACING_NS * 4, again), "a new engine counts its alarms from one again"


def test_what_comes_too_soon_after_a_ring_rings_at_its_end() -> None:
    bell = Bell("act")
    assert heard(bell, 0, act(1))
    assert not heard(bell, 1, act(1), act(2)) and not heard(bell, SPACING_NS - 1, act(1), act(2))
    assert heard(bell, SPACING_NS, act(1), act(2)) and not heard(bell, 3 * SPACING_NS, act(1), act(2))


def test_a_card_rings_after_a_quiet_time_if_it_is_wanted() -> None:
    assert not heard(Bell("act"), 0, cards=True)
    bell = Bell("card")
    assert heard(bell, 0, cards=True) and not heard(bell, QUIET_NS - 1, cards=True)
    assert not heard(bell, QUIET_NS * 2 - 3) and not heard(bell, QUIET_NS * 2 - 2, cards=True)
    assert heard(bell, QUIET_NS * 4, cards=True)
    assert heard(bell, QUIET_NS * 5, act(1))
    off = Bell("off")
    assert not heard(off, 0, act(1), cards=True)


@given(st.lists(st.tuples(st.integers(0, 500), st.booleans()), max_size=60))
def test_it_never_rings_twice_in_two_seconds_and_forgets_nothing(steps: list[tuple[int, bool]]) -> None:
    bell, at_ns, alarms, rings = Bell("card"), 0, [], []
    for wait_ms, comes in steps:
        at_ns += wait_ms * 1_000_000
        alarms += [act(len(alarms) + 1)] if comes else []
        if heard(bell, at_ns, *alarms):
            rings.append(at_ns)
    assert all(later - before >= SPACING_NS for before, later in pairwise(rings))
    rang_last = heard(bell, at_ns + SPACING_NS, *alarms) or bool(rings)
    assert rang_last or not alarms


def test_an_alarm_is_told_whole_below_its_table() -> None:
    what, effect, clears = (" ".join(f"{name}{n}" for n in range(40)) for name in ("w", "e", "c"))
    row = msgspec.structs.replace(rows.alarms(NOW)[0], what=what, effect=effect, clears=clears)
    lines = [plain(one) for one in detail_lines(scene_of(), row, 78)]
    said = " ".join(" ".join(lines).split())
    assert what in said and f"effect {effect}" in said and f"clears {clears}" in said
    assert max(map(len, lines)) <= 78


def test_what_a_stop_has_left_is_said_once_and_never_left_out() -> None:
    told = "NOT FLAT, T left, cost 0.95 against mid. T: nobody bids"
    ended = rows.flatten(NOW, phase="UNFLATTENED", receipt=told, residue=("T: nobody bids",))
    assert receipt(ended) == told
    unread = rows.flatten(
        NOW, receipt="NOT FLAT. KAL NOT FLAT. venue: timed out", residue=("KAL venue: timed out",)
    )
    assert receipt(unread) == unread.receipt
    broke = msgspec.structs.replace(ended, receipt="NOT FLAT: the ladder broke.")
    assert receipt(broke) == "NOT FLAT: the ladder broke. Left: T: nobody bids."
