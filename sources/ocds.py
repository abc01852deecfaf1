"""Any publisher of OCDS 1.1 (or 1.0): another region or country runs the service with this.

Open Contracting Data Standard, https://standard.open-contracting.org/1.1/. Publishers differ from
it in what they leave out; what a release does not carry is absent, and no fault.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from datetime import datetime

import msgspec

from base.text import clean
from sources import fields, ocds_package, prose
from sources.ocds_shape import Bought, Document, Head, Identifier, Party, Place, Tender
from sources.reasons import Reason
from sources.release import Category, Fault, Item, PassedOver, Release, Status
from sources.seao_shape import Address, Classification

NAME = "ocds"
_LONGEST_TITLE = 2000
_MOST_ITEMS = 200
_MOST_DOCUMENTS = 100
_MOST_REGIONS = 50

#: «OCDS-87SD3T-» and «ocds-87sd3t-» are one prefix: the registry writes it in lower case.
_PREFIX = re.compile(r"ocds-[0-9a-z]{6}-", re.IGNORECASE)
#: Of an OCDS tender's statuses those that say that the call is off.
_OFF = frozenset({"cancelled", "withdrawn"})
#: Document types of a page about the notice itself, rather than of an annex.
_NOTICE = frozenset({"tenderNotice", "contractNotice", "hearingNotice"})
_BUYING = ("buyer", "procuringEntity")

_MALFORMED = (ValueError, RecursionError)

_HEAD = msgspec.json.Decoder(Head)
_TENDER = msgspec.json.Decoder(Tender | None)
_PARTIES = msgspec.json.Decoder(list[Party] | None)
_BUYER = msgspec.json.Decoder(Party | None)


def read(document: bytes) -> Iterator[Release | Fault | PassedOver]:
    """Yield what each release is, in the document's order; `ocds_package` tells its forms.

    An open or cancelled call is a Release; what is planned, awarded or contracted is passed over.
    Releases of one ocid are ordered by `date`, then by `id`. An ocid's prefix is lower-cased.

    Raises:
        SourceMalformed: the document holds no OCDS (before the first value is yielded).
    """
    for position, raw in enumerate(ocds_package.releases(NAME, document)):
        if isinstance(raw, Fault):
            yield raw
            continue
        ocid = ""
        try:
            head = _HEAD.decode(raw)
            ocid = _ocid(head)
            yield _release(head, ocid)
        except _MALFORMED as error:
            yield Fault(NAME, position, ocid[:255], _reason(error))


class _Refused(ValueError):
    """One release cannot be read; its text is the fault's reason."""


def _ocid(head: Head) -> str:
    ocid = clean(head.ocid or "")
    if not ocid:
        raise _Refused(Reason.NO_OCID)
    if len(ocid) > 255:
        raise _Refused(Reason.OCID_TOO_LONG.of(len(ocid)))
    return _PREFIX.sub(lambda prefix: prefix[0].lower(), ocid, count=1)


def _release(head: Head, ocid: str) -> Release | PassedOver:
    tender = _TENDER.decode(head.tender)
    status = _status(tender, head.tag or []) if tender else None
    if tender is None or status is None:
        return PassedOver(NAME, ocid)
    changed_at = fields.moment(head.date)
    buyer = _buyer(_BUYER.decode(head.buyer), tender, _PARTIES.decode(head.parties) or [])
    address = buyer.address or Address()
    documents = (tender.documents or [])[:_MOST_DOCUMENTS]
    return Release(
        source=NAME,
        ocid=ocid,
        release_id=_release_id(head, changed_at),
        published_at=changed_at,
        changed_at=changed_at,
        status=status,
        title=fields.text(tender.title, _LONGEST_TITLE),
        buyer=fields.name(buyer.name, 500),
        buyer_id=fields.text(_id(buyer), 64),
        municipal=None,
        locality=fields.text(address.locality, 100),
        postal_code=fields.text(address.postal_code, 20),
        reference=fields.text(tender.id, 255),
        number=_PREFIX.sub("", ocid, count=1),
        category=_category(tender.category),
        procurement_method_details=fields.text(tender.method, 255),
        closes_at=fields.moment(tender.period and tender.period.end, after=changed_at),
        items=tuple(_items([tender, *(tender.items or ())])),
        description=prose.text(tender.description),
        documents=tuple(filter(None, (fields.text(d.title or d.url, 2048) for d in documents))),
        uri=_page(documents),
        delivery_regions=_regions([tender, *(tender.items or ())]),
    )


