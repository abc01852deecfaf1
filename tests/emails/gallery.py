"""Letters to look at and to check: real notices, and hostile ones where real ones are too tame.

`make gallery` writes them into var/gallery, with pictures of each in light and dark; the picture
of README.md is made by `python -m tests.emails.gallery --picture docs/images/letter.png`.
"""

from __future__ import annotations

import base64
import email
import email.policy
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from functools import cache
from itertools import product
from pathlib import Path

from alerts.classification import Facts, Lexicon, classify
from alerts.digest import Coverage, Digest, Gap, Link, Notice, Period, Reason, ordered
from alerts.letter import Press, ReaderLinks, Sender, compose
from alerts.matching import Match, Wanted, match
from alerts.tables import Kind
from base.clock import quebec_day, wall_time
from sources import places, seao
from sources.amendments import Amendment, Field, Grade, Value
from sources.places import Place
from sources.release import Release, Status
from subscriptions import sectors
from tests.browser import chromium
from tests.coop import AT
from tests.emails.notes import NOTES, note
from tests.packages import SEPTEMBER

SENDER = Sender(
    tenant_name="Coopérative fictive des Laurentides",
    postal_address="1, rue Fictive, Saint-Jérôme (Québec) J0J 0J0",
    contact_email="bonjour@coop.exemple.quebec",
    privacy_officer="Responsable fictive, vie-privee@coop.exemple.quebec",
    public_url="https://alertes.exemple.quebec",
    author_email="alertes@coop.exemple.quebec",
    list_domain="coop.exemple.quebec",
)
LINKS = ReaderLinks(
    f"https://alertes.exemple.quebec/d/{'a' * 39}", f"https://alertes.exemple.quebec/p/{'b' * 39}"
)


@cache
def real_notices() -> tuple[Notice, ...]:
    """The open calls of the September excerpt, as a letter shows them."""
    found = seao.read(SEPTEMBER.read_bytes())
    calls = [one for one in found if isinstance(one, Release) and one.status is Status.ACTIVE]
    return ordered(_notice(number, call) for number, call in enumerate(calls, start=1))


def _notice(number: int, call: Release) -> Notice:
    where = places.place(
        places.load(),
        buyer=call.buyer,
        municipal=call.municipal,
        locality=call.locality,
        postal_code=call.postal_code,
    )
    return Notice(
        cluster_id=number,
        revision_id=number,
        number=call.number,
        title=call.title,
        buyer=call.buyer,
        place=", ".join(filter(None, (where.municipality, where.mrc))) or where.region,
        place_to_check=where.basis == "to check",
        category=call.category or "",
        method=call.procurement_method_details,
        closes_at=call.closes_at,
        uri=call.uri,
        source="SEAO",
        reasons=_why(call),
    )


@cache
def _lexicon() -> tuple[Lexicon, frozenset[str]]:
    catalogue = sectors.load()
    return Lexicon.of(catalogue), frozenset(one.slug for one in catalogue)


def _why(call: Release) -> tuple[Reason, ...]:
    """Why a reader of all sectors gets the call; one who follows a word of it, where none is."""
    lexicon, every = _lexicon()
    facts = Facts(
        title=call.title,
        category=call.category or "",
        codes=tuple(item.code for item in call.items),
        labels=tuple(item.label for item in call.items),
        buyer=call.buyer,
    )
    word = max(re.findall(r"[^\W\d]+", call.title), key=len, default="avis")
    wanted = Wanted(sectors=every, own_words=(word,))
    nowhere = Place(municipality="", mrc="", region="", basis="unknown")
    found = match(facts, classify(facts, lexicon), wanted, place=nowhere)
    assert isinstance(found, Match)
    return found.reasons[:1]


def _many(count: int) -> tuple[Notice, ...]:
    real = real_notices()
    return tuple(
        replace(real[i % len(real)], cluster_id=i, revision_id=i, number=f"{20000000 + i}")
        for i in range(count)
    )


def _digest(*notices: Notice) -> Digest:
    return Digest(
        contact_name="Ariane Fictive",
        member_name="Coop fictive du Déneigement",
        stream="weekly",
        frequency="weekly",
        period=Period(AT - timedelta(days=7, hours=6), AT - timedelta(hours=6)),
        notices=notices,
        sectors=(
            "Déneigement de bâtiments et de stationnements",
            "Gestion des matières résiduelles",
        ),
    )


