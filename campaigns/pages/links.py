"""Scanners of mail, forged links, forms that ask who is known: nothing is told or changed."""

from __future__ import annotations

import random
import string
from collections.abc import Callable
from hashlib import sha256
from urllib.parse import quote

import httpx2
from sqlalchemy import select

from base.database import Base, connect
from campaigns.pages.coop import Served, now
from subscriptions.errors import LinkRefused
from subscriptions.links import Links, Purpose
from subscriptions.tables import Contact

_ALPHABET = string.ascii_letters + string.digits + "-_.=%/é\u0661 \x00"
_SCANNERS = (
    {"User-Agent": "Mozilla/5.0 (compatible; MSIE 10.0; SafeLinks)"},
    {"User-Agent": "ProofPoint URL Defense"},
    {"User-Agent": "Barracuda Sentinel (EE)", "Sec-Purpose": "prefetch"},
    {"User-Agent": "GoogleImageProxy", "Purpose": "prefetch"},
    {"User-Agent": "Slackbot-LinkExpanding 1.0", "Range": "bytes=0-32768"},
)


def scanned(site: Served, requests: int, dice: random.Random) -> dict[str, int]:
    """GET, HEAD and OPTIONS of every link that a letter can hold."""
    addresses = _addresses(site)
    before = _fingerprint(site.url)
    broken = 0
    with httpx2.Client(trust_env=False, timeout=120) as http:
        for _ in range(requests):
            method = dice.choice(("GET", "GET", "HEAD", "OPTIONS"))
            answer = http.request(method, dice.choice(addresses), headers=dice.choice(_SCANNERS))
            broken += answer.status_code >= 500
    changes = int(_fingerprint(site.url) != before)
    return {"requests": requests, "changes": changes, "answers_5xx": broken}


def forged_at_the_signer(links: Links, count: int, dice: random.Random) -> dict[str, int]:
    """Mutated tokens of each purpose, and every purpose's token under every other."""
    who, at = "00ff10a0b0c0d0e0", now()
    genuine = {p: links.event(p, who, at).rsplit("/", 1)[1] for p in Purpose}
    crossed = [(p, genuine[q]) for p in Purpose for q in Purpose if p is not q]
    accepted = sum(_accepts(links, purpose, token) for purpose, token in crossed)
    purposes = list(Purpose)
    tried = 0
    while tried < count:
        purpose = dice.choice(purposes)
        mutant = _mutated(genuine[purpose], dice)
        if mutant not in genuine.values():
            tried += 1
            accepted += _accepts(links, purpose, mutant)
    return {"tokens": tried, "crossed": len(crossed), "accepted": accepted}


def forged_over_http(site: Served, count: int, dice: random.Random) -> dict[str, int]:
    """The same over HTTP, by GET and POST, with what no URL should hold percent-encoded."""
    genuine = {p: site.links.event(p, "00ff10a0b0c0d0e0", now()) for p in Purpose}
    before = _fingerprint(site.url)
    statuses: dict[int, int] = {}
    with httpx2.Client(trust_env=False, timeout=120) as http:
        for _ in range(count):
            purpose = dice.choice(list(Purpose))
            token = _mutated(genuine[purpose].rsplit("/", 1)[1], dice)
            if genuine[purpose].endswith(token):
                continue
            url = f"{site.root}/{purpose}/{quote(token, safe='=')}"
            status = http.request(dice.choice(("GET", "POST")), url).status_code
            statuses[status] = statuses.get(status, 0) + 1
    # A link to leave of nobody's, unchanged but for a spelling that means the same, is kind.
    accepted = sum(n for status, n in statuses.items() if status < 400)
    broken = sum(n for status, n in statuses.items() if status >= 500)
    changes = int(_fingerprint(site.url) != before)
    return {"tokens": count, "accepted": accepted, "answers_5xx": broken, "changes": changes}


def enumerated(site: Served, known: list[str], asked: int) -> dict[str, int]:
    """How many different answers the form for a fresh link gives, to known and unknown."""
    bodies = set()
    with httpx2.Client(trust_env=False, timeout=120) as http:
        for number in range(asked):
            unknown = f"inconnue{number}@exemple.quebec"
            for address in (known[number % len(known)], unknown):
                answer = http.post(f"{site.root}/lien", data={"adresse": address})
                bodies.add((answer.status_code, answer.text))
    return {"asked": 2 * asked, "different_answers": len(bodies)}


def _addresses(site: Served) -> list[str]:
    database = connect(site.url)
    with database.read() as session:
        found = list(session.scalars(select(Contact.public_id).limit(50)))
    database.dispose()
    at = now()
    leave = [site.links.leave(one, 1, at) for one in found]
    change = [site.links.change(one, 1, at) for one in found]
    ends = ("moins", "pause", "secteurs")
    return [
        *leave,
        *change,
        *(f"{url}/avis" for url in change),
        *(f"{url}/adresse" for url in change),
        *(f"{url}/{end}" for url in leave for end in ends),
        *(site.links.event(p, one, at) for p in Purpose for one in found[:5]),
        f"{site.root}/lien",
    ]


def _fingerprint(url: str) -> str:
    """Of every row of every table."""
    database = connect(url)
    digest = sha256()
    with database.read() as session:
        for table in Base.metadata.sorted_tables:
            for row in session.execute(select(table).order_by(*table.primary_key.columns)):
                digest.update(repr(tuple(row)).encode())
    database.dispose()
    return digest.hexdigest()


def _accepts(links: Links, purpose: Purpose, token: str) -> bool:
    try:
        links.read(purpose, token, now())
    except LinkRefused:
        return False
    return True


def _mutated(value: str, dice: random.Random) -> str:
    where = dice.randrange(len(value))
    ways: tuple[Callable[[], str], ...] = (
        lambda: value[:where] + dice.choice(_ALPHABET) + value[where + 1 :],
        lambda: value[:where],
        lambda: value + dice.choice(_ALPHABET),
        lambda: value[:where] + dice.choice(_ALPHABET) + value[where:],
        lambda: "".join(dice.sample(value, len(value))),
        value.swapcase,
        lambda: (
            value[:where] + chr(ord(value[where]) ^ 1 << dice.randrange(7)) + value[where + 1 :]
        ),
    )
    return dice.choice(ways)()
