"""An edition from the open calls to the relay, against the obvious way to do the same.

    python -m benchmarks.end_to_end [--full]

Ours: matched, built, frozen, in the ledger, claimed, entitled, handed over, settled; the service's
own writer and dispatcher, SQLite on the disk with synchronous=FULL. Theirs: benchmarks.plain_stack.
The relay signs on both sides, so nobody does here. Readers look for eight words each (exact words,
so that both must find the same calls) and are told 20 notices at most. Both hand over to the sink
of benchmarks.counting_sink. What is read once an edition, the calls, is read before on both sides.
"""

from __future__ import annotations

import asyncio
import email
import email.policy
import re
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from email.message import EmailMessage
from functools import partial
from itertools import islice
from pathlib import Path
from random import Random
from time import perf_counter, process_time
from typing import Any

from sqlalchemy import select

from alerts.calls import Call
from alerts.digest import Period
from alerts.looked import Looked
from alerts.owed import Shard
from alerts.own_words import phrase_of
from alerts.poison import Poison
from alerts.tables import Letter, LetterState, Told
from base.database import Database
from base.text import fold
from benchmarks import coops
from benchmarks.coops import CALLS, SEED, Coop
from benchmarks.counting_sink import counting
from benchmarks.measured import LEAST_ROUNDS, Measured, Size, interleaved, report
from benchmarks.plain_stack import Plain, PlainReader
from benchmarks.seao_notices import notices
from subscriptions.tables import Contact, Member, Subscription
from tests.coop import AT, DESK

GOAL = 40
#: Letters of a round, of ours and of theirs.
LETTERS = {Size.QUICK: (300, 8), Size.FULL: (4000, 100)}
WORDS, MOST = 8, 20
#: Calls that a word stands in, at least and at most: eight words make some twenty notices.
_COMMON = range(3, 9)


def measure(size: Size) -> Iterable[Measured]:
    ours, theirs = LETTERS[size]
    with tempfile.TemporaryDirectory(prefix="end-to-end-") as root, counting() as sink:
        folder = Path(root) / "coop"
        folder.mkdir()
        lots = LEAST_ROUNDS + 1
        coop = Coop(folder=folder, contacts=ours * lots, wishes=partial(wishes, vocabulary()))
        coops.alone(coop.seed)
        with coop.opened() as database:
            looked = Looked()
            with database.read() as session:
                calls = looked.refresh_calls(session, DESK, Poison(), AT).by_cluster
            plain = Plain(calls, _period(database), folder / "plain.sqlite3", sink.port)
            service = _Ours(coop, database, looked, sink.port, lots)
            people = iter(_readers(database))

            processor: dict[str, list[float]] = {"ours": [], "theirs": []}

            def fast() -> float:
                begun = process_time()
                rate = service.next()
                processor["ours"].append((process_time() - begun) / ours * 1e3)
                return rate

            def slow() -> float:
                begun, busy = perf_counter(), process_time()
                asyncio.run(plain.send(islice(people, theirs)))
                processor["theirs"].append((process_time() - busy) / theirs * 1e3)
                return theirs / (perf_counter() - begun)

            service.next()  # statements and templates are compiled once a process
            figures = interleaved(fast, slow)
            twin = _check(database, plain, calls, sink.letters)
    yield Measured(
        name="end_to_end",
        what="ours / the plain stack, letters a second",
        goal=GOAL,
        rounds=tuple(fast / plain for fast, plain in figures),
        detail=(
            f"seed {SEED}, {CALLS} calls, {ours} letters a round of ours, {theirs} of theirs",
            "letters/s: " + ", ".join(f"{fast:.0f}/{plain:.1f}" for fast, plain in figures),
            "ms of processor a letter: "
            + ", ".join(
                f"{one:.2f}/{two:.1f}" for one, two in zip(*processor.values(), strict=True)
            ),
        ),
        twin=twin,
        size=size,
    )


