"""`alertes installer`: from nothing to a letter in the staff's mailbox, again, and not half way."""

from __future__ import annotations

import email
import email.policy
import fcntl
import json
import os
import pty
import select
import stat
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import select as rows

from alerts.staff_tables import StaffLetter
from alerts.tables import Letter
from base.audit import Audit
from base.database import ready
from base.settings import FILE, written
from scripts.install_questions import QUESTIONS
from tests.background import in_background
from tests.conftest import Said
from tests.mailserver import Mailbox, Script, mail_server, scripted_server

Alertes = Callable[..., Said]
ROSTER = Path(__file__).parents[2] / "samples" / "roster" / "membres_fictifs.csv"
ANSWERS = {
    "TENANT_NAME": "Coop d’essai fictive",
    "POSTAL_ADDRESS": "1, rue Fictive, Saint-Jérôme (Québec) J7Z 1A1",
    "CONTACT_EMAIL": "bonjour@exemple.quebec",
    "PRIVACY_OFFICER": "Direction générale fictive, 450 555-0100",
    "PUBLIC_URL": "http://127.0.0.1:8099/",
    "STAFF_EMAIL": "equipe@exemple.quebec",
    "SMTP_HOST": "127.0.0.1",
}


def _given(**more: str) -> list[str]:
    return [
        word
        for name, value in {**ANSWERS, **more}.items()
        for word in ("--reponse", f"{name}={value}")
    ]


def _install(alertes: Alertes, *words: str, **more: str) -> Said:
    return alertes("installer", "--sans-question", *_given(**more), *words)


def _members(alertes: Alertes) -> int:
    return len(json.loads(alertes("membres", "lister", "--json").out)["members"])


def test_one_command_leads_from_nothing_to_a_letter_to_staff(alertes: Alertes) -> None:
    with in_background(mail_server()) as mailbox:
        said = _install(
            alertes, "--membres", str(ROSTER), "--appliquer", SMTP_PORT=str(mailbox.port)
        )
    assert (said.code, said.err) == (0, "")
    assert stat.S_IMODE(FILE.stat().st_mode) == 0o600
    known = written()
    assert known["PUBLIC_URL"] == "http://127.0.0.1:8099/"
    assert known["MAIL_ALLOWED"] == "equipe@exemple.quebec"
    assert known["BOUNCE_EMAIL"] == "retours@exemple.quebec"
    assert len(known["LINK_KEYS"]) >= 32
    assert _members(alertes) == 15
    _is_trial(mailbox)


def _is_trial(mailbox: Mailbox) -> None:
    ((sender, recipient, content),) = mailbox.received
    assert (sender, recipient) == ("retours@exemple.quebec", "equipe@exemple.quebec")
    message = email.message_from_bytes(content, policy=email.policy.default)
    body = message.get_body(("plain",))
    assert body is not None
    assert "Coop d’essai fictive" in body.get_content()
    assert "alertes verifier" in body.get_content()
    store = ready("sqlite:///var/alertes.sqlite3")
    with store.read() as session:
        assert [one.state for one in session.scalars(rows(StaffLetter))] == ["accepted"]
        # The one statement lets letters to members leave; nothing was written for it.
        assert session.scalars(rows(Letter)).all() == []
    store.dispose()


def test_a_second_run_keeps_keys_and_what_staff_opened_and_asks_for_nothing(
    alertes: Alertes,
) -> None:
    _install(alertes, "--sans-lettre")
    FILE.write_text(
        FILE.read_text("utf-8").replace(
            "MAIL_ALLOWED=equipe@exemple.quebec", "# ouvert le 2 mars\nMAIL_ALLOWED=*"
        ),
        "utf-8",
    )
    before = FILE.read_bytes()
    said = alertes("installer", "--sans-question", "--sans-lettre")
    assert said.code == 0
    assert "à tous les contacts qui y ont droit" in said.out
    assert FILE.read_bytes() == before


