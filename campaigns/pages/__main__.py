"""`python -m campaigns.pages`: the long trials of the members' pages, one line each.

The exit code is 1 where a zero is not zero, or an answer took longer than it may.
"""

from __future__ import annotations

import argparse
import logging
import random
import secrets
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from base.database import connect
from campaigns import stores
from campaigns.pages import clicks, coop, links, year

#: What each figure may be at most; the others are only told.
MOST = {
    "changes": 0,
    "answers_5xx": 0,
    "accepted": 0,
    "different_answers": 1,
    "letters_begun_after_leaving": 0,
    "mailed_after": 0,
    "still_subscribed": 0,
    "longest_s": 3.0,
    "p99_ms": 300.0,
}


def main() -> None:
    """Run what the command line asks for."""
    asked = _arguments()
    logging.disable(logging.CRITICAL)
    print(f"seed={asked.seed}", flush=True)
    good = [
        trial
        for kind in asked.database
        for trial in _database(kind, asked, random.Random(asked.seed))
    ]
    sys.exit(0 if all(good) else 1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m campaigns.pages", description=__doc__)
    parser.add_argument("--database", nargs="+", choices=stores.KINDS, default=stores.KINDS)
    parser.add_argument("--requests", type=int, default=10_000, help="of scanners, and of forgers")
    parser.add_argument("--tokens", type=int, default=1_000_000, help="forged at the signer")
    parser.add_argument("--contacts", type=int, default=2_000)
    parser.add_argument("--clicks", type=int, default=500, help="while an edition is sent")
    parser.add_argument("--notices", type=int, default=15_000, help="a year of them")
    parser.add_argument("--locked", type=float, default=60.0, help="seconds")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    return parser.parse_args()


def _database(kind: str, asked: argparse.Namespace, dice: random.Random) -> list[bool]:
    with stores.store(kind) as url, tempfile.TemporaryDirectory(prefix="pages-") as folder:
        home = Path(folder)
        database = connect(url)
        with database.write() as session:
            contacts = coop.join(session, asked.contacts, coop.now())
        database.dispose()
        year.store(url, asked.notices, dice)
        first = contacts[0]
        known = [contact.address for contact in contacts[:20]]
        with coop.served(url, home / "postponed") as site:
            forged = links.forged_at_the_signer(site.links, asked.tokens, dice)
            good = [
                _told(kind, "scanners", links.scanned(site, asked.requests, dice)),
                _told(kind, "forged", forged),
                _told(kind, "forged-http", links.forged_over_http(site, asked.requests, dice)),
                _told(kind, "enumeration", links.enumerated(site, known, 200)),
                _told(kind, "preview", year.previewed(site, first.public_id, 100, dice)),
                _told(kind, "clicks", clicks.while_sending(site, asked.clicks, home)),
            ]
            if kind == "sqlite":
                good.append(_told(kind, "locked", clicks.while_locked(site, asked.locked, home)))
    return good


def _told(kind: str, trial: str, figures: Mapping[str, float]) -> bool:
    """Print one line; False where a figure is more than it may be."""
    words = " ".join(f"{name}={value}" for name, value in figures.items())
    print(f"pages={trial} database={kind} {words}", flush=True)
    good = all(figures[name] <= most for name, most in MOST.items() if name in figures)
    return good and figures.get("answered", 0) == figures.get("clicks", 0)


if __name__ == "__main__":
    main()
