"""The wire between the product and a real Postfix: it notes each dot, and loses some replies.

A process of its own: `python -m campaigns.crash.wire FILE SEED LOST PORT`. It writes its port on
standard output, and in FILE for each final dot the recipient and when DATA began.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_RECIPIENT = re.compile(rb"RCPT TO:<([^>]*)>", re.IGNORECASE)
_END = b"\r\n.\r\n"


@dataclass(slots=True)
class _Dialogue:
    """What was understood of one connection."""

    recipient: str = ""
    began: float = 0.0
    in_data: bool = False
    tail: bytes = b""
    #: The dot went by and its reply did not yet.
    awaited: bool = False

    def hear(self, said: bytes) -> Iterator[tuple[str, float]]:
        """Recipient, and when DATA began, of each final dot that is in `said`.

        Behind a dot the next letter's commands may follow at once (RFC 2920).
        """
        while said:
            if not self.in_data:
                if match := _RECIPIENT.search(said):
                    self.recipient = match[1].decode("ascii")
                commands, is_data, said = said.partition(b"DATA\r\n")
                if not is_data or not commands.endswith((b"\r\n", b"")):
                    return
                self.in_data, self.began, self.tail = True, time.time(), b"\r\n"
            heard = self.tail + said
            self.tail = heard[-4:]
            _, is_end, said = heard.partition(_END)
            if is_end:
                self.in_data, self.awaited = False, True
                yield self.recipient, self.began


@dataclass(frozen=True, slots=True)
class _Wire:
    file: Path
    dice: random.Random
    lost: float
    port: int

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, from its beginning to its end on either side."""
        there, back = await asyncio.open_connection("127.0.0.1", self.port)
        dialogue = _Dialogue()
        ways = (self._there(dialogue, reader, back), self._back(dialogue, there, writer))
        await asyncio.gather(*ways, return_exceptions=True)
        for end in (writer, back):
            end.close()

    async def _there(
        self, dialogue: _Dialogue, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            while said := await reader.read(65536):
                for recipient, began in dialogue.hear(said):
                    self._note(recipient, began)
                writer.write(said)
                await writer.drain()
        finally:
            writer.close()

    async def _back(
        self, dialogue: _Dialogue, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            while reply := await reader.read(65536):
                if dialogue.awaited and self.dice.random() < self.lost:
                    break
                dialogue.awaited = False
                writer.write(reply)
                await writer.drain()
        finally:
            writer.close()

    def _note(self, recipient: str, began: float) -> None:
        line = json.dumps({"to": recipient, "began": began})
        with self.file.open("a", encoding="ascii") as file:
            file.write(f"{line}\n")


def dots(file: Path) -> list[tuple[str, float]]:
    """(address, when DATA began) of each dot that went over the wire."""
    lines = file.read_text(encoding="ascii").splitlines() if file.exists() else []
    return [(one["to"], one["began"]) for one in map(json.loads, lines)]


async def _serve(wire: _Wire) -> None:
    server = await asyncio.start_server(wire.carry, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


def main() -> None:
    """Serve until killed."""
    file, seed, lost, port = sys.argv[1:]
    dice = random.Random(int(seed))
    asyncio.run(_serve(_Wire(Path(file), dice, float(lost), int(port))))


if __name__ == "__main__":
    main()
