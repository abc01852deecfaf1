"""SEAO's weekly and monthly files: OCDS 1.1 release packages of the Québec tender system.

Open data of the Secrétariat du Conseil du trésor, CC-BY 4.0. What the files really hold differs
from their specification (30 March 2021); where it does, the files are followed.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec
from msgspec import Raw

from base.text import clean
from sources import fields, package, seao_names
from sources.reasons import Reason
from sources.release import Category, Fault, Item, PassedOver, Release, Status
from sources.seao_shape import (
    Address,
    Bought,
    Classification,
    Head,
    Heads,
    Named,
    Party,
    Tender,
)

NAME = seao_names.WEEKLY
#: A title longer than this is cut; the whole of it is on the public page.
LONGEST_TITLE = 2000
_MOST_ITEMS = 200
_MOST_DOCUMENTS = 100

#: SEAO's own nomenclature: goods, services, construction, other.
_SEAO_CODE = re.compile(r"(G|S|C|O)[0-9]{1,2}")
_CATEGORIES: dict[str, Category] = {one.value: one for one in Category}
#: What `clean` leaves as it is.
_PLAIN = re.compile(r"[!-~]+")
_OF_CALLS = re.compile("tender").match
_RELEASE_ID = re.compile(r"20[0-9]{12}")


class _Refused(ValueError):
    """One release cannot be read; its text is the fault's reason."""


#: What one release of an unforeseen shape can raise (msgspec's own errors are ValueErrors).
_MALFORMED = (ValueError, RecursionError)

_HEAD = msgspec.json.Decoder(Head)
_HEADS = msgspec.json.Decoder(Heads)
_TENDER = msgspec.json.Decoder(Tender | None)
_PARTIES = msgspec.json.Decoder(list[Party] | None)
_BUYER = msgspec.json.Decoder(Named | None)


def read(document: bytes) -> Iterator[Release | Fault | PassedOver]:
    """Yield what each release of a package is, in the file's order.

    An open or cancelled call is a Release; an award, a contract or a call that ended is passed
    over. Moments without zone are Québec wall time. The number is the last part of the ocid.

    Raises:
        SourceMalformed: the document is no release package (before the first value is yielded).
    """
    heads = _at_once(document)
    if heads is not None:
        for position, head in enumerate(heads):
            yield _told(position, head)
        return
    for position, raw in enumerate(package.releases(NAME, document)):
        try:
            head = _HEAD.decode(raw)
        except _MALFORMED as error:
            yield Fault(NAME, position, _ocid(raw), _reason(error))
            continue
        twice = bytes(raw).count(b'"ocid"') > 1 and _keys(raw).count("ocid") > 1
        yield (
            Fault(NAME, position, _ocid(raw), Reason.TWO_OCIDS) if twice else _told(position, head)
        )


def _at_once(document: bytes) -> list[Head] | None:
    """The releases of a sound package in one pass; None where they must be looked at one by one."""
    if len(document) > package.LARGEST:
        return None
    try:
        heads = _HEADS.decode(document.removeprefix(codecs.BOM_UTF8)).releases
    except _MALFORMED:
        return None
    # As many ocids as releases, and none without: no release has two.
    sound = document.count(b'"ocid"') == len(heads) and all(head.ocid for head in heads)
    return heads if sound else None


def _told(position: int, head: Head) -> Release | PassedOver | Fault:
    ocid = head.ocid or ""
    ocid = ocid if _PLAIN.fullmatch(ocid) else clean(ocid)
    try:
        return _release(head, ocid)
    except _MALFORMED as error:
        return Fault(NAME, position, ocid[:255], _reason(error))


def _release(head: Head, ocid: str) -> Release | PassedOver:
    changed_at = _identified(head, ocid)
    if not head.tag or not any(map(_OF_CALLS, head.tag)):
        return PassedOver(NAME, ocid)
    tender = _TENDER.decode(head.tender)
    if tender is None:
        raise _Refused(Reason.NO_TENDER)
    status = _status(tender, head.tag or [])
    if status is None:
        return PassedOver(NAME, ocid)
    buyer = _BUYER.decode(head.buyer) or tender.buyer or Named()
    party = _buying(_PARTIES.decode(head.parties) or [], buyer)
    address = party.address or Address()
    documents = (tender.documents or [])[:_MOST_DOCUMENTS]
    return Release(
        source=NAME,
        ocid=ocid,
        release_id=str(head.id).strip(),
        published_at=fields.moment(head.date, after=changed_at),
        changed_at=changed_at,
        status=status,
        title=fields.text(tender.title, LONGEST_TITLE),
        buyer=fields.name(buyer.name or party.name, 500),
        buyer_id=fields.text(buyer.id or party.id, 64),
        municipal=_municipal(party),
        locality=fields.text(address.locality, 100),
        postal_code=fields.text(address.postal_code, 20),
        reference=fields.text(tender.id, 255),
        number=ocid.rpartition("-")[2],
        category=_category(tender.category),
        procurement_method_details=fields.text(tender.method, 255),
        closes_at=fields.moment(tender.period and tender.period.end, after=changed_at),
        items=tuple(_items(tender.items or [])),
        description=fields.text(tender.description, 20_000),
        documents=tuple(filter(None, (fields.text(d.title or d.url, 2048) for d in documents))),
        uri=next(filter(None, (fields.link(d.url) for d in documents)), ""),
    )


