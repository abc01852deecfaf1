"""Logging, set up once by entry points: a JSON object a line; ids, never addresses or names.

No message of ours has an address, a token or a key in it. What slips in all the same, with the
words of a library or in a traceback, is taken out here; a name cannot be known by its form.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

#: What a LogRecord has by itself; the rest was given as `extra`.
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
#: An address, or the user, password and server of an URL.
_ADDRESS = re.compile(r"[^\s<>\"'()]+(?:@|%40)[^\s<>\"'()]+")
#: A link's token (subscriptions.links), or a key as token_urlsafe makes them.
_SIGNED = re.compile(
    r"(?<![\w-])[\w-]{16}\.[\w-]{22}(?![\w-])|(?=[\w-]*\d)(?=[\w-]*[A-Z])[\w-]{32,}"
)
#: What stands in the place of what was taken out.
HIDDEN = "…"
#: The scheduler announces every tick at INFO, workers each job, clients and servers each request.
_QUIET = ("apscheduler", "procrastinate", "httpx", "httpx2", "alembic", "uvicorn.error")


class Lines(logging.Formatter):
    """A record as one line of JSON, without what must not be in a log."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__()
        self._secrets = tuple(secret for secret in secrets if secret)

    def format(self, record: logging.LogRecord) -> str:
        told: dict[str, Any] = {k: v for k, v in vars(record).items() if k not in _OWN}
        at = datetime.fromtimestamp(record.created, UTC)
        told |= {
            "at": at.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        if record.exc_info:
            told["trace"] = self.formatException(record.exc_info)
        return json.dumps(self._bare(told), ensure_ascii=False)

    def _bare(self, value: object) -> object:
        match value:
            case None | bool() | int() | float():
                return value
            case dict():
                return {str(k): self._bare(v) for k, v in value.items()}
            case list() | tuple() | set() | frozenset():
                return [self._bare(one) for one in value]
        text = str(value)
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        return bare(text)


def bare(text: str) -> str:
    """Another's words without the addresses, tokens and keys in them."""
    return _SIGNED.sub(HIDDEN, _ADDRESS.sub(HIDDEN, text))


def set_up(level: int = logging.INFO, *, secrets: Iterable[str] = ()) -> None:
    """Log to standard error; a second call replaces the first.

    `secrets` are values of the settings that are taken out wherever they appear.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines(secrets))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
