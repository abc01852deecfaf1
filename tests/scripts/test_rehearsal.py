"""The next letters before they are: the same bytes, and a database in which nothing moved."""

from __future__ import annotations

import email
import email.policy
import json
import time
import webbrowser
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from alerts import assembly, editions, holds, rehearsal
from alerts.staff_tables import StaffLetter
from alerts.tables import Edition, Letter
from base import settings
from base.database import Base, Database
from subscriptions.tables import Contact, Membership
from tests.browser import chromium, needs_chromium, violations
from tests.conftest import Said
from tests.coop import AT, entitled, tender
from tests.mailthread import mail_thread

Run = Callable[..., Said]
FOLDER = Path("var/apercu")
#: The Friday before, and the Tuesday before it.
FRIDAY, TUESDAY = "2026-09-18", "2026-09-15"
SETTINGS = {
    "TENANT_NAME": "Coop fictive",
    "POSTAL_ADDRESS": "1, rue Fictive",
    "CONTACT_EMAIL": "bonjour@exemple.quebec",
    "PRIVACY_OFFICER": "Responsable fictive",
    "PUBLIC_URL": "https://alertes.exemple.quebec",
    "LINK_KEYS": "une-cle-d-essai-assez-longue-pour-signer",
    "SMTP_HOST": "127.0.0.1",
    "SMTP_TLS": "none",
    "AUTHOR_EMAIL": "alertes@exemple.quebec",
    "BOUNCE_EMAIL": "retours@exemple.quebec",
    "LIST_DOMAIN": "exemple.quebec",
    "COLUMNS": "80",
}


@pytest.fixture
def run(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch, alertes: Run
) -> Run:
    for name, value in {**SETTINGS, "DATABASE_URL": database_url}.items():
        monkeypatch.setenv(name, value)
    with database.write() as session:
        for name in ("anne", "luc"):
            entitled(session, name)
        entitled(session, "paul", sectors=["menuiserie"])
        entitled(session, "zoe", frequency="daily")
        for number, days in (("20169865", 14), ("20169866", 30)):
            tender(session, number, closes_at=AT + timedelta(days=days))
    return alertes


