"""Unsubscribes that the database could not take in time: files, until it can.

Each is a file of its own, named by its moment, complete or absent (written aside, then renamed).
Dispatchers take them in before they claim a letter and before each final dot, in the same
transaction, so that an answer «c’est fait» is never followed by a letter.
"""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from alerts.leaving import leave
from subscriptions import wishes
from subscriptions.members import contact_id_of
from subscriptions.tables import Via

logger = logging.getLogger(__name__)

_SUFFIX = ".leave"


@dataclass(frozen=True, slots=True)
class Postponed:
    """A folder that the pages write and every dispatcher of the same machine reads."""

    folder: Path

    def keep(self, public_id: str, at: datetime) -> None:
        """Durable when this returns. Raises OSError where the disk does not take it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        name = f"{at.timestamp():017.6f}-{secrets.token_hex(4)}"
        aside = self.folder / f"{name}.part"
        with aside.open("x", encoding="ascii") as file:
            file.write(f"{at.isoformat()} {public_id}\n")
            file.flush()
            os.fsync(file.fileno())
        aside.rename(self.folder / f"{name}{_SUFFIX}")
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def waiting(self) -> list[Path]:
        """The files, oldest first; none where the folder is absent."""
        try:
            return sorted(path for path in self.folder.iterdir() if path.suffix == _SUFFIX)
        except FileNotFoundError:
            return []


def replay(session: Session, postponed: Postponed | None, *, now: datetime) -> list[Path]:
    """Take in what waits; the files to `discard` once the caller's transaction is committed.

    Taken in twice it changes nothing: who subscribed again after asking to leave stays.
    """
    taken = []
    for path in postponed.waiting() if postponed else ():
        try:
            moment, public_id = path.read_text("ascii").split()
            at = datetime.fromisoformat(moment)
        except FileNotFoundError:
            # Another dispatcher was faster.
            continue
        except ValueError:
            logger.warning("postponed unsubscribe unreadable", extra={"file": path.name})
            continue
        _take_in(session, public_id, at=at, now=now)
        taken.append(path)
    return taken


def discard(paths: Iterable[Path]) -> None:
    """Their unsubscribes are committed; another dispatcher may have been faster."""
    for path in paths:
        path.unlink(missing_ok=True)


def _take_in(session: Session, public_id: str, *, at: datetime, now: datetime) -> None:
    contact_id = contact_id_of(session, public_id)
    if contact_id is None:
        return
    current = wishes.live(session, contact_id)
    if current is not None and current.started_at <= at:
        leave(session, contact_id, via=Via.PAGE, at=at, now=now)