def test_what_was_in_the_file_stays(alertes: Alertes) -> None:
    FILE.write_text(f"# à nous\nLINK_KEYS={'k' * 32}\nAUTRE=1\nSMTP_CONNECTIONS=2\n", "utf-8")
    _install(alertes, "--sans-lettre")
    text = FILE.read_text("utf-8")
    assert text.startswith(f"# à nous\nLINK_KEYS={'k' * 32}\nAUTRE=1\nSMTP_CONNECTIONS=2\n")
    assert text.count("LINK_KEYS") == 1


def test_a_key_that_is_too_short_is_replaced_and_stays_as_a_comment(alertes: Alertes) -> None:
    FILE.write_text("LINK_KEYS=courte\n", "utf-8")
    assert _install(alertes, "--sans-lettre").code == 0
    assert FILE.read_text("utf-8").startswith("# LINK_KEYS=courte\nLINK_KEYS=")


def test_all_wrong_answers_are_said_and_nothing_is_changed(alertes: Alertes) -> None:
    wrong = {
        "POSTAL_ADDRESS": "au village",
        "PUBLIC_URL": "alertes.exemple.quebec",
        "SMTP_TLS": "oui",
        "SMTP_HOST": "relais.exemple.quebec",
        "STAFF_EMAIL": "",
        "CONTACT_EMAIL": "https://exemple.quebec/nous",
        "AUTHOR_EMAIL": "nous",
        "SMTP_CONNECTIONS": "mille",
    }
    said = _install(alertes, **wrong)
    assert said.code == 1
    for name in wrong:
        assert (f"{name}\u00a0:" in said.err) == (name not in {"SMTP_HOST", "CONTACT_EMAIL"}), name
    assert "Rien n’a été changé." in said.err
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--reponse", "SMTP_HOST"], "n’est pas de la forme NOM=VALEUR"),
        (["--reponse", "SMTP_HOTE=x"], "SMTP_HOTE n’est pas un réglage"),
        (["--reponses", "latin1.env"], "UTF-8"),
    ],
)
def test_answers_of_the_wrong_form_are_wrong_usage(
    alertes: Alertes, words: list[str], told: str
) -> None:
    Path("latin1.env").write_bytes("TENANT_NAME=Coopérative".encode("cp1252"))
    said = alertes("installer", "--sans-question", *words)
    assert (said.code, said.out) == (2, "")
    assert told in said.err
    assert not FILE.exists()


def test_answers_come_from_a_file_too_and_options_win(alertes: Alertes) -> None:
    lines = [f"{name}='{value}'" for name, value in ANSWERS.items()]
    Path("reponses.txt").write_text("\n".join(lines), "utf-8")
    words = ("--sans-question", "--sans-lettre", "--reponses", "reponses.txt")
    said = alertes("installer", *words, "--reponse", "TENANT_NAME=Autre coop")
    assert said.code == 0
    assert (written()["TENANT_NAME"], written()["SMTP_TLS"]) == ("Autre coop", "none")
    assert alertes("installer", "--reponses", "absent.txt").code == 1


def test_a_roster_is_compared_and_not_imported_unless_it_is_said(alertes: Alertes) -> None:
    said = _install(alertes, "--sans-lettre", "--membres", str(ROSTER))
    assert "15\u00a0entreprises" in said.out
    assert _members(alertes) == 0


def test_a_letter_that_cannot_leave_says_why_and_the_rest_is_done(alertes: Alertes) -> None:
    said = _install(alertes, SMTP_PORT="1")
    assert said.code == 1
    assert "Personne ne répond à 127.0.0.1, port 1." in said.err
    assert "Tout le reste est installé" in said.err
    assert alertes("membres", "lister").code == 0
    refusing = Script({"rcpt": "550 5.1.1 no such user"})
    with in_background(scripted_server(refusing)) as script:
        said = _install(alertes, SMTP_PORT=str(script.port))
    assert (said.code, "550 5.1.1" in said.err) == (1, True)


