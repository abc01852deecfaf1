"""Letters to look at and to check: real notices, and hostile ones where real ones are too tame.

`make gallery` writes them into var/gallery, with pictures of each in light and dark.
"""

from __future__ import annotations

import email
import email.policy
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from functools import cache
from pathlib import Path

from alerts.digest import Digest, Notice, Period, Reason, ordered
from alerts.letter import Press, ReaderLinks, Sender, compose
from sources import places, seao
from sources.release import Release, Status
from tests.browser import chromium
from tests.coop import AT
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
WHY = (
    Reason(
        "matieres-residuelles", "Gestion des matières résiduelles", "« écocentre » dans le titre"
    ),
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
        source="seao",
        reasons=WHY,
    )


def _many(count: int) -> tuple[Notice, ...]:
    real = real_notices()
    return tuple(
        replace(real[i % len(real)], cluster_id=i, number=f"{20000000 + i}") for i in range(count)
    )


def _digest(*notices: Notice) -> Digest:
    return Digest(
        contact_name="Ariane Fictive",
        member_name="Coop fictive du Déneigement",
        stream="weekly",
        period=Period(AT - timedelta(days=7, hours=6), AT - timedelta(hours=6)),
        notices=notices,
        sectors=(
            "Déneigement de bâtiments et de stationnements",
            "Gestion des matières résiduelles",
        ),
    )


def _titled(*titles: str) -> Digest:
    return _digest(*(replace(real_notices()[0], title=title) for title in titles))


#: Name -> digest, made when asked for.
CASES: dict[str, Callable[[], Digest]] = {
    "un-avis": lambda: _digest(real_notices()[0]),
    "tous-les-avis-reels": lambda: _digest(*real_notices()),
    "45-avis": lambda: _digest(*_many(45)),
    "5000-avis": lambda: _digest(*_many(5000)),
    "titres-longs": lambda: _titled(
        "Travaux de réfection " * 240, "Anticonstitutionnellement" * 40
    ),
    "capitales": lambda: _titled(real_notices()[0].title.upper()),
    "sans-date": lambda: _digest(replace(real_notices()[0], closes_at=None, place="", buyer="")),
    "titres-hostiles": lambda: _titled(
        "<script>alert(1)</script>", "{{ 7*7 }} {% raw %}", "a\u202eb\u200fc", "", "neige ❄️"
    ),
    "peut-etre-deja-recu": lambda: _digest(replace(real_notices()[0], perhaps_seen=True)),
}
LETTERS = tuple(CASES)


@cache
def message_of(name: str) -> EmailMessage:
    """The letter of that case, as a mailbox reads it."""
    composed = compose(
        Press.of(SENDER), CASES[name](), LINKS, recipient="ariane@exemple.quebec", key=name, at=AT
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
    return str(part.get_content())


def write(folder: Path) -> Iterator[str]:
    """Write every letter and its pictures into `folder`; the names as they are done."""
    folder.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        for name in LETTERS:
            page_file = folder / f"{name}.html"
            page_file.write_text(html_of(name), encoding="utf-8")
            (folder / f"{name}.txt").write_text(text_of(name), encoding="utf-8")
            for scheme in ("light", "dark"):
                for width in (375, 720):
                    context = browser.new_context(
                        viewport={"width": width, "height": 900}, color_scheme=scheme
                    )
                    page = context.new_page()
                    page.goto(page_file.resolve().as_uri())
                    page.screenshot(path=folder / f"{name}-{scheme}-{width}.png", full_page=True)
                    context.close()
            yield name


if __name__ == "__main__":
    for done in write(Path(sys.argv[1] if len(sys.argv) > 1 else "var/gallery")):
        print(done)