def _titled(*titles: str) -> Digest:
    return _digest(*(replace(real_notices()[0], title=title) for title in titles))


def _moment(days: int, hour: int = 11) -> datetime:
    return wall_time(quebec_day(AT) + timedelta(days=days), hour)


def _amended(notice: Notice, *found: Amendment, kind: Kind = Kind.CHANGE) -> Notice:
    return replace(notice, kind=kind, amendments=found, occasion="2")


def _change(field: Field, before: Value, after: Value, grade: Grade = Grade.USEFUL) -> Amendment:
    return Amendment(field=field, before=before, after=after, grade=grade)


def _changes() -> tuple[Notice, ...]:
    """One cancelled, one closing earlier, one later with forty documents more."""
    one, two, three, four, *_ = real_notices()
    plans = tuple(f"Plan {n:02} - structure.pdf" for n in range(1, 41))
    return (
        _amended(
            one,
            _change(Field.STATUS, "active", "cancelled", Grade.CRITICAL),
            kind=Kind.CANCELLATION,
        ),
        _amended(
            replace(two, closes_at=_moment(4)),
            _change(Field.CLOSES_AT, _moment(11), _moment(4), Grade.CRITICAL),
        ),
        _amended(
            replace(three, closes_at=_moment(18)),
            _change(Field.CLOSES_AT, _moment(11), _moment(18)),
            _change(Field.DOCUMENTS, ("Devis.pdf",), ("Addenda 1.pdf", "Devis.pdf", *plans)),
            _change(Field.PLACE, ("Prévost", "", ""), ("Saint-Jérôme", "", "")),
        ),
        _amended(four, _change(Field.DOCUMENTS, ("Annexe A.pdf", "Devis.pdf"), ("Devis.pdf",))),
    )


def _reserved(number: int) -> Notice:
    return replace(
        real_notices()[number],
        cluster_id=900 + number,
        number=f"INV-{number}",
        reserved=True,
        uri="",
        source="Invitations réservées",
    )


def _everything() -> Digest:
    """A late weekly letter that has a bit of all."""
    real = real_notices()
    reminded = replace(real[8], kind=Kind.REMINDER, closes_at=_moment(1))
    again = replace(real[4], perhaps_seen=True, conflicting=True, complaint_by=_moment(3))
    federal = replace(
        real[5],
        level="federal",
        source="AchatsCanada",
        further=(Link("SEAO", "https://seao.gouv.qc.ca/avis?ItemId=1&x=2"),),
    )
    notices = (*_changes(), reminded, again, federal, real[6], real[7], _reserved(9))
    return replace(
        _digest(*notices),
        was_due_at=AT - timedelta(hours=5),
        without_week=True,
        closed_meanwhile=3,
        kept_back=12,
        coverage=COVERAGE,
        gaps=(Gap("AchatsCanada", AT - timedelta(days=4)),),
        credits=("Secrétariat du Conseil du trésor, données ouvertes du SEAO (CC-BY 4.0)",),
    )


COVERAGE = (
    Coverage(source="SEAO", read_at=AT, notices=412),
    Coverage(source="AchatsCanada", read_at=AT - timedelta(days=4), notices=37),
    Coverage(source="Ville de Saint-Jérôme", read_at=None, notices=0),
)


def _stream(stream: str, *notices: Notice, frequency: str = "weekly") -> Digest:
    return replace(_digest(*notices), stream=stream, frequency=frequency, coverage=COVERAGE[:2])


def _reminders(*days: int) -> Digest:
    real = real_notices()
    told = [
        replace(real[n], kind=Kind.REMINDER, closes_at=_moment(day)) for n, day in enumerate(days)
    ]
    return _stream("reminder", *told)


def _hard() -> Digest:
    """Titles and names that break letters elsewhere."""
    titles = (
        "<script>alert(1)</script>",
        "{{ 7*7 }} {% raw %}",
        "a\u202eb\u200fc",
        "",
        "neige ❄️ & glace",
    )
    notices = tuple(
        replace(real_notices()[0], title=title, cluster_id=n) for n, title in enumerate(titles)
    )
    return replace(_digest(*notices), contact_name='Robert"); --\r\nBcc: tous@exemple.quebec')


