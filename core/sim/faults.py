"""Faults a scenario or a test switches on in front of an honest exchange. All times are real time.

The exchange behind never lies; these switches only lose, delay, refuse or garble what is said
about it, the way networks and venues do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from core.domain.clock import Clock


class BooksFroze(msgspec.Struct, frozen=True):
    tickers: frozenset[str]


class BooksThawed(msgspec.Struct, frozen=True):
    tickers: frozenset[str]


class SocketsDropped(msgspec.Struct, frozen=True):
    account: str


class SequenceGapped(msgspec.Struct, frozen=True):
    account: str


FaultEvent = BooksFroze | BooksThawed | SocketsDropped | SequenceGapped


class Refusal(msgspec.Struct):
    """An answer given in place of the real one, ``left`` times or until a moment."""

    path_prefix: str
    status: int
    body: bytes
    left: int | None = None
    until_ms: int | None = None


class Faults:
    """The switchboard. Streams add themselves to ``watchers`` to act on what is flipped."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.watchers: list[Callable[[FaultEvent], None]] = []
        self.frozen: set[str] = set()
        self._refusals: list[Refusal] = []
        self._delays: dict[str, int] = {}
        self._lost_creates: dict[str, list[int]] = {}
        self._hidden: dict[tuple[str, str], int] = {}

    def freeze_books(self, tickers: Iterable[str]) -> None:
        """Garble each book once, visibly for that market alone, then send nothing of it until thawed."""
        fresh = frozenset(tickers) - self.frozen
        self._tell(BooksFroze(fresh))
        self.frozen |= fresh

    def thaw_books(self, tickers: Iterable[str]) -> None:
        """End a freeze; every subscription gets a fresh snapshot."""
        thawed = frozenset(tickers) & self.frozen
        self.frozen -= thawed
        self._tell(BooksThawed(thawed))

    def drop_ws(self, account: str) -> None:
        """Cut the account's stream connections without a closing handshake."""
        self._tell(SocketsDropped(account))

    def gap_seq(self, account: str) -> None:
        """Leave out one sequence number on the account's sequenced subscriptions."""
        self._tell(SequenceGapped(account))

    def refuse(
        self,
        path_prefix: str,
        status: int,
        body: bytes,
        *,
        count: int | None = None,
        until_ms: int | None = None,
    ) -> None:
        """Answer requests under a path so, ``count`` times, until a wall time, or both.

        Kalshi paths are written from the API root on: ``/portfolio/events/orders``.
        """
        self._refusals.append(Refusal(path_prefix, status, body, count, until_ms))

    def delay(self, path_prefix: str, ms: int) -> None:
        """Answer requests under a path only after ``ms``; zero ends it."""
        if ms:
            self._delays[path_prefix] = ms
        else:
            self._delays.pop(path_prefix, None)

    def clear(self) -> None:
        """End refusals and delays."""
        self._refusals.clear()
        self._delays.clear()

    def lose_next_create_answer(self, account: str, hide_ms: int) -> None:
        """Accept the account's next order, cut its connection unanswered, hide the order ``hide_ms``."""
        self._lost_creates.setdefault(account, []).append(hide_ms)

    def refusal(self, path: str) -> Refusal | None:
        """The refusal this request meets, counted as used."""
        now_ms = self._clock.wall_ms()
        self._refusals = [
            r for r in self._refusals if r.left != 0 and (r.until_ms is None or now_ms < r.until_ms)
        ]
        for refusal in self._refusals:
            if path.startswith(refusal.path_prefix):
                if refusal.left is not None:
                    refusal.left -= 1
                return refusal
        return None

    def delay_ms(self, path: str) -> int:
        return max((ms for prefix, ms in self._delays.items() if path.startswith(prefix)), default=0)

    def hide_if_lost(self, account: str, client_order_id: str) -> bool:
        """Whether this create's answer is to be lost; if so its order is hidden from now on."""
        waiting = self._lost_creates.get(account)
        if not waiting or not client_order_id:
            return False
        self._hidden[account, client_order_id] = self._clock.wall_ms() + waiting[0]
        return True

    def lost(self, account: str) -> None:
        """The order was accepted and its answer lost: the switch is used up."""
        self._lost_creates[account].pop(0)

    def reveal(self, account: str, client_order_id: str) -> None:
        """The order was refused after all: nothing to hide."""
        self._hidden.pop((account, client_order_id), None)

    def hides(self, account: str, client_order_id: str) -> bool:
        """Whether an order and its fills are still hidden from their owner."""
        until_ms = self._hidden.get((account, client_order_id)) if self._hidden else None
        return until_ms is not None and self._clock.wall_ms() < until_ms

    def _tell(self, event: FaultEvent) -> None:
        for watcher in self.watchers:
            watcher(event)