def _rows(database: Database) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table."""
    with database.read() as session:
        return {
            table.name: sorted(map(tuple, session.execute(select(table))), key=repr)
            for table in Base.metadata.sorted_tables
        }


def _apercu(run: Run, *words: str) -> list[dict[str, object]]:
    told = run("apercu", *words, "--au", FRIDAY, "--sans-ouvrir", "--json")
    assert told.code == 0, told.err
    return json.loads(told.out)["letters"]  # type: ignore[no-any-return]


def _write(database: Database) -> None:
    """As the service will, on Monday at six."""
    desk = assembly.desk(settings.Identity.read(), settings.Relay.read(), settings.Keys.read())
    with database.write() as session:
        editions.open_due(session, AT)
    editions.write_open(database, desk, at=AT)


def _written(database: Database) -> dict[int, bytes]:
    with database.read() as session:
        rows = session.execute(select(Letter.contact_id, Letter.content).order_by(Letter.id))
        return {contact_id: content or b"" for contact_id, content in rows}


def test_nothing_of_the_database_moves(run: Run, database: Database) -> None:
    before = _rows(database)
    assert len(_apercu(run)) == 3
    assert run("repetition", "--au", FRIDAY).code == 0
    assert _rows(database) == before


def test_the_letters_are_those_that_will_be_written_to_the_byte(
    run: Run, database: Database
) -> None:
    shown = {one["contact"]: one for one in _apercu(run)}
    _write(database)
    written = _written(database)
    weekly = {key: one for key, one in shown.items() if one["stream"] == "weekly"}
    assert len(weekly) == 2
    for contact_id, one in weekly.items():
        assert (FOLDER / str(one["file"])).read_bytes() == written[int(str(contact_id))]
    (daily,) = (one for one in shown.values() if one["stream"] == "daily")
    assert (daily["edition"], daily["notices"]) == ("2026-09-19", ["20169865", "20169866"])
    assert daily["days_left"] == 16


def test_what_waits_for_the_first_go_ahead_is_shown_as_it_is_frozen(
    run: Run, database: Database
) -> None:
    _write(database)
    with database.read() as session:
        assert holds.is_held(session)
    told = run("apercu", "--au", "2026-09-21", "--sans-ouvrir")
    assert "lettres déjà écrites attendent" in told.out
    assert "Les envois sont retenus" in told.out
    files = sorted(FOLDER.glob("*.eml"))
    assert [path.read_bytes() for path in files] == list(_written(database).values())


def test_one_contact_alone_may_be_looked_at(run: Run, database: Database) -> None:
    with database.read() as session:
        luc = session.scalars(select(Contact.id).where(Contact.address.startswith("luc@"))).one()
    assert [one["contact"] for one in _apercu(run, "luc@exemple.quebec")] == [luc]
    assert run("apercu", "personne@exemple.quebec", "--sans-ouvrir").code == 1


def test_whoever_will_have_no_letter_is_counted_with_the_reason(
    run: Run, database: Database
) -> None:
    with database.write() as session:
        anne = session.scalars(select(Contact).where(Contact.address.startswith("anne@"))).one()
        # Still a member on Friday, no more on Monday.
        session.execute(
            update(Membership)
            .where(Membership.member_id == anne.member_id)
            .values(ends_at=AT - timedelta(days=1))
        )
        luc = session.scalars(select(Contact).where(Contact.address.startswith("luc@"))).one()
        luc.address = "luc@\nexemple.quebec"
    told = run("apercu", "--au", FRIDAY, "--sans-ouvrir").out.replace("\u00a0", " ")
    assert "1 contact sans lettre : l’adhésion de l’entreprise n’est pas active." in told
    assert "1 contact sans lettre : la lettre, ou l’avis, n’a pas pu être composé." in told
    assert "1 contact sans lettre : aucun nouvel avis dans ses secteurs." in told
    assert "1 lettre à venir." in told


def test_the_page_lists_the_letters_and_opens_in_the_browser(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = tmp_path / "seen"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {seen}\n')
    browser.chmod(0o700)
    monkeypatch.setenv("BROWSER", f"{browser} %s")
    # It reads the variable once a process.
    monkeypatch.setattr(webbrowser, "_tryorder", None)
    told = run("apercu", "--au", FRIDAY)
    assert told.code == 0
    until = time.monotonic() + 30
    while not (seen.exists() and seen.read_text()) and time.monotonic() < until:
        time.sleep(0.02)
    assert seen.read_text().strip() == (FOLDER / "index.html").resolve().as_uri()
    page = (FOLDER / "index.html").read_text("utf-8")
    assert "anne@exemple.quebec" in page
    assert all(path.stat().st_mode & 0o077 == 0 for path in FOLDER.iterdir())
    (FOLDER / "à garder.txt").write_text("d’une autre main")
    _apercu(run, "luc@exemple.quebec")
    assert sorted(path.suffix for path in FOLDER.glob("lettre-*")) == [".eml", ".html", ".txt"]
    assert (FOLDER / "à garder.txt").exists()


@pytest.mark.browser
def test_the_page_shows_letters_without_a_request_or_a_script(run: Run, database: Database) -> None:
    needs_chromium()
    with database.write() as session:
        hostile = (
            "Déneigement <script>document.title='ouvert'</script><img src=http://127.0.0.1:9/>"
        )
        tender(session, "20169867", closes_at=AT + timedelta(days=20), title=hostile)
    _apercu(run)
    with chromium() as browser:
        page = browser.new_page()
        requests: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        page.goto((FOLDER / "index.html").resolve().as_uri())
        page.locator("summary").first.click()
        frame = page.frame_locator("iframe").first
        assert "Déneigement" in frame.locator("body").inner_text()
        assert page.title() == "Les prochaines lettres"
        assert violations(page) == []
        assert [url for url in requests if not url.startswith("file:")] == []


def test_the_rehearsal_says_how_many_and_how_to_hold(run: Run) -> None:
    told = run("repetition", "--au", FRIDAY)
    flat = " ".join(told.out.replace("\u00a0", " ").split())
    assert "Le lundi 21 septembre 2026, à partir de 6 h, 2 contacts recevront 4 avis" in flat
    assert "Trop peu d’éditions sont passées" in flat
    assert "alertes envois retenir" in flat
    assert "Déneigement des stationnements" in flat


@pytest.mark.parametrize(
    ("letters", "notices", "said"),
    [(2, 4, "Comme d’habitude"), (30, 60, "INHABITUEL"), (2, 1, "INHABITUEL"), (1, 2, "Comme")],
)
def test_what_the_brake_would_hold_is_said_before(
    run: Run, database: Database, letters: int, notices: int, said: str
) -> None:
    with database.write() as session:
        for week in range(1, 5):
            at = AT - timedelta(weeks=week)
            session.add(
                Edition(
                    frequency="weekly", label=f"essai-{week}", starts_at=at - timedelta(days=7),
                    ends_at=at, opened_at=at, written_at=at, state="written",
                    letters=letters, notices=notices,
                )
            )  # fmt: skip
    assert said in run("repetition", "--au", FRIDAY).out


def test_staff_are_mailed_once_on_the_eve_and_only_then(
    run: Run, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAFF_EMAIL", "equipe@exemple.quebec")
    with mail_thread() as mailbox:
        monkeypatch.setenv("SMTP_PORT", str(mailbox.port))
        early = run("repetition", "--envoyer", "--au", TUESDAY)
        first, second = (run("repetition", "--envoyer", "--au", FRIDAY) for _ in range(2))
    assert "Rien à écrire aujourd’hui" in early.out
    assert "partie au personnel" in first.out, first.err
    assert "était déjà écrite" in second.out
    assert mailbox.recipients == ["equipe@exemple.quebec"]
    content = mailbox.received[0][2].decode()
    assert "alertes envois retenir" in content
    with database.read() as session:
        assert session.scalars(select(StaffLetter.key)).all() == ["rehearsal:2026-W39"]
        assert session.scalars(select(Letter)).all() == []


def test_staff_are_mailed_the_week_once(
    run: Run, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(database)
    monkeypatch.setenv("STAFF_EMAIL", "equipe@exemple.quebec")
    words = ("rapport", "semaine", "--envoyer", "--au", "2026-09-21")
    assert run("rapport", "semaine", "--au", "2026-09-21").code == 0
    with mail_thread() as mailbox:
        monkeypatch.setenv("SMTP_PORT", str(mailbox.port))
        first, second = run(*words), run(*words)
    assert "parti au personnel" in first.out, first.err
    assert "déjà écrit" in second.out
    assert mailbox.recipients == ["equipe@exemple.quebec"]
    message = email.message_from_bytes(mailbox.received[0][2], policy=email.policy.default)
    text = str(message.get_body(("plain",)).get_content()).replace("\u00a0", " ")  # type: ignore[union-attr]
    assert "3 lettres : en attente." in text
    assert "Lettres parties hors d’une adhésion : 0." in text
    assert "Les toutes premières lettres sont prêtes" in text


def test_without_an_address_of_staff_nothing_is_mailed(run: Run) -> None:
    told = run("repetition", "--envoyer", "--au", FRIDAY)
    assert (told.code, "STAFF_EMAIL est vide" in told.err) == (1, True)


def test_a_folder_that_cannot_be_written_is_said(run: Run) -> None:
    Path("var").write_text("un fichier")
    told = run("apercu", "--au", FRIDAY, "--sans-ouvrir")
    assert (told.code, "ne peut pas être écrit" in told.err) == (1, True)


def test_who_stops_at_a_letter_leaves_no_transaction_open(run: Run, database: Database) -> None:
    desk = assembly.desk(settings.Identity.read(), settings.Relay.read(), settings.Keys.read())
    _, letters = next(rehearsal.rehearse(database, desk, at=AT - timedelta(days=3)))
    assert next(letters).address
    assert database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
