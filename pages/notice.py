"""One notice: what it is, why it is the reader's, what changed, and what the reader answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from alerts import reactions
from alerts.answer_tables import Answer, Reaction
from alerts.calls import FIRST
from alerts.openings import Asked, openings
from base.clock import utc_now
from pages import calendar, forms
from pages.notices import wanted
from pages.reader import Reader, reader_of
from pages.site import SECURITY, Site, dead_link, site_of
from sources.amendments import Amendment, amendments
from sources.attachments import of_tender
from sources.release import Status
from sources.tables import Revision, Tender

#: What the form of a notice may answer; True gives the answer, False takes it back.
ANSWERS: dict[str, tuple[Answer, bool]] = {
    "interesse": (Answer.INTERESTED, True),
    "plus-interesse": (Answer.INTERESTED, False),
    "pas-pertinent": (Answer.NOT_RELEVANT, True),
    "pertinent": (Answer.NOT_RELEVANT, False),
    "masquer": (Answer.HIDDEN, True),
    "montrer": (Answer.HIDDEN, False),
}
#: The greatest number that a cluster can have in the database.
_GREATEST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Change:
    """What one revision changed of the one before."""

    seen_at: datetime
    amendments: tuple[Amendment, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """A call with all that is known of it; the first tender is the one shown."""

    cluster_id: int
    tenders: Sequence[tuple[Tender, Revision]]


async def notice(request: Request) -> Response:
    """GET shows the notice; POST keeps an answer, and leads back to it."""
    if request.method != "POST":
        return await run_in_threadpool(_show, request, utc_now())
    site = site_of(request)
    fields = await forms.read(request, site)
    return await run_in_threadpool(_answer, request, fields, utc_now())


def closing(request: Request) -> Response:
    """The calendar file of a notice's closing moment."""
    site, at = site_of(request), utc_now()
    with site.database.read() as session:
        found = call_of(site, session, request, at)
        if isinstance(found, Response):
            return found
        tender, revision = found[1].tenders[0]
    if revision.closes_at is None:
        raise HTTPException(404)
    return Response(
        calendar.closing(site, tender, revision, at=at),
        media_type="text/calendar; charset=utf-8",
        headers={**SECURITY, "Content-Disposition": 'attachment; filename="echeance.ics"'},
    )


def _show(request: Request, at: datetime) -> Response:
    site = site_of(request)
    with site.database.read() as session:
        found = call_of(site, session, request, at)
        if isinstance(found, Response):
            return found
        site.year.refresh(session, at)
        return _page(site, session, request.path_params["token"], *found, at=at)


def _page(
    site: Site, session: Session, token: str, reader: Reader, call: Known, *, at: datetime
) -> Response:
    tender, revision = call.tenders[0]
    one = frozenset({call.cluster_id})
    opened = openings(site.year, one, wanted(reader), Asked(), at=at)
    answers = select(Reaction.answer).where(
        Reaction.contact_id == reader.contact.id, Reaction.cluster_id == call.cluster_id
    )
    return site.page(
        "notice.html",
        token=token,
        nav="notices",
        call=call,
        tender=tender,
        revision=revision,
        attachments=[kept for one, _ in call.tenders for kept in of_tender(session, one.id)],
        open=tender.status == Status.ACTIVE
        and (revision.closes_at is None or revision.closes_at > at),
        reasons=opened[0].reasons if opened else (),
        changes=_changes(session, [one.id for one, _ in call.tenders]),
        answers=set(session.scalars(answers)),
        seal=site.links.seal(token),
        at=at,
    )


def _answer(request: Request, fields: forms.Fields, at: datetime) -> Response:
    site, token = site_of(request), request.path_params["token"]
    if fields.one("reponse") not in ANSWERS:
        raise HTTPException(400)
    answer, given = ANSWERS[fields.one("reponse")]
    with site.write() as session:
        found = call_of(site, session, request, at)
        if isinstance(found, Response):
            return found
        reader, call = found
        if not site.links.sealed(token, fields.one("sceau")):
            raise HTTPException(403)
        if given:
            reactions.answer(session, reader.contact.id, call.cluster_id, answer, at)
        else:
            reactions.withdraw(session, reader.contact.id, call.cluster_id, answer)
    return RedirectResponse(f"/p/{token}/avis/{call.cluster_id}", 303, headers=SECURITY)


def call_of(
    site: Site, session: Session, request: Request, at: datetime
) -> tuple[Reader, Known] | Response:
    """The reader and the call; or the page to show instead. A lapsed member sees no notice."""
    token, cluster_id = request.path_params["token"], request.path_params["cluster"]
    reader = reader_of(site, session, token, at)
    if reader is None:
        return dead_link(site, fresh=True)
    if not reader.active:
        return site.page("lapsed.html", token=token, nav="notices")
    rows = session.execute(
        select(Tender, Revision)
        .join(Revision, (Revision.tender_id == Tender.id) & (Revision.number == Tender.latest))
        .where((Tender.cluster_id == cluster_id) | (Tender.id == cluster_id))
        .order_by(Tender.source != FIRST, Tender.id)
    ).all() if cluster_id <= _GREATEST else []  # fmt: skip
    tenders = [
        (tender, revision)
        for tender, revision in rows
        if (tender.cluster_id or tender.id) == cluster_id
    ]
    if not tenders:
        return site.page("no_notice.html", 404, token=token, nav="notices")
    return reader, Known(cluster_id, tenders)


def _changes(session: Session, tender_ids: list[int]) -> list[Change]:
    """What changed from each revision to the next, the latest first; nothing minor is left out."""
    revisions = session.scalars(
        select(Revision)
        .where(Revision.tender_id.in_(tender_ids))
        .order_by(Revision.tender_id, Revision.number)
    ).all()
    made = [
        Change(after.seen_at, amendments(before, after))
        for before, after in pairwise(revisions)
        if before.tender_id == after.tender_id
    ]
    return sorted((c for c in made if c.amendments), key=lambda c: c.seen_at, reverse=True)
