"""One-click unsubscribes: how long they take while letters leave, and with the database locked."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import sqlite3
import threading
import time
from datetime import timedelta
from pathlib import Path

import httpx2
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts import recovery
from alerts.delivery import Relay
from alerts.dispatch import hand_over
from alerts.handing import Handing
from alerts.journal import open_journal
from alerts.message_tables import Message
from alerts.postponed import Postponed
from alerts.tables import Letter, LetterState
from base.database import connect
from campaigns.pages.coop import Served, now, percentile
from subscriptions import wishes
from subscriptions.tables import Contact

_BODY = b"List-Unsubscribe=One-Click"
_TYPE = {"Content-Type": "application/x-www-form-urlencoded"}


def while_sending(site: Served, clicks: int, folder: Path) -> dict[str, float]:
    """So many different contacts leave one after the other while an edition is handed over.

    The milliseconds of each answer; how many got a letter that was begun after they had left.
    """
    write_letters(site)
    sent = threading.Thread(target=lambda: asyncio.run(_send(site, folder)))
    left: dict[int, object] = {}
    times: list[float] = []
    sent.start()
    with httpx2.Client(trust_env=False, timeout=120) as http:
        for contact_id, url in _leaving(site)[:clicks]:
            begun = time.perf_counter()
            status = http.post(url, content=_BODY, headers=_TYPE).status_code
            times.append(1000 * (time.perf_counter() - begun))
            left[contact_id] = now() if status == 200 else None
    during = sent.is_alive()
    sent.join()
    return {
        "clicks": len(times),
        "answered": sum(moment is not None for moment in left.values()),
        "p50_ms": round(percentile(times, 0.5), 1),
        "p99_ms": round(percentile(times, 0.99), 1),
        "sent_to_the_end": int(during),
        "letters_begun_after_leaving": _begun_after(site, left),
    }


def while_locked(site: Served, seconds: float, folder: Path) -> dict[str, float]:
    """Another program holds SQLite's write lock; who clicks meanwhile gets nothing more."""
    write_letters(site)
    path = site.url.removeprefix("sqlite:///")
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    until = time.monotonic() + seconds
    times, left = [], []
    with httpx2.Client(trust_env=False, timeout=120) as http:
        for contact_id, url in _leaving(site)[-40:]:
            begun = time.perf_counter()
            status = http.post(url, content=_BODY, headers=_TYPE).status_code
            times.append(time.perf_counter() - begun)
            left += [contact_id] if status == 200 else []
            time.sleep(max(0.0, min(seconds / 40, until - time.monotonic())))
    time.sleep(max(0.0, until - time.monotonic()))
    holder.execute("ROLLBACK")
    holder.close()
    mailed = asyncio.run(_send(site, folder))
    return {
        "locked_s": seconds,
        "clicks": len(times),
        "answered": len(left),
        "longest_s": round(max(times), 2),
        "mailed_after": sum(_address(site, contact_id) in mailed for contact_id in left),
        "still_subscribed": sum(_is_subscribed(site, contact_id) for contact_id in left),
    }


def write_letters(site: Served) -> None:
    """One more letter, of the size of a digest, for each contact that is still subscribed."""
    at, database = now(), connect(site.url)
    with database.write() as session:
        for contact in session.scalars(select(Contact).order_by(Contact.id)).all():
            if wishes.live(session, contact.id) is not None:
                _write(session, contact, f"digest:daily:{at.isoformat()}:{contact.id}")
    database.dispose()


def _write(session: Session, contact: Contact, key: str) -> None:
    at = now()
    identity = f"<{hashlib.sha256(key.encode()).hexdigest()[:32]}@exemple.quebec>"
    head = f"Message-ID: {identity}\r\nSubject: essai\r\n\r\n".encode()
    content = head + b"Bonjour, voici un avis.\r\n" * 800
    made = Letter(
        key=key,
        contact_id=contact.id,
        address=contact.address,
        message_id=identity,
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        notices=1,
        state=LetterState.WRITTEN,
        written_at=at,
        expires_at=at + timedelta(hours=72),
        next_attempt_at=at,
    )
    session.add(made)
    session.flush()
    session.add(Message(id=made.id, content=content))


async def _send(site: Served, folder: Path) -> set[str]:
    """Hand over all that waits to a relay that takes everything; who was mailed."""
    mailed: set[str] = set()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await _converse(reader, writer, mailed)
        writer.close()

    server = await asyncio.start_server(relay, "127.0.0.1", 0, limit=2**20)
    port = server.sockets[0].getsockname()[1]
    handing = Handing(
        relay=Relay(host="127.0.0.1", port=port, tls="none", helo="essai"),
        sender="retours@exemple.quebec",
        allowed=frozenset({"*"}),
        journal=open_journal(folder / "journal"),
        postponed=Postponed(site.folder),
    )
    database = connect(site.url)
    recovery.recover(database, handing.journal, at=now())
    await hand_over(database, handing, now=now)
    database.dispose()
    server.close()
    return mailed


async def _converse(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, mailed: set[str]
) -> None:
    recipient = ""
    writer.write(b"220 essai\r\n")
    while line := await reader.readline():
        verb = line[:4].upper()
        if verb == b"RCPT":
            recipient = line.decode().partition("<")[2].partition(">")[0]
        if verb == b"DATA":
            writer.write(b"354 go\r\n")
            await reader.readuntil(b"\r\n.\r\n")
            mailed.add(recipient)
        writer.write(b"221 bye\r\n" if verb == b"QUIT" else b"250 ok\r\n")
        await writer.drain()


def _leaving(site: Served) -> list[tuple[int, str]]:
    """Who is subscribed, and the link to leave."""
    database = connect(site.url)
    with database.read() as session:
        contacts = session.scalars(select(Contact).order_by(Contact.id)).all()
        live = [one for one in contacts if wishes.live(session, one.id) is not None]
    database.dispose()
    return [(one.id, site.links.leave(one.public_id, 1, now())) for one in live]


def _begun_after(site: Served, left: dict[int, object]) -> int:
    database = connect(site.url)
    with database.read() as session:
        begun = session.execute(
            select(Letter.contact_id, Letter.in_doubt_at).where(Letter.in_doubt_at.is_not(None))
        ).all()
    database.dispose()
    return sum(contact in left and moment > left[contact] for contact, moment in begun)  # type: ignore[operator]


def _is_subscribed(site: Served, contact_id: int) -> bool:
    database = connect(site.url)
    with database.read() as session:
        found = wishes.live(session, contact_id) is not None
    database.dispose()
    return found


def _address(site: Served, contact_id: int) -> str:
    database = connect(site.url)
    with database.read() as session:
        address = session.get_one(Contact, contact_id).address
    database.dispose()
    return address
