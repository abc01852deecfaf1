"""The preview over a year of notices: how long a reader waits for it."""

from __future__ import annotations

import random
import time
from datetime import timedelta

import httpx2

from base.database import connect
from campaigns.pages.coop import Served, now, percentile
from sources.tables import Reading, Revision, Tender
from subscriptions import sectors

_PLACES = (("Prévost", "MRC La Rivière-du-Nord"), ("Nominingue", "MRC Antoine-Labelle"))


def store(url: str, notices: int, dice: random.Random) -> None:
    """So many notices of the last year: one in three of a sector."""
    words = [(word, s.unspsc) for s in sectors.load() for word in s.keywords]
    others = ("Réfection de la rue", "Fourniture d’un camion", "Plans et devis de l’usine")
    database, at = connect(url), now()
    with database.write() as session:
        reading = Reading(source="seao", at=at, address="essai.json")
        session.add(reading)
        session.flush()
        for number in range(notices):
            word, codes = dice.choice(words)
            title = f"{word} {number}" if number % 3 == 0 else f"{dice.choice(others)} {number}"
            published = at - timedelta(days=dice.randrange(360))
            place, mrc = dice.choice(_PLACES)
            tender = Tender(
                source="seao", ocid=f"ocds-essai-{number}", number=f"{20000000 + number}",
                first_seen_at=published, latest=1, status="active",
                closes_at=published + timedelta(days=20),
            )  # fmt: skip
            session.add(tender)
            session.flush()
            tender.cluster_id = tender.id
            codes = codes if number % 3 == 0 else ()
            session.add(
                Revision(
                    tender_id=tender.id, number=1, reading_id=reading.id, release_id="1",
                    seen_at=published, published_at=published, changed_at=None,
                    material_hash="0" * 64, status="active", title=title,
                    buyer=f"Ville de {place}", buyer_id="", reference="", municipality=place,
                    mrc=mrc, region="Laurentides", place_basis="name", category="services",
                    procurement_method_details="", closes_at=tender.closes_at,
                    items=[{"code": f"UNSPSC:{code:0<8}", "label": word} for code in codes],
                    description="", documents=[], uri="",
                )
            )  # fmt: skip
    database.dispose()


def previewed(site: Served, public_id: str, tries: int, dice: random.Random) -> dict[str, float]:
    """Milliseconds from the press of the button to the whole page, for choices at random."""
    url = site.links.change(public_id, 1, now())
    seal = site.links.seal(url.rsplit("/", 1)[1])
    slugs = [sector.slug for sector in sectors.load()]
    times = []
    with httpx2.Client(trust_env=False, timeout=120) as http:
        http.get(url)
        for _ in range(tries):
            body = {
                "sceau": seal,
                "faire": "voir",
                "frequence": "weekly",
                "secteur": dice.sample(slugs, dice.randrange(1, len(slugs) + 1)),
                "mots": "\n".join(dice.sample(("entretien", "compost", "camion", "toiture"), 2)),
                "exclus": dice.choice(("", "autoroute", "rue")),
                "lieu": dice.choice(([], ["MRC Antoine-Labelle"])),
            }
            begun = time.perf_counter()
            assert http.post(url, data=body).status_code == 200  # noqa: S101, else nothing is timed
            times.append(1000 * (time.perf_counter() - begun))
    return {
        "tries": tries,
        "p50_ms": round(percentile(times, 0.5), 1),
        "p99_ms": round(percentile(times, 0.99), 1),
    }
