"""Chainlink's aggregators, read from an Ethereum or Polygon node of the operator's: a cross-check.

An aggregator is updated when its price has moved enough, and else once a heartbeat: its ``updatedAt`` is the
only age there is. Off a market's hours the last value stands there without a heartbeat, so it is stale
from the close on. A node that lags is seen by the time of its newest block. With several nodes the next
one is asked as soon as one fails.
"""

from __future__ import annotations

from core.domain.clock import Clocks
from core.domain.text import clean_text
from core.feeds import abi
from core.feeds.chains import BOUNDS, CHAINS, Aggregator, Chain
from core.feeds.declaration import Declaration, Family, Probe
from core.feeds.feed import Feed
from core.feeds.fetch import Body, Failed
from core.feeds.polling import Polled
from core.feeds.quotes import Quote
from core.feeds.rpc import Node
from core.feeds.sanity import price_fault, time_fault
from core.feeds.stations import DAY_MS
from core.feeds.values import Sink
from core.feeds.wiring import Wiring

LATE_S = 120
"""Heartbeats come this much late."""
BLOCK_AGE_S_MAX = 120
DECIMALS_MAX = 30
ANSWER_MAX = 10**45
"""No price of so many decimals is longer."""

LATEST_ROUND, DECIMALS, DESCRIPTION = "0xfeaf968c", "0x313ce567", "0x7284e416"
"""Selectors of ``latestRoundData()``, ``decimals()`` and ``description()``."""
FOLLOWED = ("BTC/USD", "ETH/USD", "SPY")
DECLARATION = Declaration(
    name="chainlink",
    label="CHAINLNK",
    family=Family.MARKETS,
    gives="prices of Chainlink's aggregators on Ethereum or Polygon",
    urls={"rpc": "", "rpc-2": "", "rpc-3": ""},
    every_s=60,
    stale_after_s=3_600 + LATE_S,
    closes=True,
    off="It is read from a node of yours: set urls to one to three JSON-RPC addresses, all of Ethereum or "
    "all of Polygon, such as those a node provider gives you.",
    offers=tuple(dict.fromkeys(name for chain in CHAINS.values() for name in chain.aggregators)),
    probe=Probe(
        "which network the first node is of", "", role="rpc", holds=b'"result"', private=True,
        body=b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}',
    ),
)  # fmt: skip


class Gateway(Node):
    """A node with what is learnt of it once: its network, and each aggregator's scale."""

    def __init__(self, node_url: str, wiring: Wiring, role: str) -> None:
        super().__init__(node_url, wiring.fetcher(role, "application/json", private=True))
        self._chain: Chain | None = None
        self._decimals: dict[str, int] = {}

    async def chain(self) -> Chain | Failed:
        if self._chain is None:
            answer = await self.ask("eth_chainId", [])
            if isinstance(answer, Failed):
                return answer
            number = quantity(answer.result)
            self._chain = CHAINS.get(-1 if number is None else number)
            if self._chain is None:
                known = " and ".join(chain.name for chain in CHAINS.values())
                return self.failed(Failed(f"it is no node of {known}", 200))
        return self._chain

    async def block_fault(self, world_ms: int) -> Failed | None:
        """Whether the node lags behind its network."""
        answer = await self.ask("eth_getBlockByNumber", ["latest", False])
        if isinstance(answer, Failed):
            return answer
        block = answer.result if isinstance(answer.result, dict) else {}
        made_s = quantity(block.get("timestamp"))
        if made_s is None:
            return self.failed(Failed("its newest block has no time", 200))
        age_s = world_ms // 1000 - made_s
        if age_s <= BLOCK_AGE_S_MAX:
            return None
        return self.failed(Failed(f"its newest block is {age_s} s old", 200))

    async def decimals(self, of: Aggregator) -> int | Failed:
        """The scale of an aggregator that says it is what it should be."""
        if of.proxy not in self._decimals:
            answer = await self.call(of.proxy, DESCRIPTION)
            if isinstance(answer, Failed):
                return answer
            said = abi.text(answer.result)
            if said is None or said.replace(" ", "") != of.description:
                says = "tells no name" if said is None else f"calls itself {clean_text(said, 40)!r}"
                return self.failed(Failed(f"the contract for {of.description} {says}", 200))
            answer = await self.call(of.proxy, DECIMALS)
            if isinstance(answer, Failed):
                return answer
            scale = abi.number(answer.result)
            if isinstance(scale, str) or scale > DECIMALS_MAX:
                why = scale if isinstance(scale, str) else f"{of.description} has {scale} decimals"
                return self.failed(Failed(why, 200))
            self._decimals[of.proxy] = scale
        return self._decimals[of.proxy]


