"""What the log of a local Postfix proves about a letter in doubt.

`cleanup … message-id=` is written before the final dot is answered and proves nothing alone;
`qmgr … (queue active)` for the same queue id proves that the letter was accepted. Without it,
once Postfix has surely given the connection up, the letter was not accepted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

_CLEANUP = re.compile(r"/cleanup\[\d+\]: ([0-9A-Za-z]+): message-id=(<[^>]*>)")
_ACTIVE = re.compile(r"/qmgr\[\d+\]: ([0-9A-Za-z]+): from=<[^>]*>,.*\(queue active\)")
#: How much of the log's end is read.
TAIL = 64_000_000


def accepted(log: Path, message_ids: Iterable[str]) -> set[str]:
    """Those of the Message-IDs (with their angle brackets) that Postfix has queued.

    Raises OSError when the log cannot be read: then nothing is known.
    """
    wanted = set(message_ids)
    queue_ids: dict[str, str] = {}
    found: set[str] = set()
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - TAIL))
        for raw in file:
            line = raw.decode("utf-8", "replace")
            if (match := _CLEANUP.search(line)) and match[2] in wanted:
                queue_ids[match[1]] = match[2]
            elif (match := _ACTIVE.search(line)) and match[1] in queue_ids:
                found.add(queue_ids[match[1]])
    return found
