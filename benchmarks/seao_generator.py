"""Weekly SEAO files for tests and benchmarks, made of real titles, with the quirks of real files.

Titles, buyers, categories and codes are those of samples/seao (CC-BY 4.0); numbers, dates, bids
and suppliers are invented, and suppliers say so. The same seed gives the same bytes.
"""

from __future__ import annotations

import codecs
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from benchmarks.seao_notices import Notice, items, notices

QUEBEC = ZoneInfo("America/Toronto")
PAGE = "https://seao.gouv.qc.ca/avis-resultat-recherche/consulter?ItemId="
DATASET = "https://www.donneesquebec.ca/recherche/dataset/d23b2e02-085d-43e5-9e6e-e1d558ebfdd5"
#: XML nature -> OCDS category and SEAO's own; the others are « Autres », without a main one.
_NATURES = {
    "1": ("goods", "Approvisionnement (biens)"),
    "2": ("services", "Services de nature technique"),
    "3": ("works", "Travaux de construction"),
}
_CLOSING_HOURS = (time(10), time(11), time(11), time(14), time(14), time(14, 30))
#: Of municipal buyers, those whose party has no address in the files of 2026.
_WITHOUT_ADDRESS = 0.6


@dataclass(kw_only=True, slots=True)
class Call:
    """One invitation to bid, over the weeks."""

    number: int
    notice: Notice
    title: str
    page: str
    buyer_id: int
    published: datetime
    closes: datetime
    changed: datetime
    selective: bool = False
    cancelled: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Week:
    """One weekly file."""

    first: date
    content: bytes

    @property
    def name(self) -> str:
        """As CKAN names it."""
        return f"hebdo_{self.first:%Y%m%d}_{self.first + timedelta(days=6):%Y%m%d}.json"