class _Ours:
    """The service, lot after lot of one edition."""

    def __init__(
        self, coop: Coop, database: Database, looked: Looked, port: int, lots: int
    ) -> None:
        self._coop, self._database, self._looked, self._port = coop, database, looked, port
        self._shards = iter([Shard(number, lots) for number in range(lots)])

    def next(self) -> float:
        """Letters a second of the next lot."""
        begun = perf_counter()
        coops.written(self._database, next(self._shards), self._looked)
        journal = self._coop.folder / "journal"
        tally = coops.handed_over(self._database, journal, self._port)
        return tally.accepted / (perf_counter() - begun)


def vocabulary() -> tuple[str, ...]:
    """Words of real titles that are neither in many nor in next to none."""
    titles = [set(re.findall(r"[a-z]{4,}", fold(one.title))) for one in notices()]
    found = Counter(word for words in titles for word in words)
    common = [n * len(titles) / CALLS for n in (_COMMON.start, _COMMON.stop)]
    return tuple(
        sorted(w for w, n in found.items() if common[0] <= n < common[1] and phrase_of(f'"{w}"'))
    )


def wishes(among: tuple[str, ...], chosen: Random) -> dict[str, Any]:
    """What a reader of so many of those words asks for, told so many notices at most."""
    words = [f'"{word}"' for word in chosen.sample(among, WORDS)]
    return {"sectors": [], "own_words": words, "most_notices": MOST}


def _readers(database: Database) -> list[PlainReader]:
    with database.read() as session:
        asked = (
            select(Contact, Member.name, Subscription)
            .join(Member, Member.id == Contact.member_id)
            .join(Subscription, Subscription.contact_id == Contact.id)
            .order_by(Contact.id)
        )
        return [
            PlainReader(
                contact_id=contact.id,
                public_id=contact.public_id,
                link_version=contact.link_version,
                name=contact.name,
                member=member,
                address=contact.address,
                words=tuple(word.strip('"') for word in subscription.own_words),
                most=MOST,
            )
            for contact, member, subscription in session.execute(asked)
        ]


def _period(database: Database) -> Period:
    edition = coops.weekly(database)
    return Period(edition.starts_at, edition.ends_at)


def _check(database: Database, plain: Plain, calls: Mapping[int, Call], counted: int) -> str:
    """Whom of what on both sides, the letters themselves, and the sink; what held, in words."""
    with database.read() as session:
        told: dict[int, list[int]] = defaultdict(list)
        for contact_id, cluster_id in session.execute(select(Told.contact_id, Told.cluster_id)):
            told[contact_id].append(cluster_id)
        letters = session.execute(select(Letter.contact_id, Letter.state, Letter.content)).all()
    theirs = plain.told()
    assert theirs == {key: sorted(told[key]) for key in theirs}  # noqa: S101, else no figure
    assert counted == len(letters) + len(theirs)  # noqa: S101, as above
    for contact_id, state, content in letters:
        assert state == LetterState.ACCEPTED and content is not None  # noqa: S101, PT018, as above
        _parse(content, [calls[key] for key in told[contact_id]])
    each = sum(map(len, told.values())) / len(told)
    octets = sum(len(content or b"") for _, _, content in letters) // len(letters)
    return (
        f"the same notices told to the {len(theirs)} readers of both; {len(letters)} letters of "
        f"{each:.1f} notices and {octets} octets parsed without defect, with number and page of "
        f"each notice; the sink counted {counted}, each that was accepted"
    )


def _parse(content: bytes, told: Iterable[Call]) -> None:
    made = email.message_from_bytes(content, EmailMessage, policy=email.policy.default)
    assert not any(part.defects for part in made.walk())  # noqa: S101, else no figure
    text, html = (part.get_content() for part in made.iter_parts())
    for call in told:
        assert call.tender.number in text and call.tender.number in html  # noqa: S101, PT018, as above


if __name__ == "__main__":
    report(measure)
