"""How a conversation asks for what a riskier command needs: a typed word, and most of them a reason."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import NamedTuple

from core.control.protocol import AnyCommand
from tui.actions import command_spec
from tui.operator import Operator
from tui.tables import Now


class Question(NamedTuple):
    """Something asked for with more help than a sentence."""

    prompt: str
    keys: Mapping[str, Callable[[str], str]]
    """Keys that make another text of the typed one."""
    tell: Callable[[str], str]
    """What the typed text would do, told while it is typed."""
    value: str = ""
    """What stands in the field at first."""


Talk = Generator[str | Question, str, str]
"""Yields what to ask, receives what was typed, returns the sentence to show when it sent nothing."""
Clock = Callable[[], Now]
Make = Callable[[Operator, Clock, str], Talk]


def word(spec_name: str, why: str) -> Generator[str, str, tuple[str, str]]:
    """Ask for the typed word of a command and, where it wants one, the reason."""
    spec = command_spec(spec_name)
    assert spec is not None
    yield from exactly(spec.word, why)
    return spec.word, ((yield from reason()) if spec.reason else "")


def exactly(words: str, why: str) -> Generator[str, str, None]:
    """Ask until the words are typed. A field that closed on a slip would leave what is typed next, a reason
    as a rule, to be read as keys, and some of them cancel orders."""
    question = f"{why} Type {words}"
    while (yield question).strip() != words:
        question = f"Nothing sent: that was not the word. {why} Type {words}"


def reason() -> Generator[str, str, str]:
    """Ask until a reason is typed."""
    question = "Reason"
    while not (typed := (yield question).strip()):
        question = "Nothing sent: it needs a reason. Reason"
    return typed


def risky(
    operator: Operator, clock: Clock, name: str, why: str, make: Callable[[str, str, str], AnyCommand]
) -> Talk:
    """Send what ``make`` builds of id, word and reason once both were typed."""
    answer = yield from word(name, why)
    operator.send(make(operator.next_id(), *answer), name, clock())
    return ""


def instant(act: Callable[[Operator, Now, str], str | None]) -> Make:
    """A command that happens at once; ``act`` returns what is wrong with it, if anything."""

    def make(operator: Operator, clock: Clock, rest: str) -> Talk:
        yield from ()
        return act(operator, clock(), rest) or ""

    return make
