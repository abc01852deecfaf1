"""The members' page: every open notice, the reader's first, searched in French and filtered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from alerts.answer_tables import Answer, Reaction
from alerts.matching import Wanted
from alerts.openings import LONGEST, Asked, open_clusters, openings, places
from base.clock import utc_now
from base.text import clean
from pages.reader import Reader, reader_of
from pages.site import Site, dead_link, site_of
from subscriptions import wishes

#: Notices on one page.
A_PAGE = 25
#: The choices of «closing within», in days.
WITHIN = (7, 14, 30)


@dataclass(frozen=True, slots=True)
class _Page:
    """A stretch of what was found."""

    number: int
    last: int


def notices(request: Request) -> Response:
    """GET only. What cannot be understood in the address is left out of the search."""
    site, token, at = site_of(request), request.path_params["token"], utc_now()
    with site.database.read() as session:
        reader = reader_of(site, session, token, at)
        if reader is None:
            return dead_link(site, fresh=True)
        if not reader.active:
            return site.page("lapsed.html", token=token, nav="notices")
        return _listed(site, session, reader, request, at=at)


def _listed(
    site: Site, session: Session, reader: Reader, request: Request, *, at: datetime
) -> Response:
    asked = _asked(site, request.query_params)
    site.year.refresh(session, at)
    clusters = open_clusters(session, at)
    hidden = answered(session, reader.contact.id, Answer.HIDDEN)
    masked = request.query_params.get("masques") == "1"
    shown = clusters & hidden if masked else clusters - hidden
    found = openings(site.year, shown, wanted(reader), asked, at=at)
    last = max(1, -(-len(found) // A_PAGE))
    page = _Page(min(_number(request.query_params.get("page", "")) or 1, last), last)
    return site.page(
        "notices.html",
        token=request.path_params["token"],
        nav="notices",
        asked=asked,
        total=len(found),
        mine=sum(bool(one.reasons) for one in found),
        found=found[(page.number - 1) * A_PAGE : page.number * A_PAGE],
        page=page,
        # What a link to another page of the same search begins with.
        query=urlencode(_query(asked, masked=masked)),
        hidden=len(clusters & hidden),
        masked=masked,
        interested=answered(session, reader.contact.id, Answer.INTERESTED),
        sectors=site.catalogue,
        places=places(site.year, clusters),
        within=WITHIN,
        at=at,
    )


def wanted(reader: Reader) -> Wanted:
    """What the reader asked for; nothing for one who left."""
    if reader.subscription is None:
        return Wanted()
    return Wanted.of(wishes.wishes_of(reader.subscription))


def answered(session: Session, contact_id: int, answer: Answer) -> frozenset[int]:
    """The calls that the contact answered so."""
    found = select(Reaction.cluster_id).where(
        Reaction.contact_id == contact_id, Reaction.answer == answer
    )
    return frozenset(session.scalars(found))


def _asked(site: Site, query: QueryParams) -> Asked:
    sector = site.catalogue.find(query.get("secteur", "")[:LONGEST])
    days = _number(query.get("jours", ""))
    return Asked(
        words=clean(query.get("mots", ""))[:LONGEST],
        sector=sector.slug if sector else "",
        place=clean(query.get("lieu", ""))[:LONGEST],
        days=days if days in WITHIN else None,
    )


def _query(asked: Asked, *, masked: bool) -> dict[str, Any]:
    values = {
        "mots": asked.words,
        "secteur": asked.sector,
        "lieu": asked.place,
        "jours": asked.days,
        "masques": "1" if masked else "",
    }
    return {name: value for name, value in values.items() if value}


def _number(text: str) -> int:
    """A small number; 0 for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0
