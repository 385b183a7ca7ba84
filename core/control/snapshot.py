"""The live desk as protocol rows, each built when somebody asks for it. Nothing here waits or is kept."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from core.control.queries.answers import Rows
from core.control.queries.fields import Now
from core.control.rows.account import account_row, difference_row, journal_row, line_rows
from core.control.rows.batch import batch_row, losses_of
from core.control.rows.cards import CardSurroundings, proposal_row
from core.control.rows.detail import Listed, detail_row, equity_row, history_row
from core.control.rows.funnel import stage_row
from core.control.rows.markets import Touch, mark_of, market_row, pair_row
from core.control.rows.models import event_row, score_row
from core.control.rows.orders import beside, external_row, order_row, position_row
from core.control.rows.payoff import payoff_row
from core.control.rows.safety import Use, alarm_row, flatten_row, flatten_venue_row, limit_rows
from core.control.rows.sources import feed_row, release_row
from core.control.rows.status import link_row
from core.control.rows.vetoes import vetoes_row
from core.control.statics import Statics, static_of
from core.control.tables.account import JournalRow, ReadingRow
from core.control.tables.cards import ProposalRow
from core.control.tables.detail import DetailRow
from core.control.tables.markets import MarketRow, MarketStatic, PairRow, RulesRow
from core.control.tables.models import EventRow
from core.control.tables.orders import OrderRow, PositionRow
from core.control.tables.safety import FlattenRow, LimitRow
from core.control.tables.status import CountsRow, StatusRow
from core.domain.order import Order
from core.domain.position import Position
from core.engine.account import WINDOW_5MIN_NS, WINDOW_15S_NS
from core.engine.desk import Desk
from core.engine.exiting import exit_wanted
from core.engine.facts import market_view, waits
from core.engine.funnel import funnel
from core.engine.incidents import name_of
from core.engine.judging import needs_person
from core.engine.pairs import compare
from core.engine.plans import kept_in
from core.engine.sources import MARK_LENGTH, text_mark
from core.journal.projections import Pair
from core.risk.halts import Level
from core.strategy.convergence import ExitView
from core.strategy.plan import Kept
from core.venues.venue import BookView, OrderReport

ENDED_ORDERS_MAX = 200
"""Finished orders a snapshot carries; the journal has them all."""
ENDED_KNOWN_MAX = 10 * ENDED_ORDERS_MAX
RATES_S = {"rate_second_max": 1, "rate_minute_max": 60, "rate_hour_max": 3600}
JOURNAL_ROWS_MAX = 200
"""New journal rows one frame carries; the next frame has the rest."""


class Snapshot:
    """Row building over one desk, shared by all readers."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.clocks = clocks = desk.clocks
        # Wall times of orders become monotonic ones, the same for every frame of this process.
        self._offset_ns = clocks.mono_ns() - clocks.wall_ms() * 1_000_000
        self._ended_ns: dict[str, int] = {}
        self._elsewhere: dict[str, int] = {}

    # --- one row of each table -----------------------------------------------------------------

    def status(self) -> StatusRow:
        desk, state = self.desk, self.desk.state
        world, world_ms = self.clocks.world, self.clocks.world_ms()
        halt, paused = state.halts.widest, state.last_pause if state.paused else None
        return StatusRow(
            profile=state.profile,
            mode=state.mode.value,
            level=(halt.level if halt is not None else Level.NORMAL).name,
            level_reason=halt.cause if halt is not None else "",
            paused=tuple(sorted(state.paused)),
            starting=tuple(state.starting.items()),
            links=tuple(
                link_row(seat, state.halts.at(seat.scope), world_ms, state.accounts.get(seat.name, ""))
                for seat in desk.seats.values()
            ),
            feeds=tuple(feed_row(health, state.apart.get(health.source)) for health in state.feeds.values()),
            unknown=len(desk.ledger.unknown()),
            exposure=desk.exposure.total,
            exposure_limit=state.limits.current.total_loss_max,
            open_pnl=state.open_pnl,
            today_pnl=state.today_pnl,
            orders=len(desk.ledger.live),
            order_limit=state.limits.current.open_orders_total_max,
            controller=state.controller,
            controller_session=state.controller_session,
            viewers=state.viewers,
            cash=desk.seats.cash,
            world_origin_ms=world.world_origin_ms,
            real_origin_ms=world.real_origin_ms,
            speed=world.speed,
            world_id=state.world_id,
            replay=state.replay,
            counts=CountsRow(
                state.counts.placed,
                state.counts.filled,
                state.counts.cancelled,
                state.counts.rejected,
                len(desk.ledger.unknown()),
            ),
            best=state.best,
            read_ns=desk.seats.read_ns,
            problem=state.problem,
            unattended_until_ns=state.unattended_until_ns,
            armed=state.armed,
            arm_phrase=state.arm_phrase,
            groups=self._groups(),
            watchdog=self._watchdog(),
            renewals=next((s.renewals.stopped for s in desk.seats.values() if s.renewals.stopped), ""),
            releases=tuple(release_row(known, desk.settings.releases) for known in desk.releases.known),
            waiting=state.waiting,
            waiting_best=state.waiting_best,
            level_scope=name_of(halt.scope) if halt is not None else "",
            level_by=halt.by if halt is not None else "",
            level_wall_ms=halt.since_wall_ms if halt is not None else None,
            paused_by=paused.by if paused is not None else "",
            paused_wall_ms=paused.since_wall_ms if paused is not None else None,
            paused_why=paused.why if paused is not None else "",
            unsettled=sum(map(len, desk.ledger.settling.open.values())),
        )

    def _groups(self) -> str:
        groups = [seat.groups for seat in self.desk.seats.values()]
        if any(each.triggered for each in groups):
            return "triggered"
        return "not armed" if any(each.missing for each in groups) else "armed"

    def _watchdog(self) -> str:
        """Empty where no watchdog is expected."""
        problem = self.desk.watched.problem()
        if not self.desk.watched.expected:
            return ""
        if problem:
            return "GONE" if self.desk.state.watchdog is None else "UNFIT"
        return "ok"

    def static(self, ticker: str) -> MarketStatic:
        return static_of(self.desk.state, ticker)

    def market(self, ticker: str, touch: Touch) -> MarketRow:
        desk = self.desk
        return market_row(
            desk.state.markets[ticker],
            self.view(ticker),
            desk.ledger.net(ticker),
            mark_of(desk.ledger.live_in(ticker), card=bool(desk.approvals.standing_in(ticker))),
            touch,
        )

    def event(self, ticker: str) -> EventRow:
        state = self.desk.state
        event = state.events[ticker]
        books = {
            t: (view.book.best_bid, view.book.best_ask)
            for t in event.markets
            if (view := self.view(t)) is not None
        }
        return event_row(event, state.markets, books)

    def proposal(self, proposal_id: str) -> ProposalRow:
        desk = self.desk
        card = desk.approvals.proposals[proposal_id]
        c = card.candidate
        # What was sent is counted with the orders already.
        losses = losses_of((card,)) if card.standing else {}
        event = desk.state.events.get(c.event_ticker)
        around = CardSurroundings(
            state=desk.state.markets[c.ticker],
            event=event.fair if event is not None else None,
            view=self.view(c.ticker),
            position=desk.ledger.positions.get(c.ticker, Position()),
            pending=c.quantity if card.standing else desk.ledger.left_of(card.id),
            worst=tuple(
                (desk.exposure.now(ticker), desk.exposure.with_orders(ticker, losses))
                for ticker in card.tickers
            ),
            limits=desk.state.limits,
            collar=desk.state.limits.current.collar_book,
            keys={ticker: self.key(ticker) for ticker in card.tickers},
            alone=needs_person(desk, c),
        )
        return proposal_row(card, around)

    def order(self, order: Order) -> OrderRow:
        client = order.intent.client_order_id
        if not order.live and client not in self._ended_ns:
            self._ended_ns[client] = self.clocks.mono_ns()
            if len(self._ended_ns) > ENDED_KNOWN_MAX:
                del self._ended_ns[next(iter(self._ended_ns))]
        seat = self.desk.seats[order.intent.venue]
        return order_row(
            order,
            self.key(order.intent.ticker),
            ahead=seat.queue_ahead.get(order.order_id),
            offset_ns=self._offset_ns,
            ended_ns=self._ended_ns.get(client),
            search=seat.unknowns.searches.get(client),
            reduces=seat.traits.reduces,
        )

    def external(self, report: OrderReport) -> OrderRow:
        venue = self.desk.seats.venue_of(report.ticker)
        return external_row(
            report, self.key(report.ticker), self.clocks.mono_ns(), venue.value if venue is not None else ""
        )

    def position(self, ticker: str) -> PositionRow:
        desk, state = self.desk, self.desk.state
        market = state.markets.get(ticker)
        view = market_view(desk, ticker) if market is not None else None
        leaving: Kept | ExitView | None = kept_in(desk, ticker)
        if leaving is None and market is not None and view is not None:
            leaving = exit_wanted(desk, market, view)
        return position_row(
            self.position_key(ticker),
            desk.ledger.positions.get(ticker, Position()),
            self.view(ticker),
            market.fair if market is not None else None,
            max_loss=desk.exposure.now(ticker).market if desk.ledger.net(ticker) else 0,
            today=state.today.get(ticker, 0),
            exit_rule=leaving.rule if leaving is not None else "",
            venue_net=desk.seats.venue_net.get(ticker),
            market=market.market if market is not None else None,
            ticker=ticker,
            beside=beside(desk.seat(ticker), ticker),
        )

    def detail(self, ticker: str) -> DetailRow:
        """Raises ``KeyError`` for a market that is not on the desk."""
        desk, event = self.desk, self.desk.state.markets[ticker].market.event_ticker
        ours = map(self.order, desk.ledger.live_in(ticker))
        others = map(self.external, desk.ledger.externals_in(ticker))
        listed = Listed(
            self.market(ticker, Touch()),
            self.event(event) if event in desk.state.events else None,
            (*ours, *others),
            self.position(ticker) if ticker in self.held() else None,
        )
        return detail_row(desk, ticker, listed)

    def pair(self, pair: Pair) -> PairRow:
        keys = self.key(pair.first), self.key(pair.second)
        books = self.view(pair.first), self.view(pair.second)
        first_ms, second_ms = (0 if view is None else view.message_ns // 1_000_000 for view in books)
        return pair_row(pair, compare(self.desk, pair), keys, (first_ms, second_ms))

    def rules(self, ticker: str) -> RulesRow:
        market = self.desk.state.markets[ticker].market
        pinned = self.desk.pinned_rules[ticker]
        waiting = waits(self.desk, market)
        mark = text_mark(market.rules)[:MARK_LENGTH] if self.desk.sources.waits(market) else ""
        return RulesRow(
            ticker, market.venue.value, market.rules, market.rules_hash, pinned,
            market.series_ticker, mark, waiting,
        )  # fmt: skip

    def limits(self) -> list[LimitRow]:
        desk, state = self.desk, self.desk.state
        markets, events, correlated, most_orders = {}, {}, 0, 0
        ledger = desk.ledger
        ordered = [o.intent.ticker for o in ledger.live.values()]
        ordered += [report.ticker for report in ledger.externals.values()]
        for ticker in dict.fromkeys((*state.markets, *ledger.held, *ordered)):
            orders = ordered.count(ticker)
            if ledger.net(ticker) or orders:
                worst, market = desk.exposure.now(ticker), state.markets.get(ticker)
                markets[ticker] = int(worst.market)
                if market is not None:
                    events[market.market.event_ticker] = int(worst.event)
                correlated = max(correlated, worst.correlated)
                most_orders = max(most_orders, orders)
        now_ns, recent = self.clocks.mono_ns(), desk.account.recent("")
        used = {
            "market_loss_max": 0,
            "event_loss_max": 0,
            "total_loss_max": int(desk.exposure.total),
            "venue_loss_max": max(int(desk.exposure.venue(venue)) for venue in desk.seats),
            "correlated_loss_max": correlated,
            "open_orders_market_max": most_orders,
            "open_orders_total_max": len(desk.ledger.live) + len(desk.ledger.externals),
            "velocity_15s_max": int(desk.account.filled_within(WINDOW_15S_NS)),
            "velocity_5min_max": int(desk.account.filled_within(WINDOW_5MIN_NS)),
        } | {
            name: sum(now_ns - sent.at_ns <= seconds * 1_000_000_000 for sent in recent)
            for name, seconds in RATES_S.items()
        }
        used |= self._counted()
        if state.today_pnl is not None:
            used["day_loss_max"] = max(0, -state.today_pnl)
        return limit_rows(state.limits, Use(used, markets, events))

    def _counted(self) -> dict[str, int]:
        """What may switch something off, and how well the engine is, as the gate is told."""
        desk, tallies, equity = self.desk, self.desk.trips.tallies, self.desk.trips.equity
        counted = {
            "repeat_hour_max": max(tallies.entered().values(), default=0),
            "loss_row_max": tallies.losses_in_row(),
            "loss_hour_max": tallies.losses_1h(),
            "rejects_max": max(map(tallies.rejects_1min, desk.seats)),
            "unknowns_max": max(map(tallies.unknowns_1min, desk.seats)),
            "loop_lag_ms_max": desk.health.lag_p99_ms(),
            "sync_ms_max": desk.scribe.log.sync_p99_ms(),
            "memory_mb_max": desk.health.memory_mb,
        }
        if equity.now is not None and equity.peak is not None and equity.peak > 0:
            counted["drawdown_max"] = max(0, equity.peak - equity.now) * 100 // equity.peak
        return {name: used for name, used in counted.items() if used is not None}

    def flatten(self) -> FlattenRow | None:
        stop = self.desk.stop
        ladder = stop.ladder
        if ladder is None:
            return None
        venues = [flatten_venue_row(self.desk.seats[v], down) for v, down in stop.ladders.items()]
        return flatten_row(ladder, venues, can_abort=stop.can_be_stopped)

    def reading(self) -> ReadingRow:
        """Every account's reading, and all of them as one."""
        events = self.desk.state.last_events
        accounts = [seat.reconciler for seat in self.desk.seats.values()]
        worst = min(accounts, key=lambda account: (account.last.complete, account.last.at_ns))
        clean = [account.clean_ns for account in accounts if account.clean_ns is not None]
        return ReadingRow(
            number=min(account.readings for account in accounts),
            at_ns=worst.last.at_ns,
            complete=worst.last.complete,
            reason=worst.last.reason,
            clean_ns=min(clean) if len(clean) == len(accounts) else None,
            doubt=next((account.doubt for account in accounts if account.doubt), ""),
            differences=tuple(
                difference_row(d, seat, self.key(d.key.ticker), events.get(d.key.ticker, ()))
                for seat in self.desk.seats.values()
                for d in seat.reconciler.differences.values()
            ),
            accounts=tuple(map(account_row, self.desk.seats.values())),
        )

    # --- whole tables --------------------------------------------------------------------------

    def orders(self) -> Iterator[OrderRow]:
        """Live orders, the newest finished ones, and what others placed."""
        ledger = self.desk.ledger
        newest = (order for order in reversed(ledger.orders.values()) if not order.live)
        ended = list(islice(newest, ENDED_ORDERS_MAX))
        for order in (*reversed(ended), *ledger.live.values()):
            yield self.order(order)
        yield from map(self.external, ledger.externals.values())

    def held(self) -> list[str]:
        """Tickers with a position, a difference to the venue, something to be done on its page, or a trade
        that was reversed while the market is on the desk."""
        seats, markets = self.desk.seats, self.desk.state.markets
        failed = [fill.ticker for fill in self.desk.ledger.settling.failed.values() if fill.ticker in markets]
        elsewhere = [
            ticker for seat in seats.values() for ticker in (*seat.reconciler.pairs, *seat.redeemable)
        ]
        return list(dict.fromkeys((*self.desk.ledger.held, *seats.venue_net, *elsewhere, *failed)))

    def query_rows(self, what: str, about: str = "") -> Rows:
        """What one CLI query reads: the status in all its parts, or one table."""
        desk, state, status = self.desk, self.desk.state, self.status()
        match what:
            case "status":
                return Rows(status, alarms=map(alarm_row, state.alarms.values()), flatten=self.flatten())
            case "reconcile":
                return Rows(status, reconcile=self.reading())
            case "account":
                lines = (line for seat in desk.seats.values() for line in line_rows(seat))
                return Rows(status, account=lines)
            case "alarms":
                return Rows(status, alarms=map(alarm_row, state.alarms.values()))
            case "markets":
                return Rows(status, markets=[self.market(ticker, Touch()) for ticker in state.markets])
            case "proposals":
                return Rows(status, proposals=[self.proposal(card.id) for card in desk.approvals.queue()])
            case "orders":
                return Rows(status, orders=self.orders())
            case "positions":
                return Rows(status, positions=map(self.position, self.held()))
            case "rules":
                return Rows(status, rules=self.rules(about))
            case "feeds":
                return Rows(status, feeds=status.feeds)
            case "releases":
                return Rows(status, releases=status.releases)
            case "funnel":
                return Rows(status, funnel=map(stage_row, funnel(desk)))
            case "score":
                return Rows(status, score=map(score_row, desk.forecasts.record.tracks()))
            case "market":
                return Rows(status, market=self.detail(about))
            case "history":
                return Rows(status, history=history_row(desk, about))
            case "equity":
                return Rows(status, equity=equity_row(desk))
            case "batch":
                return Rows(status, batch=batch_row(desk, about))
            case "payoff":
                return Rows(status, payoff=payoff_row(desk, about))
            case "vetoes":
                return Rows(status, vetoes=vetoes_row(desk.vetoes.book))
            case "links":
                return Rows(status, links=map(self.pair, state.pairs.values()))
            case _:
                return Rows(status, limits=self.limits())

    def now(self) -> Now:
        return Now(
            self.clocks.mono_ns(), self.clocks.wall_ms(), self.clocks.world_ms(), Statics(self.desk.state)
        )

    # --- common --------------------------------------------------------------------------------

    def key(self, ticker: str) -> int:
        """0 stands for a market that is not on the desk; keys of the desk begin at 1."""
        market = self.desk.state.markets.get(ticker)
        return market.key if market is not None else 0

    def position_key(self, ticker: str) -> int:
        """A row of its own also for what is held in a market that is not on the desk."""
        return self.key(ticker) or -self._elsewhere.setdefault(ticker, len(self._elsewhere) + 1)

    def view(self, ticker: str) -> BookView | None:
        return self.desk.seats.book(ticker)

    def journal(self, after: int) -> list[JournalRow]:
        """The oldest rows of the tail with a number above ``after``, a frame's worth."""
        fresh = []
        for row in reversed(self.desk.scribe.log.tail):
            if row.seq <= after:
                break
            fresh.append(row)
        return [journal_row(row) for row in fresh[::-1][:JOURNAL_ROWS_MAX]]
