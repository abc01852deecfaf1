"""What the log of a local Postfix proves about a letter in doubt.

`cleanup … message-id=` is written before the final dot is answered and proves nothing alone;
`qmgr … (queue active)` for the same queue id proves that the letter was accepted. Without it,
once Postfix has surely given the connection up, the letter was not accepted: but only a log
that was written before, and after, the moment of the doubt can say so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

_CLEANUP = re.compile(r"/cleanup\[\d+\]: ([0-9A-Za-z]+): message-id=(<[^>]*>)")
_ACTIVE = re.compile(r"/qmgr\[\d+\]: ([0-9A-Za-z]+): from=<[^>]*>,.*\(queue active\)")
#: How much of the end of each file is read.
TAIL = 64_000_000


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a log tells, and of which stretch of time."""

    #: Message-IDs, with their angle brackets, that Postfix took charge of.
    queued: frozenset[str]
    #: Of its first and last line, to the second; None for an empty log.
    begins: datetime | None
    ends: datetime | None

    def covers(self, moment: datetime) -> bool:
        """Whether silence about that moment means that nothing was queued then.

        A log that was begun later (rotated), or that nobody writes any more, says nothing.
        """
        if self.begins is None or self.ends is None:
            return False
        return self.begins <= moment and moment.replace(microsecond=0) <= self.ends


def evidence(log: Path, message_ids: Iterable[str], *, at: datetime) -> Evidence:
    """Look for those Message-IDs in the log, and in the one before it (`.1`) where there is one.

    Raises OSError when the log cannot be read: then nothing is known.
    """
    wanted = set(message_ids)
    queue_ids: dict[str, str] = {}
    found: set[str] = set()
    begins = ends = None
    for line in _lines(log):
        moment = _moment(line, at)
        begins, ends = begins or moment, moment or ends
        if (match := _CLEANUP.search(line)) and match[2] in wanted:
            queue_ids[match[1]] = match[2]
        elif (match := _ACTIVE.search(line)) and match[1] in queue_ids:
            found.add(queue_ids[match[1]])
    return Evidence(frozenset(found), begins, ends)


def _lines(log: Path) -> Iterator[str]:
    earlier = log.with_name(f"{log.name}.1")
    for path in (earlier, log) if earlier.exists() else (log,):
        with path.open("rb") as file:
            start = max(0, path.stat().st_size - TAIL)
            file.seek(start)
            if start:
                file.readline()
            for raw in file:
                yield raw.decode("utf-8", "replace")


def _moment(line: str, at: datetime) -> datetime | None:
    """When the line was written: RFC 3339, or syslog's "Nov 25 15:16:32" in the machine's zone.

    The latter tells no year: the last one in which it is not to come.
    """
    try:
        if line[:4].isdigit():
            stamp = datetime.fromisoformat(line.split(" ", 1)[0])
            return stamp if stamp.tzinfo else None
        for year in (at.year + 1, at.year, at.year - 1):
            stamp = datetime.strptime(f"{year} {line[:15]}", "%Y %b %d %H:%M:%S").astimezone()
            if stamp <= at + timedelta(days=1):
                return stamp
    except ValueError:
        pass
    return None