@dataclass(kw_only=True)
class Generator:
    """Weeks in order; `calls` and `contracts` are new ones in each week."""

    seed: int = 1
    first: date = date(2025, 9, 15)
    calls: int = 420
    contracts: int = 3050
    number: int = 20_000_000
    open: list[Call] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)  # noqa: S311, not for secrets

    def weeks(self, count: int) -> Iterator[Week]:
        """The next weekly files."""
        for _ in range(count):
            yield Week(first=self.first, content=self._week())
            self.first += timedelta(days=7)

    def _week(self) -> bytes:
        """New processes by ascending ocid, then the updated ones, as real files have them."""
        updated = [self._updated(call) for call in self._amended()]
        new = [self._new_call() for _ in range(self.calls)]
        self.open += new
        made = [self._tender(call, "tender") for call in new]
        made += [self._contract() for _ in range(self.contracts)]
        monday = datetime.combine(self.first, time(), QUEBEC)
        self.open = [c for c in self.open if c.closes > monday and not c.cancelled]
        made.sort(key=lambda release: str(release["ocid"]))
        return package([*made, *sorted(updated, key=lambda r: str(r["ocid"]))], self.first)

    def _amended(self) -> list[Call]:
        """Of the calls that were open, a third are amended in a week and one in 40 cancelled."""
        return [call for call in self.open if self.random.random() < 0.35]

    def _updated(self, call: Call) -> dict[str, Any]:
        """Mostly a later closing moment; sometimes the title; sometimes the end of it."""
        call.changed, drawn = self._instant(), self.random.random()
        if drawn < 0.07:
            call.cancelled, call.closes = True, call.changed
            return self._tender(call, "tenderCancellation")
        if drawn < 0.75:
            call.closes += timedelta(days=self.random.choice((2, 5, 7, 7, 14)))
        elif drawn < 0.8:
            call.closes -= timedelta(days=2)
        elif drawn < 0.9:
            call.title = self.random.choice((call.title.upper(), f"{call.title} (2e publication)"))
        return self._tender(call, "tenderUpdate")

    def _new_call(self) -> Call:
        notice, published = self.random.choice(notices()), self._instant()
        day = (published + timedelta(days=self.random.choice((10, 15, 16, 18, 21, 30)))).date()
        day -= timedelta(days=max(0, day.weekday() - 3))
        hour = self.random.choice(_CLOSING_HOURS)
        self.number += self.random.randrange(1, 9)
        late = self.random.random() < 0.1  # amended in its own week: the tag stays "tender"
        return Call(
            number=self.number,
            notice=notice,
            title=self._typed(notice.title),
            page=f"{PAGE}{uuid.UUID(int=self.random.getrandbits(128), version=4)}",
            buyer_id=_buyer_id(notice.buyer),
            published=published,
            closes=datetime.combine(day, hour, QUEBEC),
            changed=published + timedelta(hours=30) if late else published,
            selective=self.random.random() < 0.02,
        )

    def _typed(self, title: str) -> str:
        """As people type: capitals, double blanks, typographic dashes and apostrophes."""
        drawn = self.random.random()
        if drawn < 0.12:
            return title.upper()
        if drawn < 0.2:
            return title.replace(" ", "  ", 1)
        return title.replace("'", "’").replace(" - ", " – ") if drawn < 0.4 else title

    def _instant(self) -> datetime:
        minutes = self.random.randrange(7 * 60, 18 * 60)
        day = self.first + timedelta(days=self.random.choice((0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5)))
        local = datetime.combine(day, time(), QUEBEC) + timedelta(minutes=minutes)
        return local + timedelta(seconds=self.random.randrange(60))

    def _tender(self, call: Call, tag: str) -> dict[str, Any]:
        made = self._release(call, [tag])
        status = "cancelled" if call.cancelled else "active"
        method = "selective" if call.selective else "open"
        regional = self.random.random() < 0.05
        details = "Avis d’appel d’offres régionalisé" if regional else "Avis d’appel d’offres"
        made["tender"] |= {
            "status": status,
            "procurementMethod": method,
            "procurementMethodDetails": details,
        }
        made["tender"]["tenderPeriod"]["endDate"] = call.closes.isoformat(timespec="seconds")
        return made

    def _contract(self) -> dict[str, Any]:
        """What two releases in three are: an award and its contract, with bids and suppliers."""
        call = self._new_call()
        tags = self.random.choice((["contract"], ["award", "contract"], ["contractUpdate"]))
        made = self._release(call, tags)
        suppliers = [self._supplier() for _ in range(self.random.choice((1, 2, 3, 3, 4, 6, 8)))]
        made["parties"] += suppliers
        named = [{"id": one["id"], "name": one["name"]} for one in suppliers]
        made["tender"] |= {
            "status": "complete",
            "procurementMethod": "direct",
            "procurementMethodDetails": "Contrat de gré à gré",
            "numberOfTenderers": len(named),
            "tenderers": named,
        }
        amount = round(self.random.lognormvariate(11, 1), 2)
        made["bids"] = [
            {"id": one["id"], "value": round(amount * (1 + n / 10), 2), "valueUnit": "1"}
            for n, one in enumerate(named)
        ]
        value = {"amount": amount, "currency": "CAD"}
        signed = call.published.replace(hour=0, minute=0, second=0).isoformat(timespec="seconds")
        award = {"id": str(call.number), "status": "active", "date": signed, "value": value}
        made["awards"] = [award | {"suppliers": named[:1]}]
        contract = {"id": str(call.number), "awardID": str(call.number), "status": "active"}
        made["contracts"] = [contract | {"value": value, "dateSigned": signed}]
        return made

    def _release(self, call: Call, tags: list[str]) -> dict[str, Any]:
        written = call.published.isoformat(timespec="seconds")
        notice = call.notice
        buyer = {"name": notice.buyer, "id": f"OP-{call.buyer_id}"}
        main, additional = _NATURES.get(notice.nature, ("", "Autres"))
        tender: dict[str, Any] = {
            "id": f"{call.number % 997}-{call.published:%Y}",
            "title": call.title,
            "procuringEntity": buyer,
            "items": list(items(notice)),
            "additionalProcurementCategories": [additional],
            "tenderPeriod": {"startDate": written},
            "documents": [{"url": call.page}],
        }
        if main:
            tender["mainProcurementCategory"] = main
        return {
            "ocid": f"ocds-ec9k95-{call.number}",
            "id": f"{call.changed.astimezone(UTC):%Y%m%d%H%M%S}",
            "date": written,
            "tag": tags,
            "initiationType": "tender",
            "parties": [self._party(notice, buyer)],
            "buyer": buyer,
            "tender": tender,
            "language": "fr",
        }

    def _party(self, notice: Notice, buyer: dict[str, str]) -> dict[str, Any]:
        party: dict[str, Any] = {**buyer, "roles": ["buyer"]}
        without = notice.municipal == "1" and _buyer_id(notice.buyer) % 10 < 10 * _WITHOUT_ADDRESS
        if not without:
            party["address"] = _address(_buyer_id(notice.buyer))
        return party | {"details": {"municipal": notice.municipal}}

    def _supplier(self) -> dict[str, Any]:
        number = self.random.randrange(1_140_000_000, 1_180_000_000)
        return {
            "name": f"Entreprise fictive {number % 9973} inc.",
            "id": f"FO-{number}",
            "address": _address(number),
            "roles": ["tenderer"],
            "details": {"neq": str(number)},
        }


def package(releases: list[dict[str, Any]], first: date, *, bom: bool = False) -> bytes:
    """A release package as SEAO writes it: indented UTF-8, published on the next Monday."""
    published = datetime.combine(first + timedelta(days=7), time(1, 18), QUEBEC)
    whole = {
        "uri": f"{DATASET}/resource/generated/download/hebdo_{first:%Y%m%d}.json",
        "version": "1.1",
        "publishedDate": published.isoformat(timespec="seconds"),
        "publisher": {"name": "Secrétariat du Conseil du trésor"},
        "license": "https://www.donneesquebec.ca/fr/licence/#cc-by",
        "releases": releases,
    }
    written = msgspec.json.format(msgspec.json.encode(whole), indent=2)
    return codecs.BOM_UTF8 + written if bom else written


def listing(urls: dict[str, list[str]]) -> bytes:
    """A package_show answer: for each file's name its addresses, not in the order of dates."""
    resources = [
        {"name": name, "url": url, "format": "JSON", "last_modified": f"2026-01-01T06:{n:02}:00"}
        for name, found in reversed(urls.items())
        for n, url in enumerate(found)
    ]
    return json.dumps({"success": True, "result": {"resources": resources}}).encode()


def _buyer_id(name: str) -> int:
    return uuid.uuid5(uuid.NAMESPACE_DNS, name).int % 90_000


def _address(number: int) -> dict[str, str]:
    return {
        "streetAddress": f"{number % 900}, rue Fictive",
        "locality": "Montréal",
        "region": "QC",
        "postalCode": "H0H0H0",
        "countryName": "CAN",
    }
