"""The subscriptions of one connection: which channel has which number, what was asked, what is overdue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from core.venues.kalshi.channel import BOOKS, NEEDED, REPLY_NS_MAX, TICKERS, Channel, Wanted
from core.venues.kalshi.frames import Command, Params, Subscribed


class Subscriptions:
    """Commands go out through ``commands``; answers come back through the other methods."""

    def __init__(self, wanted: Sequence[Wanted]) -> None:
        self._wanted = {BOOKS: Wanted(BOOKS)} | {one.channel: one for one in wanted}
        self._by_sid: dict[int, str] = {}
        self._awaiting: dict[int, str] = {}
        """Channels by the id of the command that asked for them."""
        self._commands: list[bytes] = []
        self._ids = 0
        self.channels = {name: Channel() for name in self._wanted}

    def reset(self) -> None:
        """The connection is gone, and all that was asked on it."""
        self._by_sid.clear()
        self._awaiting.clear()
        self._commands.clear()
        self.channels = {name: Channel() for name in self._wanted}

    @property
    def waiting(self) -> bool:
        return bool(self._commands)

    def commands(self) -> list[bytes]:
        """Commands to send now; each is handed out once."""
        waiting, self._commands = self._commands, []
        return waiting

    def send(self, cmd: str, params: Params) -> int:
        """The command's id."""
        self._ids += 1
        self._commands.append(msgspec.json.encode(Command(self._ids, cmd, params)))
        return self._ids

    def subscribe(self, name: str, now_ns: int, params: Params | None = None) -> int:
        """Ask for a channel; ``params`` are the plan's own unless given."""
        self.channels[name] = Channel(now_ns + REPLY_NS_MAX)
        one = self._wanted[name]
        asked = params or Params(
            channels=[name],
            market_tickers=one.market_tickers,
            index_ids=one.index_ids,
            underlying_tickers=one.underlying_tickers,
            send_initial_snapshot=True if name == TICKERS else None,
        )
        command_id = self.send("subscribe", asked)
        self._awaiting[command_id] = name
        return command_id

    def confirmed(self, frame: Subscribed) -> bool:
        """Take the number the venue gave a channel; false for one that was not asked for."""
        name, sid = frame.msg.channel, frame.msg.sid
        channel = self.channels.get(name)
        if channel is None or channel.sid is not None or sid in self._by_sid:
            return False
        channel.sid, channel.deadline_ns = sid, None
        self._by_sid[sid] = name
        self._awaiting.pop(frame.id, None)
        return True

    def refused(self, command_id: int) -> str | None:
        """A command failed; the channel it was to open. One that can be done without is done without in
        this connection."""
        name = self._awaiting.pop(command_id, None)
        if name is not None and name not in NEEDED:
            self.channels[name].deadline_ns = None
        return name

    def leave(self, name: str, now_ns: int) -> None:
        """Ask to be let go; the channel is taken again once the venue has confirmed that."""
        channel = self.channels[name]
        if channel.sid is not None and not channel.leaving:
            channel.leaving, channel.deadline_ns = True, now_ns + REPLY_NS_MAX
            self.send("unsubscribe", Params(sids=[channel.sid]))

    def left(self, sid: int) -> str | None:
        """The venue let a channel go; its name when we had asked for that."""
        name = self._by_sid.pop(sid, None)
        return name if name is not None and self.channels[name].leaving else None

    def ended(self, sid: int | None) -> str | None:
        """The venue sends nothing more under this number; the channel it had."""
        return self._by_sid.pop(sid, None) if sid is not None else None

    def gap(self, sid: int, seq: int) -> str | None:
        """Take note of a number; the channel's name when one before it is missing."""
        name = self._by_sid.get(sid)
        if name is None:
            return None
        channel = self.channels[name]
        if channel.seq is not None and seq != channel.seq + 1:
            return name
        channel.seq = seq
        return None

    def overdue(self, now_ns: int) -> Iterator[tuple[str, Channel]]:
        """Channels whose answer should have come."""
        for name, channel in self.channels.items():
            if channel.deadline_ns is not None and now_ns >= channel.deadline_ns:
                yield name, channel
