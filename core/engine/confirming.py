"""What an operator says of the world: a release has come, a market is about a game, a source was read."""

from __future__ import annotations

from core.engine.fixtures import Fixtures
from core.engine.hands import Hands
from core.engine.operator import VIEWER_REFUSED, Actor, Outcome, accepted, refused
from core.engine.viewing import Viewing
from core.feeds.calendar.eastern import eastern_words
from core.feeds.calendar.kinds import NAMES, kind_named


class Confirming(Hands):
    """See the module."""

    fixtures: Fixtures
    viewing: Viewing

    def confirm_release(self, kind: str, actor: Actor) -> Outcome:
        """The newest release of a kind that was due is out: entries it held back go on."""
        if not actor.may_operate:
            return VIEWER_REFUSED
        named = kind_named(kind)
        if named is None:
            return refused(f"{kind[:40]!r} is no kind of release: use {', '.join(NAMES)}.")
        self._present(actor)
        due = self.desk.releases.confirm(named.name, actor.name)
        if due is None:
            coming = self.desk.releases.coming(named.name)
            when = f"the next one is due {eastern_words(coming.at_ms)}" if coming else "none is known to come"
            return refused(f"No {named.name} is awaited; {when}.")
        self.trading.mark_all()
        return accepted(f"{named.name} of {eastern_words(due.at_ms)} counts as out.")

    def enter_view(
        self, kind: str, released: str, centre: str, value: str, sd: str, source: str, actor: Actor
    ) -> Outcome:
        """What a figure to come is expected to be: priced by once its file is read, seconds later."""
        if not actor.may_operate:
            return VIEWER_REFUSED
        self._present(actor)
        found = self.viewing.enter(kind, released, centre, value, sd, source, actor.name)
        return refused(found) if isinstance(found, str) else accepted(f"Entered: {found.text}.")

    def confirm_source(self, series: str, mark: str, actor: Actor) -> Outcome:
        """The rules text of this mark was read: what settles the series' markets is understood."""
        if not actor.may_operate:
            return VIEWER_REFUSED
        self._present(actor)
        markets = [known.market for known in self.desk.state.markets.values()]
        found = self.desk.sources.confirm(series, mark, markets, actor.name)
        if isinstance(found, str):
            return refused(found)
        self.trading.mark_all()
        return accepted(f"Confirmed: {found.text}.")

    def confirm_fixture(self, ticker: str, game: str, team: str, actor: Actor) -> Outcome:
        """A market is about this game; ``team`` where its own words do not say whose win it pays."""
        if not actor.may_operate:
            return VIEWER_REFUSED
        known = self.desk.state.markets.get(ticker)
        if known is None:
            return refused(f"{ticker[:80]!r} is no market of this desk; pmconsole markets lists them.")
        self._present(actor)
        found = self.fixtures.confirm(known.market, game, team, actor.name)
        if isinstance(found, str):
            return refused(found)
        self.desk.pricing.price_all()
        self.trading.mark_all()
        return accepted(f"Confirmed: {found.text}.")
