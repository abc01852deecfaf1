"""Locks on what no row stands for: that something is absent.

A statement that asks «is there none?» must not be answered while one is being committed. Who
adds one takes the lock alone, who asks shares it; both keep it until their transaction ends.
PostgreSQL only: SQLite has one writer.
"""

from __future__ import annotations

from enum import IntEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session


class Absence(IntEnum):
    """What may be absent; the numbers are this program's among PostgreSQL's advisory locks."""

    PROHIBITION = 7205901  #: a hold on everything, a suppressed address
    ROSTER = 7205902  #: another change of members and contacts by staff, from look to commit


def adding(session: Session, absence: Absence) -> None:
    """Wait until nobody relies on the absence, and keep others from relying on it."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(absence.value)))


def relying(session: Session, absence: Absence) -> None:
    """Wait for those who are adding one, and keep others from adding."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock_shared(absence.value)))
