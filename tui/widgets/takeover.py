"""The whole screen for one alarm: the venue holds the side opposite to ours, and nothing else matters."""

from __future__ import annotations

from core.control.tables.account import DifferenceRow
from core.control.tables.safety import AlarmRow
from tui.format import age
from tui.lines import Line, line, pad
from tui.scene import Scene
from tui.widgets.line_pane import LinePane
from tui.widgets.text_pane import wrapped

TITLE = "THE VENUE HOLDS THE OTHER SIDE"
ADVICE = (
    "Find out before anything else: an order of somebody else, a fill read from the wrong side, or a record "
    "that is not this account's. {screen.orders} shows what differs and what happened last in that market."
)


def takeover_lines(scene: Scene, alarm: AlarmRow, width: int, height: int) -> list[Line]:
    """Both counts of every such market, what stands still, and the way out; exactly ``height`` lines."""
    edge = pad(line((" ", "band")), width, "band")
    head = [edge, pad(line((TITLE.center(width), "band")), width, "band"), edge]
    body: list[Line] = [()]
    for row in scene.view.other_sides():
        body += [line((f"  {_market(scene, row)}", "strong")), _counts(scene, row), ()]
    if not scene.view.other_sides():
        body += [*wrapped(f"The last reading agrees again. It was: {alarm.what}", width, indent=2), ()]
    body += [
        line(
            ("  " + _sentence(alarm.effect), "alarm"), " Our orders are cancelled; nothing is sold by itself."
        ),
        (),
        *wrapped(scene.keymap.spelt(ADVICE), width, indent=2),
        (),
    ]
    foot = [pad(way_out(scene, alarm), width), edge]
    room = max(0, height - len(head) - len(foot))
    body = body[:room]
    return [*head, *body, *[()] * (room - len(body)), *foot][:height]


def way_out(scene: Scene, alarm: AlarmRow) -> Line:
    """The key that leads on from here."""
    if alarm.acknowledged:
        return line(("  Acknowledged. ", "good"), ("any key ", "key"), ("leaves", "text"))
    key = (f"  {scene.keymap.name('alarm.acknowledge')} ", "key")
    if scene.controls and not scene.down:
        return line(key, ("acknowledges it   ", "text"), ("^X ", "key"), ("stops the desk", "text"))
    who = "the engine does not answer" if scene.down else "only the console in control acknowledges it"
    return line(key, (f"leaves it; {who}   ", "text"), ("^X ", "key"), ("stops", "text"))


def _market(scene: Scene, row: DifferenceRow) -> str:
    return f"{scene.view.label(row.key)}  {row.ticker}" if row.key else row.ticker


def _counts(scene: Scene, row: DifferenceRow) -> Line:
    since = f"   for {age(scene.ago_s(row.since_ns))}, in {row.reads} readings"
    return line(
        ("  we say ", "text"),
        (row.ours, "alarm"),
        ("   the venue says ", "text"),
        (row.theirs, "alarm"),
        since,
    )


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}." if text else ""


class TakeoverPane(LinePane):
    bare = True

    def show(self, scene: Scene) -> None:
        if scene.takeover is not None:
            self.paint(takeover_lines(scene, scene.takeover, *self.body_size))
