"""Listens to our own loggers during every test: no record may carry what is somebody's.

What is looked at is the record itself, before base.logs takes anything out.
"""

from __future__ import annotations

import logging
import re

#: Ours; a library's loggers speak of addresses where they are asked to.
PACKAGES = ("alerts", "base", "pages", "scripts", "sources", "subscriptions")
#: An address, a link's token, a key of the tests, a fictional person or enterprise.
SOMEBODY_S = re.compile(
    r"[\w.+'’-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+"
    r"|(?<![\w-])[\w-]{16}\.[\w-]{22}(?![\w-])"
    r"|une-cle-d-essai|k{32}"
    r"|(?:Personne|Coop|Coopérative|Entreprise) fictive"
)
_FORMATTER = logging.Formatter()
_OWN = frozenset(vars(logging.makeLogRecord({})))


class Canaries(logging.Handler):
    """Remembers the records that carry something; `found` is emptied by who reads it."""

    def __init__(self) -> None:
        super().__init__()
        self.looked_at = 0
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.looked_at += 1
        fields = {k: v for k, v in vars(record).items() if k not in _OWN}
        text = f"{record.getMessage()} {fields}"
        if record.exc_info:
            text += _FORMATTER.formatException(record.exc_info)
        if carried := SOMEBODY_S.search(text):
            around = text[max(0, carried.start() - 60) : carried.end() + 20]
            self.found.append(f"{record.name}: …{around}")

    def listen(self) -> None:
        """From now on, to everything that our packages log, at every level."""
        for package in PACKAGES:
            logger = logging.getLogger(package)
            logger.addHandler(self)
            logger.setLevel(logging.DEBUG)
