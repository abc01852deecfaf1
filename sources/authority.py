"""Which of two notices of one call counts: the weekly file's, before that of the search.

See docs/decisions/0008-search-beside-weekly-file.md.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, exists
from sqlalchemy.orm import aliased

from sources import seao_names
from sources.release import Status
from sources.tables import Tender


def is_overruled() -> ColumnElement[bool]:
    """Of a Tender: it is of the search, and the weekly file says that its call is off.

    That the weekly file's notice has closed says nothing: the search may know of a later moment.
    """
    weekly = aliased(Tender)
    off = exists().where(
        weekly.cluster_id == Tender.cluster_id,
        weekly.source == seao_names.WEEKLY,
        weekly.status != Status.ACTIVE,
    )
    return and_(Tender.source == seao_names.SEARCH, off)
