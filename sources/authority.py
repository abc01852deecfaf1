"""Which of two notices of one call counts: the weekly file's, before that of the search.

See docs/decisions/0008-search-beside-weekly-file.md.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, exists
from sqlalchemy.orm import aliased

from sources import seao_names
from sources.release import Status
from sources.tables import Tender

#: Made once: an alias works its columns out anew, and this is asked each minute.
_WEEKLY = aliased(Tender)


def is_overruled() -> ColumnElement[bool]:
    """Of a Tender: it is of the search, and the weekly file says that its call is off.

    That the weekly file's notice has closed says nothing: the search may know of a later moment.
    """
    off = exists().where(
        _WEEKLY.cluster_id == Tender.cluster_id,
        _WEEKLY.source == seao_names.WEEKLY,
        _WEEKLY.status != Status.ACTIVE,
    )
    return and_(Tender.source == seao_names.SEARCH, off)