def test_the_audit_names_what_was_set_and_never_to_what(alertes: Alertes) -> None:
    _install(alertes, "--sans-lettre", SMTP_USER="u", SMTP_PASSWORD="canari-secret")
    store = ready("sqlite:///var/alertes.sqlite3")
    with store.read() as session:
        audited = session.scalars(rows(Audit).order_by(Audit.id)).all()
    store.dispose()
    assert [one.action for one in audited] == ["cles creer", "installer"]
    said = f"{[(one.subject, one.after) for one in audited]}"
    assert "SMTP_PASSWORD" in said
    assert "canari" not in said
    assert written()["LINK_KEYS"][:8] not in said


def test_what_the_environment_sets_is_said_to_win(
    alertes: Alertes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIST_DOMAIN", "vieux.exemple.quebec")
    said = _install(alertes, "--sans-lettre", LIST_DOMAIN="neuf.exemple.quebec")
    assert "LIST_DOMAIN" in said.err


def test_each_question_is_explained_in_a_line() -> None:
    assert {one.name: len(one.why) for one in QUESTIONS if len(one.why) > 76} == {}


class Terminal:
    """A command at a real terminal of 80 columns, and what it shows."""

    def __init__(self, descriptor: int, process: subprocess.Popen[bytes]) -> None:
        self.descriptor = descriptor
        self.process = process
        self.shown = ""
        #: How much of it was waited for.
        self.seen = 0

    def until(self, words: str) -> None:
        """Read until those words are shown, from where the last reading ended."""
        assert self.shows(words, within=60), f"no {words!r} after {self.shown[-500:]!r}"

    def shows(self, words: str, *, within: float) -> bool:
        """Whether those words are shown before nothing more is for so many seconds."""
        while (found := self.shown.find(words, self.seen)) < 0:
            if not self._read(within):
                return False
        self.seen = found + len(words)
        return True

    def _read(self, within: float) -> bool:
        """Read what is shown; False where nothing is in time, or nothing more will be."""
        if not select.select([self.descriptor], [], [], within)[0]:
            return False
        try:
            chunk = os.read(self.descriptor, 4096)
        except OSError:
            return False  # Linux says so at the end of a terminal
        self.shown += chunk.decode("utf-8", "replace")
        return bool(chunk)

    def interrupt(self) -> None:
        """Ctrl-C, again where it fell between the prompt and the reading of its answer."""
        for _ in range(5):
            os.write(self.descriptor, b"\x03")
            if self.shows("Abandonné", within=10):
                return

    def type(self, line: str) -> None:
        os.write(self.descriptor, f"{line}\n".encode())

    def end(self) -> int:
        """Its exit code, everything shown until then read."""
        while self._read(60):
            pass
        return self.process.wait(60)


def _take_terminal() -> None:
    """In the child: the terminal is its own, so that Ctrl-C reaches it."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@contextmanager
def _terminal(*words: str) -> Iterator[Terminal]:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(  # noqa: S603, our own command
        [sys.executable, "-m", "scripts", "installer", *words],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={
            **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            "COLUMNS": "80",
            "TERM": "dumb",
            "PYTHONPATH": str(ROSTER.parents[2]),
        },
        start_new_session=True,
        preexec_fn=_take_terminal,  # noqa: PLW1509, it takes no lock
    )
    os.close(theirs)
    terminal = Terminal(ours, process)
    try:
        yield terminal
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        os.close(ours)


def test_at_the_keyboard_a_wrong_answer_is_said_and_asked_again(alertes: Alertes) -> None:
    with in_background(mail_server()) as mailbox, _terminal() as terminal:
        typed = {
            **ANSWERS,
            "SMTP_PORT": str(mailbox.port),
            "POSTAL_ADDRESS": f"au village\n{ANSWERS['POSTAL_ADDRESS']}",
            "STAFF_EMAIL": f"équipe@\n{ANSWERS['STAFF_EMAIL']}",
        }
        for number, question in enumerate(QUESTIONS, start=1):
            if question.secret:
                continue  # neither a user nor an IMAP mailbox is given
            terminal.until(f"{number}/{len(QUESTIONS)} {question.label}")
            terminal.until(question.why)
            for line in typed.get(question.name, "").split("\n"):
                terminal.until("\u00a0: ")
                terminal.type(line)
        terminal.until("Continuer?")
        terminal.type("peut-être")
        terminal.until("Répondre o (oui) ou n (non).")
        terminal.type("oui")
        terminal.until("Liste des membres")
        terminal.type("/absente.csv")
        terminal.until("n’existe pas")
        terminal.type(str(ROSTER))
        terminal.until("Appliquer ces changements?")
        terminal.type("oui")
        terminal.until("Vous envoyer une lettre d’essai?")
        terminal.type("")
        assert terminal.end() == 0, terminal.shown
    assert "le code postal" in terminal.shown
    assert "Ce n’est pas une adresse de courriel." in terminal.shown
    assert _members(alertes) == 15
    _is_trial(mailbox)


def test_ctrl_c_before_the_last_answer_changes_nothing() -> None:
    with _terminal(*_given()) as terminal:
        for question in QUESTIONS[:3]:
            terminal.until(question.why)
            terminal.until("\u00a0: ")
            terminal.type("")
        terminal.until("4/")
        terminal.until("\u00a0: ")
        terminal.interrupt()
        assert terminal.end() == 1
    assert "Abandonné" in terminal.shown
    assert "Traceback" not in terminal.shown
    assert list(Path().iterdir()) == []


def test_ctrl_c_between_two_steps_leaves_each_done_or_not_begun(alertes: Alertes) -> None:
    with _terminal(*_given()) as terminal:
        for question in QUESTIONS:
            if not question.secret:
                terminal.until(question.why)
                terminal.until("\u00a0: ")
                terminal.type("")
        terminal.until("Continuer?")
        terminal.type("")
        terminal.until("Liste des membres")
        terminal.interrupt()
        assert terminal.end() == 1
    assert "Ce qui n’était pas fini n’a pas été fait." in terminal.shown
    keys = written()["LINK_KEYS"]
    assert _members(alertes) == 0
    assert alertes("installer", "--sans-question", "--sans-lettre").code == 0
    assert written()["LINK_KEYS"] == keys


def test_a_place_that_cannot_be_written_is_said_in_french(alertes: Alertes) -> None:
    FILE.mkdir()
    said = _install(alertes, "--sans-lettre")
    assert said.code == 1
    assert "ne peut pas être lu ou écrit" in " ".join(said.err.split())
    assert sorted(one.name for one in Path().iterdir()) == [".env"]


def test_no_after_the_last_answer_changes_nothing() -> None:
    with _terminal(*_given()) as terminal:
        for question in QUESTIONS:
            if not question.secret:
                terminal.until(question.why)
                terminal.until("\u00a0: ")
                terminal.type("")
        terminal.until("Continuer?")
        terminal.type("n")
        assert terminal.end() == 1
    assert "Rien n’a été changé." in terminal.shown
    assert list(Path().iterdir()) == []


def test_a_password_is_not_shown_at_the_keyboard() -> None:
    with _terminal(*_given(SMTP_USER="u")) as terminal:
        for question in QUESTIONS:
            if question.name == "BOUNCE_PASSWORD":
                continue
            terminal.until(question.why)
            terminal.until("\u00a0: ")
            terminal.type("canari-secret" if question.secret else "")
        terminal.until("Continuer?")
        terminal.interrupt()
        assert terminal.end() == 1
    assert "canari" not in terminal.shown
    assert not FILE.exists()
