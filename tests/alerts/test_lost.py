"""An address is given up after what its letters prove, and staff know whom to call."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import update

from alerts import returns
from alerts.callsheet import to_call
from alerts.delivery import Relay
from alerts.dispatch import hand_over
from alerts.handing import Handing
from alerts.journal import open_journal
from alerts.recovery import hold_if_restored
from alerts.replies import Outcome, Phase
from alerts.returns import Reception
from alerts.tables import Attempt, LetterState
from base.database import Database
from subscriptions import suppressions
from subscriptions.tables import Member, Membership
from tests.coop import AT, entitled, letter
from tests.mailserver import mail_server
from tests.returned import (
    ANNE,
    DAY,
    about,
    accepted,
    concerned,
    receive,
    reception_in,
    suppressed,
)


@pytest.fixture
def reception(tmp_path: Path) -> Reception:
    return reception_in(tmp_path / "retours")


def test_a_second_dead_letter_within_a_month_suppresses_and_calls_staff(
    database: Database, reception: Reception
) -> None:
    with database.write() as session:
        first, second = accepted(session), accepted(session, label="2026-W40", at=AT + 7 * DAY)
    receive(database, reception, about("ecrits/gmail", first))
    assert suppressed(database) == []
    receive(database, reception, about("ecrits/exchange_francais", second), AT + 7 * DAY)
    assert suppressed(database) == [(ANNE, "bounce 5.1.10")]
    assert concerned(database) == ["address_lost"]


def test_two_dead_letters_more_than_a_month_apart_are_two_accidents(
    database: Database, reception: Reception
) -> None:
    with database.write() as session:
        first, second = accepted(session), accepted(session, label="2026-W44", at=AT + 31 * DAY)
    receive(database, reception, about("ecrits/gmail", first))
    receive(database, reception, about("ecrits/gmail", second, b"x"), AT + 31 * DAY)
    assert suppressed(database) == []


def _soft(database: Database, reception: Reception, days: list[float], name: str) -> list[int]:
    """A letter each of those days, each come back that day; the days that found it suppressed."""
    found = []
    for number, day in enumerate(days):
        at = AT + day * DAY
        with database.write() as session:
            one = accepted(session, label=f"L{day}", at=at)
        receive(database, reception, about(name, one), at)
        if suppressed(database):
            found.append(number)
    return found


@pytest.mark.parametrize("name", ["postfix/pleine", "ecrits/expire", "ecrits/qmail"])
@pytest.mark.parametrize(
    ("days", "found"),
    [
        pytest.param([0, 7, 14, 21], [], id="four weeks"),
        pytest.param([0, 7, 14, 21, 28], [4], id="five weeks"),
        pytest.param([0, 1, 2, 3, 4], [], id="five days"),
        pytest.param([0, 1, 2, 3, 4, 9.9], [], id="just short of ten days"),
        pytest.param([0, 1, 2, 3, 4, 10], [5], id="ten days"),
        pytest.param([0, 20, 40, 61, 62], [], id="the first has expired"),
    ],
)
def test_a_soft_bounce_is_scored_and_expires(
    database: Database, reception: Reception, days: list[float], found: list[int], name: str
) -> None:
    assert _soft(database, reception, days, name) == found


def test_a_letter_that_arrived_clears_the_score(database: Database, reception: Reception) -> None:
    """A full box that was emptied: what came back before it no longer counts."""
    _soft(database, reception, [0, 1, 2, 3], "postfix/pleine")
    with database.write() as session:
        accepted(session, label="arrived", at=AT + 5 * DAY)
    assert _soft(database, reception, [12, 13], "postfix/pleine") == []


def test_lifting_a_suppression_forgets_what_led_to_it(
    database: Database, reception: Reception
) -> None:
    with database.write() as session:
        first, second = accepted(session), accepted(session, label="2026-W40")
    for one in (first, second):
        receive(database, reception, about("ecrits/gmail", one))
    with database.write() as session:
        suppressions.lift(session, ANNE, at=AT + DAY)
        third = accepted(session, label="2026-W41", at=AT + 2 * DAY)
    receive(database, reception, about("ecrits/gmail", third), AT + 2 * DAY)
    assert suppressed(database) == []


def test_the_call_sheet_names_whom_to_call_and_what_was_missed(
    database: Database, reception: Reception
) -> None:
    with database.write() as session:
        first, second = accepted(session), accepted(session, label="2026-W40")
        session.execute(update(Member).values(telephone="450 555-0100"))
        accepted(session, "luc")
    for one in (first, second):
        receive(database, reception, about("ecrits/gmail", one))
    with database.read() as session:
        (call,) = to_call(session, at=AT + DAY)
        late = to_call(session, at=AT + 91 * DAY)
    assert (call.member, call.telephone) == ("Coop fictive anne", "450 555-0100")
    assert (call.address, call.reason) == (ANNE, "bounce 5.1.1")
    assert [one.title for one in call.missed] == ["Déneigement des stationnements"] * 2
    assert [one.missed for one in late] == [()]


def _refused(database: Database, days: list[float], reply: str = "550 no such user") -> None:
    """A letter each of those days, whose recipient the relay refused without a code."""
    with database.write() as session:
        for number, day in enumerate(days):
            one = accepted(session, label=f"R{number}", at=AT + day * DAY)
            one.state = LetterState.REFUSED
            session.add(
                Attempt(
                    letter_id=one.id,
                    at=AT + day * DAY,
                    phase=Phase.RCPT,
                    outcome=Outcome.REFUSED,
                    reply=reply,
                )
            )


@pytest.mark.parametrize(
    ("days", "lost"), [([0, 7, 14, 21], []), ([0, 7, 14, 21, 28], [(ANNE, "bounce soft")])]
)
def test_an_address_refused_without_a_code_wears_out_without_any_mailbox(
    database: Database, days: list[float], lost: list[tuple[str, str]]
) -> None:
    """«550 no such user» may be a filter's mood; five weeks of it are not."""
    _refused(database, days)
    for _ in range(2):
        returns.visit(database, None, at=AT + 28 * DAY)
    assert suppressed(database) == lost


async def test_a_live_5_1_1_loses_the_address_at_once_and_calls_staff(
    database: Database, tmp_path: Path
) -> None:
    """It is the host's own answer while we speak to it: no second one is needed (E-20)."""
    with database.write() as session:
        letter(session, entitled(session, "anne"))
    async with mail_server() as mailbox:
        mailbox.replies[ANNE] = "550 5.1.1 no such user"
        handing = Handing(
            relay=Relay(host="127.0.0.1", port=mailbox.port, tls="none", helo="test"),
            sender="retours@exemple.quebec",
            allowed=frozenset({"*"}),
            journal=open_journal(tmp_path / "journal"),
        )
        hold_if_restored(database, handing.journal, at=AT)
        await hand_over(database, handing, now=lambda: AT)
    assert suppressed(database) == [(ANNE, "bounce 5.1.1")]
    assert concerned(database) == ["address_lost"]
    with database.read() as session:
        assert [call.contact for call in to_call(session, at=AT)] == ["Personne fictive anne"]


def test_a_lapsed_member_is_not_called(database: Database, reception: Reception) -> None:
    with database.write() as session:
        letters = [accepted(session), accepted(session, label="2026-W40")]
        session.execute(update(Membership).values(ends_at=AT + DAY))
    for one in letters:
        receive(database, reception, about("ecrits/gmail", one))
    with database.read() as session:
        assert len(to_call(session, at=AT)) == 1
        assert to_call(session, at=AT + DAY) == []
