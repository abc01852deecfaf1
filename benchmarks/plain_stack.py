"""The obvious way to write and send the same letters: everything done for each reader alone.

A regular expression of the reader's words over each call, the whole template rendered, its styles
inlined by premailer, EmailMessage, a new connection of aiosmtplib, a commit. Calls are folded
once, and readers are in memory.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiosmtplib

from alerts import reasons
from alerts.calls import Call
from alerts.digest import Digest, Notice, Period, Reason, ordered
from alerts.letter import ReaderLinks
from base.text import fold
from tests.coop import AT, DESK
from tests.emails import oracle

SENDER = DESK.press.sender
_PAGE = oracle.plain_template()


@dataclass(frozen=True, kw_only=True, slots=True)
class PlainReader:
    """Whom a letter is for, and the words that it looks for."""

    contact_id: int
    public_id: str
    link_version: int
    name: str
    member: str
    address: str
    words: tuple[str, ...]
    most: int


class Plain:
    """The stack: its calls, its database, the relay's port."""

    def __init__(self, calls: Mapping[int, Call], period: Period, file: Path, port: int) -> None:
        self._calls, self._period, self._port = calls, period, port
        self._texts = {
            key: " / ".join(map(fold, (one.facts.title, *one.facts.labels)))
            for key, one in calls.items()
        }
        self._store = sqlite3.connect(file)
        self._store.execute("PRAGMA journal_mode=WAL")
        self._store.execute("PRAGMA synchronous=FULL")
        self._store.execute("CREATE TABLE sent (key TEXT PRIMARY KEY, notices TEXT)")

    async def send(self, readers: Iterable[PlainReader]) -> None:
        """One after the other: matched, written, handed over, committed."""
        for reader in readers:
            found = self._matched(reader)
            if found:
                await self._one(reader, found)

    def told(self) -> dict[int, list[int]]:
        """The calls of each reader's letter, in order."""
        rows = self._store.execute("SELECT key, notices FROM sent")
        return {int(key): sorted(map(int, told.split())) for key, told in rows}

    def _matched(self, reader: PlainReader) -> Sequence[Notice]:
        wanted = re.compile(rf"\b(?:{'|'.join(reader.words)})\b")
        found = [
            self._calls[key].notice((_reason(seen.group()),))
            for key, text in self._texts.items()
            if (seen := wanted.search(text))
        ]
        return ordered(found)[: reader.most]

    async def _one(self, reader: PlainReader, notices: Sequence[Notice]) -> None:
        digest = Digest(
            contact_name=reader.name,
            member_name=reader.member,
            stream="weekly",
            period=self._period,
            notices=tuple(notices),
            sectors=(),
            frequency="weekly",
        )
        links = ReaderLinks(
            leave=DESK.links.leave(reader.public_id, reader.link_version, AT),
            change=DESK.links.change(reader.public_id, reader.link_version, AT),
        )
        words = oracle.words(SENDER, digest, links, AT, cards=len(notices), lines=0)
        message = oracle.message(
            SENDER,
            digest,
            links,
            subject=str(words["subject"]),
            recipient=reader.address,
            message_id=f"<{reader.contact_id}@{SENDER.list_domain}>",
            at=AT,
            text=oracle.text_of(words),
            html=oracle.styled(_PAGE.render(words)),
        )
        await aiosmtplib.send(
            message,
            sender="retours@exemple.quebec",
            recipients=[reader.address],
            hostname="127.0.0.1",
            port=self._port,
            start_tls=False,
        )
        told = " ".join(str(notice.cluster_id) for notice in notices)
        with self._store:
            self._store.execute("INSERT INTO sent VALUES (?, ?)", (reader.contact_id, told))


def _reason(word: str) -> Reason:
    return Reason("", reasons.OWN_WORDS, f"«\u00a0{word}\u00a0» que vous suivez")
