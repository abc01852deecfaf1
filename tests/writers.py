"""What letters are written with in tests: the real templates and catalogue, a fictional sender."""

from __future__ import annotations

from functools import cache

from alerts.classification import Lexicon
from alerts.letter import Press, Sender
from alerts.writing import Desk
from subscriptions.links import Links
from subscriptions.sectors import load

SENDER = Sender(
    tenant_name="Coop fictive de l’Économie sociale",
    postal_address="1, rue Fictive, Trois-Rivières (Québec)",
    contact_email="info@exemple.quebec",
    privacy_officer="Direction générale, vie-privee@exemple.quebec",
    public_url="https://alertes.exemple.quebec",
    author_email="alertes@exemple.quebec",
    list_domain="alertes.exemple.quebec",
)


@cache
def desk() -> Desk:
    """A desk as the service makes it, once."""
    catalogue = load()
    return Desk(
        press=Press.of(SENDER),
        links=Links(keys=("k" * 40,), public_url=SENDER.public_url),
        catalogue=catalogue,
        lexicon=Lexicon.of(catalogue),
    )