class AggregatorSource:
    """One price, from whichever node answers."""

    def __init__(self, name: str, gateways: tuple[Gateway, ...], clocks: Clocks, sink: Sink) -> None:
        self.key = name
        self.newest_ms: int | None = None
        self.stale_after_s = DECLARATION.stale_after_s
        self._gateways, self._clocks, self._sink = gateways, clocks, sink
        self._turn = 0
        self._held = (0, 0)
        self._value: float | None = None

    async def poll(self) -> Polled | Failed:
        """Ask one node after the other until one answers; that one is asked first the next time."""
        failed = Failed("no address of a node is set")
        for _ in self._gateways:
            answer = await self._read(self._gateways[self._turn])
            if isinstance(answer, Polled):
                return answer
            failed = answer
            self._turn = (self._turn + 1) % len(self._gateways)
        return failed

    async def _read(self, node: Gateway) -> Polled | Failed:
        chain = await node.chain()
        if isinstance(chain, Failed):
            return chain
        of = chain.aggregators.get(self.key)
        if of is None:
            return node.failed(Failed(f"{chain.name} has no {self.key}", 200))
        decimals = await node.decimals(of)
        if isinstance(decimals, Failed):
            return decimals
        lags = await node.block_fault(self._clocks.world_ms())
        if lags is not None:
            return lags
        answer = await node.call(of.proxy, LATEST_ROUND)
        if isinstance(answer, Failed):
            return answer
        found = abi.round_data(answer.result)
        fault = found if isinstance(found, str) else self._fault(found, decimals)
        if isinstance(found, str) or fault:
            return node.failed(Failed(f"{self.key} refused: {fault}", 200))
        return self._take(of, found, found.answer / 10**decimals, answer.body)

    def _fault(self, found: abi.Round, decimals: int) -> str:
        """What is wrong with a round, empty when nothing is."""
        if not 0 < found.answer < ANSWER_MAX:
            return f"its answer {str(found.answer)[:20]} is no price"
        event_ms, held_ms = found.updated_s * 1000, self.newest_ms
        near = held_ms is not None and event_ms - held_ms < DAY_MS
        fault = time_fault(event_ms, held_ms, self._clocks.world_ms())
        before = self._value if near else None
        return fault or price_fault(found.answer / 10**decimals, BOUNDS[self.key], before)

    def _take(self, of: Aggregator, found: abi.Round, value: float, body: Body) -> Polled:
        event_ms = found.updated_s * 1000
        changed = self._held != (found.updated_s, found.answer)
        if changed:
            self._held, self.newest_ms, self._value = (found.updated_s, found.answer), event_ms, value
            self.stale_after_s = due_s(of, event_ms)
            stamp = body.stamp(event_ms)
            self._sink(Quote(self.key, DECLARATION.name, value, None, None, stamp, fresh_s(of, event_ms)))
        return Polled(body.received_ns, changed, latency_ms=body.latency_ms)


def fresh_s(of: Aggregator, event_ms: int) -> int:
    """How long a value of then may be used: a heartbeat, but never beyond its market's close."""
    limit_s = of.heartbeat_s + LATE_S
    if of.hours is None:
        return limit_s
    if not of.hours.is_open(event_ms):
        return 0
    return min(limit_s, (of.hours.next_turn_ms(event_ms) - event_ms) // 1000)


def due_s(of: Aggregator, event_ms: int) -> int:
    """How long after a value of then the next one must have come: a heartbeat of its market's open time."""
    limit_s = of.heartbeat_s + LATE_S
    if of.hours is None or fresh_s(of, event_ms) == limit_s:
        return limit_s
    close_ms = of.hours.next_turn_ms(event_ms) if of.hours.is_open(event_ms) else event_ms
    return limit_s + (of.hours.next_turn_ms(close_ms) - close_ms) // 1000


def quantity(value: object) -> int | None:
    """A number as JSON-RPC writes it, ``0x1b4``; None for anything else."""
    if not isinstance(value, str) or not value.startswith("0x") or not 2 < len(value) <= 18:
        return None
    try:
        return int(value[2:], 16)
    except ValueError:
        return None


def feed(wiring: Wiring) -> Feed:
    roles = [role for role, url in wiring.urls.items() if url]
    gateways = tuple(Gateway(wiring.urls[role], wiring, role) for role in roles)
    at = wiring.shared
    names = wiring.follows or FOLLOWED
    return wiring.polled([AggregatorSource(name, gateways, at.clocks, at.sink) for name in names])