def _identified(head: Head, ocid: str) -> datetime:
    """The moment that orders the release: `id`, because `date` stays the first publication's."""
    if not ocid:
        raise _Refused(Reason.NO_OCID)
    if len(ocid) > 255:
        raise _Refused(Reason.OCID_TOO_LONG.of(len(ocid)))
    if not head.tag:
        raise _Refused(Reason.NO_TAG)
    written = str(head.id or "").strip()
    if not _RELEASE_ID.fullmatch(written):
        raise _Refused(Reason.NO_RELEASE_ID.of(clean(written[:40])))
    try:
        day = int(written[:4]), int(written[4:6]), int(written[6:8])
        hour = int(written[8:10]), int(written[10:12]), int(written[12:])
        return datetime(*day, *hour, tzinfo=UTC)
    except ValueError:
        raise _Refused(Reason.NO_RELEASE_ID.of(written)) from None


def _status(tender: Tender, tags: list[str]) -> Status | None:
    """What the call is, None for one that ended otherwise than by cancellation."""
    written = (tender.status or "").strip().casefold()
    if written == Status.CANCELLED or "tenderCancellation" in tags:
        return Status.CANCELLED
    return Status.ACTIVE if written == Status.ACTIVE else None


def _buying(parties: list[Party], buyer: Named) -> Party:
    """The buyer's party: of that id, else the first that has the role."""
    buying = [party for party in parties if "buyer" in (party.roles or ())]
    same = [party for party in buying if party.id == buyer.id]
    return next(iter(same or buying), Party())


def _municipal(party: Party) -> bool | None:
    """parties[].details.municipal, "1" or "0", written `Municipal` in some years."""
    details = {key.casefold(): value for key, value in (party.details or {}).items()}
    written = str(details.get("municipal")).casefold()
    return {"1": True, "true": True, "0": False, "false": False}.get(written)


def _category(written: str | None) -> Category | None:
    return _CATEGORIES.get((written or "").strip().casefold())


def _items(items: list[Bought]) -> Iterator[Item]:
    """SEAO's own code and every UNSPSC code of the items, each code once."""
    seen: set[str] = set()
    for code, label in _codes(items):
        if code not in seen and len(seen) < _MOST_ITEMS:
            seen.add(code)
            yield Item(code=code, label=label)


def _codes(items: list[Bought]) -> Iterator[tuple[str, str]]:
    for item in items:
        code = str(item.id or "").strip().upper()
        if _SEAO_CODE.fullmatch(code):
            label = fields.text(item.description, 500)
            yield f"SEAO:{code}", re.sub(rf"(?i)^{code}\s*[-–—]\s*", "", label)
        for one in (item.classification, *(item.more or ())):
            if one is not None and one.id is not None:
                yield _code(one), fields.text(one.description, 500)


def _code(one: Classification) -> str:
    """ "UNSPSC:02…" also where a number lost its leading zero."""
    scheme = fields.text(one.scheme, 30).upper()
    code = fields.text(one.id, 30).upper()
    if scheme == "UNSPSC" and code.isdigit():
        code = code.zfill(8)
    return f"{'SEAO' if scheme == 'SEAO CATEGORY' else scheme}:{code}"


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


def _ocid(raw: Raw) -> str:
    """The ocid of a release that could not be decoded whole, "" where it cannot be read."""
    match = re.search(rb'"ocid"\s*:\s*"([^"\\]{1,255})"', bytes(raw))
    return clean(match[1].decode("utf-8", "replace")) if match else ""


def _keys(raw: Raw) -> list[str]:
    """The keys of a release, as often as they stand in it."""
    pairs = json.loads(bytes(raw).decode("utf-8", "replace"), object_pairs_hook=lambda p: p)
    return [key for key, _ in pairs]
