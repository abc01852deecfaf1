"""Connections to one relay, each used for many letters and renewed before it tires.

How many are open at once is the dispatcher's business: it never takes more than it has hands.
"""

from __future__ import annotations

from alerts.delivery import Connection, Envelope, Outcome, Phase, Receipt, Relay


class Connections:
    """Those of one dispatcher; not shared between event loops."""

    def __init__(self, relay: Relay, letters_a_connection: int) -> None:
        self._relay = relay
        self._most = letters_a_connection
        self._idle: list[Connection] = []
        #: Put back with the envelope of the next letter sent already.
        self._announced: list[Connection] = []
        #: Letters that each open connection has carried.
        self._carried: dict[Connection, int] = {}
        #: Taken and not put back, and those that are being opened.
        self.in_use = 0

    async def take(self, envelope: Envelope | None = None) -> Connection:
        """The connection where that envelope is announced; else an idle one, or a new one.

        Raises:
            RelayUnreachable: try again later.
            RelayMisconfigured: a person must look.
        """
        self.in_use += 1
        for connection in self._announced:
            if connection.announced == envelope:
                self._announced.remove(connection)
                return connection
        while self._idle:
            connection = self._idle.pop()
            if connection.is_usable:
                return connection
        try:
            connection = await self._relay.connect()
        except BaseException:
            self.in_use -= 1
            raise
        self._carried[connection] = 0
        return connection

    async def put(self, connection: Connection) -> None:
        """Back after one letter; closed when it is broken or has carried enough."""
        self.in_use -= 1
        carried = self._carried.pop(connection) + 1
        if connection.announced is not None:
            self._carried[connection] = carried
            self._announced.append(connection)
        elif connection.is_usable and carried < self._most:
            self._carried[connection] = carried
            self._idle.append(connection)
        else:
            await connection.quit()

    def has_room(self, connection: Connection) -> bool:
        """Whether it will be kept when it has carried the letter that it carries."""
        return self._carried[connection] + 1 < self._most

    def was_stale(self, connection: Connection, receipt: Receipt | None) -> bool:
        """Whether the relay had enough of that connection, which says nothing of the letter.

        It had carried letters before, and at MAIL it was closed, with a 421 or without a word.
        """
        return (
            receipt is not None
            and receipt.outcome is Outcome.DEFERRED
            and receipt.phase is Phase.MAIL
            and not connection.is_usable
            and self._carried[connection] > 0
        )

    async def quit(self) -> None:
        """Say goodbye on those that are idle; what is announced there was not begun."""
        self._idle += self._announced
        self._announced.clear()
        while self._idle:
            await self._idle.pop().quit()
