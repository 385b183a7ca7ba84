"""Who asks the engine for something and what the engine answers."""

from __future__ import annotations

import enum

import msgspec


class ActorKind(enum.Enum):
    CONSOLE = "console"
    CLI = "cli"
    FILE = "file"
    """The ``FLATTEN`` file in the profile's directory."""
    ENGINE = "engine"


class Actor(msgspec.Struct, frozen=True):
    """The hand behind a command, for permission and journal."""

    kind: ActorKind
    pid: int = 0
    uid: int = 0
    session: str = ""
    """Joins the connections of one console."""
    controls: bool = False
    """Whether this console holds control of the desk."""

    @property
    def may_operate(self) -> bool:
        """Everything but halt and flatten, which every actor may: a viewer may only make things safer."""
        return self.controls or self.kind in (ActorKind.CLI, ActorKind.ENGINE)

    @property
    def name(self) -> str:
        """For journal and screen: ``console pid 4711 (uid 1000)``."""
        return self.kind.value if not self.pid else f"{self.kind.value} pid {self.pid} (uid {self.uid})"


ENGINE = Actor(ActorKind.ENGINE)


class Outcome(msgspec.Struct, frozen=True):
    """Whether a command was accepted; ``text`` is a sentence for a person either way."""

    accepted: bool
    text: str


def accepted(text: str) -> Outcome:
    return Outcome(accepted=True, text=text)


def refused(text: str) -> Outcome:
    return Outcome(accepted=False, text=text)


NOT_READY = refused("The engine is still starting; nothing is sent before it has read the account.")
VIEWER_REFUSED = refused("This console only views; take control first (pmconsole attach --take).")
