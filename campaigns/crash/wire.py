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

    def hear(self, said: bytes) -> bool:
        """True when a final dot is in `said`."""
        if not self.in_data:
            if match := _RECIPIENT.search(said):
                self.recipient = match[1].decode("ascii")
            commands, is_data, said = said.partition(b"DATA\r\n")
            if not is_data or not commands.endswith((b"\r\n", b"")):
                return False
            self.in_data, self.began, self.tail = True, time.time(), b"\r\n"
        heard = self.tail + said
        self.tail = heard[-4:]
        if _END in heard:
            self.in_data, self.awaited = False, True
            return True
        return False


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
                if dialogue.hear(said):
                    self._note(dialogue)
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

    def _note(self, dialogue: _Dialogue) -> None:
        line = json.dumps({"to": dialogue.recipient, "began": dialogue.began})
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