def _status(tender: Tender, tags: list[str]) -> Status | None:
    """What the call is, None for one that is planned or over, or a release about what followed.

    A release without tag or without status is judged by the other, since both may be left out.
    """
    about_call = not tags or any(tag == "compiled" or tag.startswith("tender") for tag in tags)
    written = (tender.status or "").strip().casefold()
    if not about_call or not (tags or written):
        return None
    if written in _OFF or "tenderCancellation" in tags:
        return Status.CANCELLED
    return Status.ACTIVE if written in {"", Status.ACTIVE} else None


def _release_id(head: Head, changed_at: datetime | None) -> str:
    """«20250123221019-{id}»; "" without date, because ids alone have no order."""
    if changed_at is None:
        return ""
    written = clean(str(head.id if head.id is not None else ""))
    if len(written) > 49:
        written = hashlib.sha256(written.encode()).hexdigest()[:32]
    moment = changed_at.strftime("%Y%m%d%H%M%S")
    return f"{moment}-{written}" if written else moment


def _buyer(buyer: Party | None, tender: Tender, parties: list[Party]) -> Party:
    """The buyer with what `parties` say of it; where there is none, who runs the procedure."""
    named = buyer or tender.buyer or Party()
    buying = [p for role in _BUYING for p in parties if role in (p.roles or ())]
    same = [p for p in parties if p.id is not None and p.id == named.id]
    party = next(iter(same or buying), Party())
    return Party(
        name=named.name or party.name,
        id=named.id if named.id is not None else party.id,
        identifier=named.identifier or party.identifier,
        address=named.address or party.address,
    )


def _id(party: Party) -> str | int | None:
    """The organisation's id; OCDS 1.0 has only that of its register."""
    return party.id if party.id is not None else (party.identifier or Identifier()).id


def _category(written: str | None) -> Category | None:
    try:
        return Category((written or "").strip().casefold())
    except ValueError:
        return None


def _items(bought: Iterable[Bought]) -> Iterator[Item]:
    """Every code of the tender and of its items, each once."""
    seen: set[str] = set()
    for one in _classifications(bought):
        scheme, code = fields.text(one.scheme, 30).upper(), fields.text(one.id, 60).upper()
        if scheme == "UNSPSC" and code.isdigit():
            code = code.zfill(8)
        key = f"{scheme}:{code}"
        if code and key not in seen and len(seen) < _MOST_ITEMS:
            seen.add(key)
            yield Item(code=key, label=fields.text(one.description, 500))


def _classifications(bought: Iterable[Bought]) -> Iterator[Classification]:
    for one in bought:
        yield from filter(None, (one.classification, *(one.more or ())))


def _regions(bought: Iterable[Bought]) -> tuple[str, ...]:
    """Where it is delivered, by the narrowest name that each address gives, each once."""
    places: list[Place] = []
    for one in bought:
        places += filter(None, (one.place, *(one.places or ())))
    named = (fields.text(p.locality or p.region or p.country, 100) for p in places)
    return tuple(dict.fromkeys(filter(None, named)))[:_MOST_REGIONS]


def _page(documents: list[Document]) -> str:
    """The notice's page: a document of such a type, else the first that is a web page."""
    notices = [d for d in documents if d.type in _NOTICE]
    pages = [d for d in documents if d.format == "text/html"]
    return next(filter(None, (fields.link(d.url) for d in [*notices, *pages])), "")


def _reason(error: Exception) -> str:
    match error:
        case _Refused():
            return str(error)
        case RecursionError():
            return str(Reason.TOO_DEEP)
        case UnicodeDecodeError():
            return str(Reason.NOT_UTF8)
        case _ if str(error).startswith("Expected `object`") and " at " not in str(error):
            return Reason.NOT_A_RELEASE.of(error)
        case _:
            return Reason.WRONG_TYPE.of(error)
