"""Letters in doubt beside a real Postfix, Debian's: its log decides, and each leaves once."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from alerts import dispatch
from alerts.delivery import Connection, Relay
from alerts.dispatch import hand_over
from alerts.handing import Handing
from alerts.journal import open_journal
from alerts.recovery import recover
from alerts.tables import Letter, LetterState, Told, ToldState
from base.clock import utc_now
from base.database import Database
from campaigns.postfix import PROGRAM, Postfix, postfix
from tests.coop import entitled, letter, tender, told

LATER = timedelta(minutes=11)


class Killed(BaseException):
    """What a SIGKILL looks like from inside: nothing is tidied up after it."""


@pytest.fixture
def relay() -> Iterator[Postfix]:
    """A Postfix; where there is none the test is skipped, unless skips are forbidden."""
    if not PROGRAM.exists() or os.geteuid() != 0:
        if os.environ.get("FORBID_SKIPS") == "1":
            pytest.fail(f"no {PROGRAM} that may be started, and skips are forbidden")
        pytest.skip(f"NO POSTFIX at {PROGRAM}, or not root: its log was not tried")
    with tempfile.TemporaryDirectory(prefix="postfix-") as made:
        folder = Path(made)
        folder.chmod(0o755)
        with postfix(folder) as server:
            yield server


def _handing(relay: Postfix, folder: Path) -> Handing:
    return Handing(
        relay=Relay(host="127.0.0.1", port=relay.port, tls="none", helo="essai"),
        sender="retours@exemple.quebec",
        allowed=frozenset({"*"}),
        journal=open_journal(folder / "journal"),
    )


def _prepare(database: Database) -> str:
    at = utc_now()
    with database.write() as session:
        call, revision = tender(session, closes_at=at + timedelta(days=9))
        one = letter(session, entitled(session, "anne"), at=at)
        told(session, one, revision, call.id)
        return one.message_id


def _queued(relay: Postfix, message_id: str) -> int:
    """How often Postfix took charge of that message, by its log."""
    lines = relay.log.read_text(encoding="utf-8").splitlines()
    ids = {line.split()[5] for line in lines if f"message-id={message_id}" in line}
    return sum("(queue active)" in line and line.split()[5] in ids for line in lines)


def _until(true: Callable[[], bool]) -> bool:
    until = time.monotonic() + 10
    while time.monotonic() < until and not true():
        time.sleep(0.05)
    return true()


def _state(database: Database) -> tuple[str, str]:
    with database.read() as session:
        rows = select(Letter.state, Told.state).join(Told, Told.letter_id == Letter.id)
        return tuple(session.execute(rows).one())  # type: ignore[return-value]


async def _killed_at_the_dot(
    database: Database, handing: Handing, patch: pytest.MonkeyPatch, *, dot: bool
) -> None:
    """IN_DOUBT is committed; then the process dies before the dot, or right after it."""

    async def finish(self: Connection, then: object = None) -> None:
        if dot:
            self._wire.write(b".\r\n")
            await self._wire.drain()
        self.close()
        raise Killed

    with patch.context() as only_now:
        only_now.setattr(dispatch.Connection, "finish", finish)
        with pytest.raises(Killed):
            await hand_over(database, handing, now=utc_now)


async def test_a_letter_that_postfix_queued_is_accepted_and_not_sent_again(
    database: Database, tmp_path: Path, relay: Postfix, monkeypatch: pytest.MonkeyPatch
) -> None:
    message_id, handing = _prepare(database), _handing(relay, tmp_path)
    await _killed_at_the_dot(database, handing, monkeypatch, dot=True)
    assert _state(database) == (LetterState.IN_DOUBT, ToldState.RESERVED)
    assert _until(lambda: _queued(relay, message_id) == 1)

    recover(database, handing.journal, at=utc_now() + LATER, log=relay.log)
    again = await hand_over(database, handing, now=lambda: utc_now() + LATER)

    assert _state(database) == (LetterState.ACCEPTED, ToldState.CONFIRMED)
    assert (again.accepted, _queued(relay, message_id)) == (0, 1)


async def test_a_letter_whose_dot_never_came_is_sent_once(
    database: Database, tmp_path: Path, relay: Postfix, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Postfix has seen its headers and may have logged its Message-ID: that is no acceptance."""
    message_id, handing = _prepare(database), _handing(relay, tmp_path)
    await _killed_at_the_dot(database, handing, monkeypatch, dot=False)
    assert _until(lambda: "lost connection after DATA" in relay.log.read_text(encoding="utf-8"))

    recover(database, handing.journal, at=utc_now() + LATER, log=relay.log)
    assert _state(database) == (LetterState.WRITTEN, ToldState.RESERVED)
    again = await hand_over(database, handing, now=lambda: utc_now() + LATER)

    assert _state(database) == (LetterState.ACCEPTED, ToldState.CONFIRMED)
    assert again.accepted == 1
    assert _until(lambda: _queued(relay, message_id) == 1)


async def test_a_log_begun_after_the_doubt_decides_nothing(
    database: Database, tmp_path: Path, relay: Postfix, monkeypatch: pytest.MonkeyPatch
) -> None:
    message_id, handing = _prepare(database), _handing(relay, tmp_path)
    await _killed_at_the_dot(database, handing, monkeypatch, dot=True)
    assert _until(lambda: _queued(relay, message_id) == 1)
    with database.write() as session:
        # As if the log had been rotated away since.
        session.execute(update(Letter).values(in_doubt_at=utc_now() - timedelta(days=9)))
        session.execute(update(Letter).values(message_id="<autre@exemple.quebec>"))

    recover(database, handing.journal, at=utc_now() + LATER, log=relay.log)
    assert _state(database) == (LetterState.UNKNOWN, ToldState.UNCERTAIN)