#: Name -> digest, made when asked for.
CASES: dict[str, Callable[[], Digest]] = {
    "un-avis": lambda: _digest(real_notices()[0]),
    "tous-les-avis-reels": lambda: replace(_digest(*real_notices()), coverage=COVERAGE[:1]),
    "un-peu-de-tout": _everything,
    "45-avis": lambda: _digest(*_many(45)),
    "5000-avis": lambda: _digest(*_many(5000), _reserved(3)),
    "titres-longs": lambda: _titled(
        "Travaux de réfection " * 240, "Anticonstitutionnellement" * 40
    ),
    "capitales": lambda: _titled(real_notices()[0].title.upper()),
    "sans-date": lambda: _digest(replace(real_notices()[0], closes_at=None, place="", buyer="")),
    "titres-hostiles": _hard,
    "un-changement": lambda: _stream("change", _changes()[1]),
    "annulation": lambda: _stream("change", _changes()[0]),
    "changements": lambda: _stream("change", *_changes()),
    "rappel": lambda: _reminders(1),
    "rappels": lambda: _reminders(1, 5),
    "des-la-parution": lambda: _stream("instant", *real_notices()[:2], frequency="instant"),
    "sans-attendre": lambda: _stream("instant", real_notices()[0]),
    "bienvenue": lambda: _stream("welcome", *real_notices()[:4]),
    "retour": lambda: _stream("return", *real_notices()[:4], frequency="daily"),
    "en-retard": lambda: replace(
        _digest(*real_notices()[:2]), was_due_at=AT - timedelta(days=3), closed_meanwhile=1
    ),
    "reservees": lambda: _digest(_reserved(0), _reserved(1)),
}
LETTERS = (*CASES, *NOTES)
#: One of each shape: what a browser need look at.
SHAPES = (
    "un-avis",
    "un-peu-de-tout",
    "titres-longs",
    "titres-hostiles",
    "sans-date",
    "tout-va-bien",
)


@cache
def message_of(name: str) -> EmailMessage:
    """The letter of that case, as a mailbox reads it."""
    if name in NOTES:
        composed = note(name, SENDER, LINKS)
    else:
        composed = compose(
            Press.of(SENDER),
            CASES[name](),
            LINKS,
            recipient="ariane@exemple.quebec",
            key=name,
            at=AT,
        )
    return email.message_from_bytes(composed.content, EmailMessage, policy=email.policy.default)


def html_of(name: str) -> str:
    """Its HTML part."""
    return _part(name, "html")


def text_of(name: str) -> str:
    """Its text part."""
    return _part(name, "plain")


def _part(name: str, subtype: str) -> str:
    part = message_of(name).get_body((subtype,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def write(folder: Path, names: Iterable[str] = LETTERS) -> Iterator[str]:
    """Write those letters and their pictures into `folder`; the names as they are done."""
    folder.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        for name in names:
            page_file = folder / f"{name}.html"
            page_file.write_text(html_of(name), encoding="utf-8")
            (folder / f"{name}.txt").write_text(text_of(name), encoding="utf-8")
            for scheme, width in product(("light", "dark"), (320, 600)):
                page = browser.new_page(
                    viewport={"width": width, "height": 900}, color_scheme=scheme
                )
                page.goto(page_file.resolve().as_uri())
                page.screenshot(path=folder / f"{name}-{scheme}-{width}.png", full_page=True)
                page.close()
            yield name


def picture(file: Path) -> None:
    """The beginning of a letter of real notices, in light and dark, as README.md shows it."""
    shots = []
    with chromium() as browser:
        for scheme in ("light", "dark"):
            page = browser.new_page(viewport={"width": 600, "height": 1080}, color_scheme=scheme)
            page.set_content(html_of("tous-les-avis-reels"))
            shots.append(base64.b64encode(page.screenshot()).decode("ascii"))
            page.close()
        both = "".join(f'<img src="data:image/png;base64,{one}" alt="">' for one in shots)
        page = browser.new_page(viewport={"width": 1224, "height": 1080})
        page.set_content(f'<body style="margin:0;display:flex;gap:24px">{both}</body>')
        page.screenshot(path=file)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--picture"]:
        picture(Path(sys.argv[2]))
    else:
        target = Path(sys.argv[1] if len(sys.argv) > 1 else "var/gallery")
        for done in write(target, sys.argv[2:] or LETTERS):
            print(done)
