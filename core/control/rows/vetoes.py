"""Vetoes and what they came to."""

from __future__ import annotations

from core.control.tables.vetoes import VetoesRow, VetoRow, WorthRow
from core.engine.vetoes import VetoBook, worth

NEWEST_MAX = 100
"""Vetoes that are listed; all that are kept count."""


def vetoes_row(book: VetoBook) -> VetoesRow:
    first = book.first()
    newest = list(book.vetoes.values())[: -NEWEST_MAX - 1 : -1]
    return VetoesRow(
        worth=tuple(
            WorthRow(one.reason.value, one.vetoes, one.settled, one.right, one.made, one.expected)
            for one in worth(book)
        ),
        vetoes=tuple(
            VetoRow(
                id=veto.proposal_id,
                at_world_ms=veto.at_ms,
                label=veto.label,
                closes=veto.closes,
                outcome="YES" if veto.legs[0].yes else "NO",
                price=veto.legs[0].price,
                quantity=veto.legs[0].quantity,
                orders=len(veto.legs),
                edge=veto.edge,
                fill=veto.fill,
                reason=veto.reason.value,
                said=veto.said,
                by=veto.by,
                ended=veto.proposal_id in book.ended,
                made=book.would(veto),
                again=veto.proposal_id not in first,
            )
            for veto in newest
        ),
    )
