"""The documents of reserved invitations: kept in the database, under names that harm nobody."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from base.text import clean
from sources.errors import AttachmentRefused
from sources.tables import Attachment

LARGEST = 20 * 1024 * 1024
MOST = 30
LONGEST_NAME = 120

_ZIP = (b"PK\x03\x04",)
#: By extension: the media type, and how such a file begins (anything without a NUL for texts).
TYPES: Mapping[str, tuple[str, tuple[bytes, ...]]] = {
    "pdf": ("application/pdf", (b"%PDF-",)),
    "docx": ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", _ZIP),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", _ZIP),
    "odt": ("application/vnd.oasis.opendocument.text", _ZIP),
    "ods": ("application/vnd.oasis.opendocument.spreadsheet", _ZIP),
    "zip": ("application/zip", _ZIP),
    "doc": ("application/msword", (b"\xd0\xcf\x11\xe0",)),
    "xls": ("application/vnd.ms-excel", (b"\xd0\xcf\x11\xe0",)),
    "png": ("image/png", (b"\x89PNG\r\n\x1a\n",)),
    "jpg": ("image/jpeg", (b"\xff\xd8\xff",)),
    "jpeg": ("image/jpeg", (b"\xff\xd8\xff",)),
    "dwg": ("image/vnd.dwg", (b"AC10",)),
    "txt": ("text/plain", ()),
    "csv": ("text/csv", ()),
}
#: What a file's name may not have on some system, and BETWEEN of sources.invitations.
_UNSAFE = re.compile(r'[\\/:*?"<>|;\x00-\x1f%$`]+')
_DEVICES = re.compile(r"(?i)(con|prn|aux|nul|com[0-9]|lpt[0-9])")


class Refusal(StrEnum):
    """Why a document is not kept."""

    EMPTY = "empty"
    TOO_LARGE = "too large"
    TOO_MANY = "too many"
    #: Not a type of `TYPES`, or not what its name says.
    TYPE = "type"


def safe_name(name: str) -> str:
    """The last part of a file's name without what a system could take for more than a name."""
    last = clean(name.replace("\\", "/").rpartition("/")[2])
    bare = _UNSAFE.sub("-", last).strip(" .-\u00a0") or "document"
    stem, dot, extension = bare.rpartition(".")
    stem = (stem or bare).strip(" .-") or "document"
    if _DEVICES.fullmatch(stem.partition(".")[0]):
        stem = f"document-{stem}"
    tail = f".{extension.strip()}" if dot and extension else ""
    return f"{stem[: LONGEST_NAME - len(tail)].rstrip(' .')}{tail}"


def checked(name: str, content: bytes) -> str:
    """The safe name of a document that may be kept.

    Raises AttachmentRefused with a Refusal.
    """
    safe = safe_name(name)
    if not content:
        raise AttachmentRefused(Refusal.EMPTY, safe)
    if len(content) > LARGEST:
        raise AttachmentRefused(Refusal.TOO_LARGE, safe)
    known = TYPES.get(safe.rpartition(".")[2].casefold())
    if known is None:
        raise AttachmentRefused(Refusal.TYPE, safe)
    begins = known[1]
    right = content.startswith(begins) if begins else b"\x00" not in content
    if not right:
        raise AttachmentRefused(Refusal.TYPE, safe)
    return safe


def attach(
    session: Session, tender_id: int, name: str, content: bytes, *, by: str, at: datetime
) -> Attachment:
    """Keep a document of a tender; one of the same name is replaced by it.

    Raises AttachmentRefused.
    """
    safe = checked(name, content)
    held = session.scalar(
        select(Attachment).where(Attachment.tender_id == tender_id, Attachment.name == safe)
    )
    if held is None:
        kept = session.scalar(select(func.count()).where(Attachment.tender_id == tender_id))
        if (kept or 0) >= MOST:
            raise AttachmentRefused(Refusal.TOO_MANY, safe)
        held = Attachment(tender_id=tender_id, name=safe, public_id=secrets.token_urlsafe(24))
        session.add(held)
    held.media_type = TYPES[safe.rpartition(".")[2].casefold()][0]
    held.sha256, held.size = hashlib.sha256(content).hexdigest(), len(content)
    held.content, held.added_at, held.added_by = content, at, by[:100]
    session.flush()
    return held


def of_tender(session: Session, tender_id: int) -> list[Attachment]:
    """A tender's documents by name, their content not loaded."""
    found = select(Attachment).where(Attachment.tender_id == tender_id).order_by(Attachment.name)
    return list(session.scalars(found))


def by_public_id(session: Session, public_id: str) -> Attachment | None:
    """The document that an address names; whoever asks must be an active member's contact."""
    return session.scalar(select(Attachment).where(Attachment.public_id == public_id))
