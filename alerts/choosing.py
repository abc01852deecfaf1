"""What a contact is told in a letter of its rhythm: what changed, then what is new for it."""

from __future__ import annotations

from collections.abc import Collection

from alerts.digest import Notice, ordered
from alerts.ledger import Heard
from alerts.untold import untold
from alerts.writing import Batch, Pending


def everything_new(
    batch: Batch, to: Pending, heard: Heard, *, only: Collection[int] | None = None
) -> tuple[Notice, ...]:
    """What changed of what the contact was told, then all that is for it and was not told.

    Near misses on the way. `only`: of these clusters what is new. Over the reader's own maximum,
    the later ones of what is new stay untold: the next letter has them.
    """
    if to.subscription is None:
        return ()
    first = all_changed(batch, to)
    new = untold(
        to.subscription,
        batch.calls,
        heard,
        batch.poison,
        only=only,
        but={notice.cluster_id for notice in first},
    )
    batch.missed.extend(new.missed)
    batch.remarks[to.contact.id].kept_back = new.more
    return first + new.notices


def all_changed(batch: Batch, to: Pending) -> tuple[Notice, ...]:
    """What the contact must hear about what it was told, soonest to close first."""
    if to.subscription is None:
        return ()
    owed = batch.changes.of(to.subscription, batch.poison)
    return ordered(one.notice(batch.desk.catalogue) for one in owed)
