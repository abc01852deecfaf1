"""What speaks for a sector in a notice: where it was seen, and what was seen (values)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Where(StrEnum):
    """Where in a notice."""

    TITLE = "title"
    LABEL = "label"
    DESCRIPTION = "description"
    CODE = "code"
    #: Words that the contact itself asked for, in the title or the description.
    OWN_WORD = "own word"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing seen; `text` is as published (hostile until escaped) or a bare code."""

    where: Where
    text: str
