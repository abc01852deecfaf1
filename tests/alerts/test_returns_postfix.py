"""From our hand-over to our reading, through a real Postfix whose next hop refuses."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import select

from alerts import returns
from alerts.answer_tables import Bounce
from alerts.delivery import Relay
from alerts.dispatch import hand_over
from alerts.handing import Handing
from alerts.journal import open_journal
from alerts.mailbox import Maildir
from alerts.recovery import hold_if_restored
from alerts.returns import Reception
from alerts.tables import Letter
from alerts.verp import Verp
from base.database import Database
from tests.bouncing_postfix import lacks, postfix
from tests.coop import AT, entitled, letter
from tests.mailserver import mail_server
from tests.returned import LINKS, VERP

REFUSALS = {
    "inconnue": ("550 5.1.1 User unknown", ("hard", "5.1.1")),
    "fermee": ("550 5.2.1 Boite fermee", ("hard", "5.2.1")),
    "pleine": ("552 5.2.2 Boite pleine", ("soft", "5.2.2")),
    "filtree": ("554 5.7.1 Refuse par la politique", ("policy", "5.7.1")),
    "bloquee": ("550 Blocked by our policy", ("policy", "5.0.0")),
    "nue": ("550 No such user", ("soft", "5.0.0")),
}


@pytest.mark.skipif(bool(lacks()), reason=lacks())
async def test_what_postfix_bounces_is_proven_and_told_apart(
    database: Database, tmp_path: Path
) -> None:
    async with mail_server() as hop:
        for name, (reply, _) in REFUSALS.items():
            hop.replies[f"{name}@exemple.quebec"] = reply
        with database.write() as session:
            for name in [*REFUSALS, "bonne"]:
                letter(session, entitled(session, name))
        # Ours is the domain of the Maildir, theirs goes to the next hop.
        ours = Verp(VERP.keys, "retours@retours.exemple.quebec")
        with postfix(hop.port, "retours.exemple.quebec") as relay:
            handing = Handing(
                relay=Relay(host="127.0.0.1", port=relay.port, tls="none", helo="test"),
                sender=ours.address,
                verp=ours,
                allowed=frozenset({"*"}),
                journal=open_journal(tmp_path / "journal"),
            )
            hold_if_restored(database, handing.journal, at=AT)
            tally = await hand_over(database, handing, now=lambda: AT)
            came = await asyncio.to_thread(relay.returned, len(REFUSALS))
            box = Reception(mailbox=Maildir(relay.maildir), verp=ours, links=LINKS)
            counted = returns.take_in(database, box, at=AT)

    assert tally.accepted == len(REFUSALS) + 1
    assert hop.recipients == ["bonne@exemple.quebec"]
    assert counted == {"hard": 2, "soft": 2, "policy": 2}
    # DSN (RFC 3461) was offered and asked: no body is quoted back to us.
    assert not any(b"Bonjour" in one for one in came)
    with database.read() as session:
        rows = session.execute(
            select(Letter.address, Bounce.proof, Bounce.kind, Bounce.status).join(
                Bounce, Bounce.letter_id == Letter.id
            )
        )
        found = {
            address.partition("@")[0]: (proof, (kind, status))
            for address, proof, kind, status in rows
        }
    assert found == {name: ("tag", said) for name, (_, said) in REFUSALS.items()}
