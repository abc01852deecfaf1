"""A small append-only file outside the database: which letters were begun, which were accepted.

It serves two ends. After a crash it says that a letter was accepted although the row could not
be written any more. And it knows how many letters were ever begun, which the database knows as
well: a database that knows of fewer was restored from a backup or is somebody's copy, and must
not send again what its original has sent. No address is ever written in it.
"""

from __future__ import annotations

import errno
import os
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from alerts.hold_tables import Instance
from base.database import insert

#: A clock that went back by less than this is only being set right.
CLOCK_SLACK = timedelta(minutes=5)
#: How much of the file's end is read; at 100 bytes a line some 40,000 letters.
TAIL = 4_000_000


@dataclass(frozen=True, slots=True)
class Journal:
    """One file; its token is its first line, and a row of `instance`."""

    path: Path
    token: str

    @property
    def mark(self) -> str:
        """What the claims of this machine's dispatchers begin with."""
        return self.token[:8]

    def begun(self, number: int, keys: list[str], at: datetime) -> None:
        """Those letters are about to get their dot, `number` counts all ever begun; durable."""
        if keys:
            self._append([f"{at.isoformat()} begun {number} {key}" for key in keys], durable=True)

    def accepted(self, keys: list[str], at: datetime) -> None:
        """The relay took charge of those; survives a killed process, not a power failure."""
        if keys:
            lines = [f"{at.isoformat()} accepted 0 {key}" for key in keys]
            self._append(lines, durable=False)

    def last_begun(self) -> tuple[int, datetime | None]:
        """The highest count in the file and the latest moment; (0, None) for a new one."""
        begun = [line for line in self._tail() if line[1] == "begun"]
        if not begun:
            return 0, None
        return max(int(line[2]) for line in begun), datetime.fromisoformat(begun[-1][0])

    def accepted_keys(self) -> set[str]:
        """The letters that were accepted, as far as the end of the file tells."""
        return {line[3] for line in self._tail() if line[1] == "accepted"}

    def _append(self, lines: list[str], *, durable: bool) -> None:
        written = "".join(f"{line}\n" for line in lines).encode()
        descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND)
        try:
            size = os.fstat(descriptor).st_size
            if size and os.pread(descriptor, 1, size - 1) != b"\n":
                # A torn line, from a full disk or a power failure, must not swallow the next.
                written = b"\n" + written
            if os.write(descriptor, written) != len(written):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))
            if durable:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _tail(self) -> list[list[str]]:
        with self.path.open("rb") as file:
            start = max(0, self.path.stat().st_size - TAIL)
            file.seek(start)
            lines = file.read().decode("utf-8", "replace").splitlines()
        # The first line is the token, or a part of a line; a torn last one has fewer words.
        parts = [line.split(" ") for line in lines[1:]]
        return [words for words in parts if len(words) == 4]


def open_journal(path: Path) -> Journal:
    """The journal at `path`, made when absent (also its folder)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(f"{secrets.token_hex(16)}\n")
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        pass
    with path.open(encoding="utf-8", errors="replace") as file:
        return Journal(path, file.readline().strip())


def reason_to_hold(session: Session, journal: Journal, at: datetime) -> str:
    """Why this database must not send yet beside this journal; "" when they agree.

    A journal and a database that are both new are introduced to each other.
    """
    number, last = journal.last_begun()
    known = session.scalar(select(Instance.begun).where(Instance.token == journal.token))
    if known is None:
        others = session.scalar(select(func.coalesce(func.sum(Instance.begun), 0))) or 0
        introduced = session.scalar(
            insert(session, Instance)
            .values(token=journal.token, begun=number, created_at=at)
            .on_conflict_do_nothing(index_elements=[Instance.token])
            .returning(Instance.id)
        )
        if introduced is None:
            # Another process of this machine was faster: ask again what it left.
            return reason_to_hold(session, journal, at)
        if number or others:
            return f"journal {journal.mark} and this database do not know each other"
        return ""
    if number > known:
        return f"the journal counts {number} letters begun, the database {known}: it was restored"
    if last is not None and at < last - CLOCK_SLACK:
        return f"the clock says {at.isoformat()}, the journal has {last.isoformat()}"
    return ""


def marks_of_others(session: Session, journal: Journal) -> tuple[str, ...]:
    """What the claims of other machines' dispatchers begin with; also of machines that are gone."""
    others = session.scalars(select(Instance.token).where(Instance.token != journal.token))
    return tuple({token[:8] for token in others} - {journal.mark})


def agree(session: Session, journal: Journal) -> None:
    """Staff looked and said go: the database takes the journal's count for its own."""
    number, _ = journal.last_begun()
    session.execute(
        update(Instance)
        .where(Instance.token == journal.token, Instance.begun < number)
        .values(begun=number)
    )


def count_begun(session: Session, journal: Journal, more: int) -> int:
    """Count `more` letters as begun, in the transaction that begins them; the new total."""
    counted = session.execute(
        update(Instance)
        .where(Instance.token == journal.token)
        .values(begun=Instance.begun + more)
        .returning(Instance.begun)
        .execution_options(synchronize_session=False)
    )
    return int(counted.scalar_one())
