"""Reserved invitations: read from a spreadsheet, entered by staff, their documents kept safely."""

from __future__ import annotations

import io
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from sqlalchemy import func, select

from base.database import Database
from sources import attachments, entering, invitations
from sources.attachments import Refusal, attach, by_public_id, of_tender, safe_name
from sources.errors import AttachmentRefused, SourceMalformed
from sources.invitations import Invitation
from sources.reading import read_path
from sources.reasons import Reason, parted
from sources.release import Category, Fault, Release, Status
from sources.tables import Attachment, Reading, Revision, Tender
from sources.tenders import open_at, reserved_at

AT = datetime(2026, 11, 25, 12, tzinfo=UTC)
CLOSES = datetime(2026, 12, 4, 16, tzinfo=UTC)
LAWN = Invitation(
    buyer="Ville fictive de Saint-Jérôme",
    title="Tonte de la pelouse des parcs",
    closes_at="2026-12-04 11:00",
    number="INV-2026-7",
    category="services",
)
PLAN = {"plan.pdf": b"%PDF-1.7 plan"}


def read(text: str) -> list[Any]:
    return list(invitations.read(text.encode()))


@pytest.mark.parametrize(
    "lines",
    [
        "Organisme;Titre;Date limite;Heure\nVille A;Tonte;2026-12-04;11 h",
        "organisme,titre,date limite\nVille A,Tonte,2026-12-04 11:00",
        "Invitations;;;\nMUNICIPALITÉ;OBJET;CLÔTURE;HEURE LIMITE\nVille A;Tonte;2026-12-04;11h00",
        "Titre\tOrganisme\tÉchéance\tHeure\nTonte\tVille A\t2026-12-04\t11:00:00",
    ],
    ids=["semicolons", "one cell", "a title above", "tabs"],
)
def test_a_spreadsheet_of_staff_is_read_whatever_its_looks(lines: str) -> None:
    (found,) = read(lines)
    assert isinstance(found, Release)
    assert (found.title, found.buyer, found.closes_at) == ("Tonte", "Ville A", CLOSES)


def test_a_workbook_with_excel_dates_is_read() -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Organisme", "Titre", "Date limite", "Heure"])
    sheet.append(["Ville A", "Tonte", datetime(2026, 12, 4), time(11)])  # noqa: DTZ001, Excel's
    sheet.append(["Ville A", "Ménage", datetime(2026, 12, 4, 11), ""])  # noqa: DTZ001, Excel's
    written = io.BytesIO()
    book.save(written)
    found = list(invitations.read(written.getvalue()))
    assert [one.closes_at for one in found if isinstance(one, Release)] == [CLOSES, CLOSES]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (";Tonte;2026-12-04;11 h", Reason.NO_BUYER),
        ("Ville A;;2026-12-04;11 h", Reason.NO_TITLE),
        ("Ville A;Tonte;;11 h", Reason.NO_DEADLINE),
        ("Ville A;Tonte;2026-12-04;", Reason.NO_DEADLINE),
        ("Ville A;Tonte;04/12/2026;11 h", Reason.NO_DEADLINE),
        ("Ville A;Tonte;2026-02-30;11 h", Reason.NO_DEADLINE),
        ("Ville A;Tonte;2026-12-04;25 h", Reason.NO_DEADLINE),
        ("Ville A;Tonte;1900-01-01;11 h", Reason.NO_DEADLINE),
        ("Ville A", Reason.NO_TITLE),
    ],
)
def test_a_line_that_cannot_be_used_hides_no_other(line: str, reason: Reason) -> None:
    text = f"Organisme;Titre;Date limite;Heure\n{line}\nVille B;Ménage;2026-12-04;9 h 30"
    fault, good = read(text)
    assert fault == Fault("invitations", 2, "", str(reason))
    assert isinstance(good, Release)


@pytest.mark.parametrize(
    "document",
    [b"", b"%PDF-1.7", b"PK\x03\x04rubbish", b"a;b\n1;2", b"<html>", b"Organisme;Titre\nA;B"],
)
def test_what_is_no_spreadsheet_of_invitations_is_refused_whole(document: bytes) -> None:
    with pytest.raises(SourceMalformed) as refused:
        list(invitations.read(document))
    assert parted(refused.value.reason)[0] is Reason.NOT_A_SPREADSHEET


def test_what_is_written_is_what_is_read() -> None:
    (found,) = invitations.read(invitations.written(LAWN))
    assert isinstance(found, Release)
    assert (found.title, found.number, found.closes_at) == (LAWN.title, LAWN.number, CLOSES)
    assert (found.category, found.status) == (Category.SERVICES, Status.ACTIVE)


def test_an_identity_tells_nothing_of_the_call() -> None:
    ocid = invitations.identity(LAWN.buyer, LAWN.number, LAWN.title)
    assert ocid == invitations.identity("VILLE FICTIVE DE SAINT-JEROME", "inv-2026-7", "")
    assert "saint" not in ocid.casefold()


def enter(database: Database, invitation: Invitation = LAWN, **documents: bytes) -> Any:
    with database.write() as session:
        files = {name.replace("_", "."): content for name, content in documents.items()}
        return entering.enter(session, invitation, files, by="anne", at=AT)


def changed(**values: Any) -> Invitation:
    return Invitation(**{**{n: getattr(LAWN, n) for n in LAWN.__slots__}, **values})


def test_an_invitation_is_reserved_and_its_documents_are_kept(database: Database) -> None:
    entered = enter(database, plan_pdf=PLAN["plan.pdf"])
    assert (entered.number, entered.what) == ("INV-2026-7", "new")
    with database.read() as session:
        ((tender, revision),) = reserved_at(session, AT)
        assert tender.visibility == "reserved"
        assert (revision.title, revision.documents) == (LAWN.title, ["plan.pdf"])
        (kept,) = of_tender(session, tender.id)
        found = by_public_id(session, kept.public_id)
        assert found is not None
        assert (found.content, found.media_type) == (PLAN["plan.pdf"], "application/pdf")
        assert by_public_id(session, str(tender.id)) is None


def test_the_same_again_changes_nothing_and_another_hour_amends(database: Database) -> None:
    enter(database, plan_pdf=PLAN["plan.pdf"])
    assert enter(database).what == ""
    assert enter(database, changed(closes_at="2026-12-10 11:00")).what == "amended"
    assert enter(database, LAWN).what == "amended"
    assert enter(database, LAWN, addenda_pdf=b"%PDF-1.7 addenda").what == "amended"
    with database.read() as session:
        ((tender, revision),) = reserved_at(session, AT)
        assert revision.documents == ["addenda.pdf", "plan.pdf"]
        assert (tender.latest, tender.closes_at) == (4, CLOSES)


def test_a_cancelled_invitation_is_open_no_more(database: Database) -> None:
    enter(database, plan_pdf=PLAN["plan.pdf"])
    with database.write() as session:
        assert entering.cancel(session, "INV-2026-7", at=AT) is not None
        assert entering.cancel(session, "INV-2026-7", at=AT) is None
        assert entering.cancel(session, "20169865", at=AT) is None
    with database.read() as session:
        assert open_at(session, AT) == []
        last = session.scalars(select(Revision).order_by(Revision.number.desc())).first()
        assert last is not None
        assert (last.status, last.title, last.documents) == ("cancelled", LAWN.title, ["plan.pdf"])


def test_a_document_that_is_refused_stores_nothing(database: Database) -> None:
    with pytest.raises(AttachmentRefused):
        enter(database, plan_exe=b"MZ")
    with database.read() as session:
        for table in (Tender, Attachment, Reading):
            assert session.scalar(select(func.count()).select_from(table)) == 0


def test_no_reading_of_invitations_names_the_file(database: Database, tmp_path: Path) -> None:
    secret = tmp_path / "invitation secrète Ville de Prévost.csv"
    secret.write_bytes(invitations.written(LAWN))
    (outcome,) = read_path(database, secret, source="invitations", at=AT)
    assert (outcome.name, outcome.counts.new) == ("invitations", 1)
    with database.read() as session:
        assert session.scalars(select(Reading.address)).all() == ["invitations"]


@pytest.mark.parametrize(
    ("written", "safe"),
    [
        ("plan.pdf", "plan.pdf"),
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\Users\\anne\\devis final.docx", "devis final.docx"),
        ("/abs/é.pdf", "é.pdf"),
        ("a\r\nb.pdf", "a b.pdf"),
        ("plan\u202efdp.pdf", "planfdp.pdf"),
        ("con.pdf", "document-con.pdf"),
        ("...pdf", "pdf"),
        ("", "document"),
        ("..", "document"),
        ('a"b<c>|d?.pdf', "a-b-c-d.pdf"),
        ("$(rm -rf).pdf", "(rm -rf).pdf"),
        ("x" * 300 + ".pdf", "x" * 116 + ".pdf"),
    ],
)
def test_a_name_becomes_one_that_harms_nobody(written: str, safe: str) -> None:
    assert safe_name(written) == safe
    assert len(safe_name(written)) <= attachments.LONGEST_NAME


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("plan.pdf", b"", Refusal.EMPTY),
        ("plan.pdf", b"<html>", Refusal.TYPE),
        ("plan.pdf", b"MZ\x90", Refusal.TYPE),
        ("page.html", b"<script>", Refusal.TYPE),
        ("image.svg", b"<svg/>", Refusal.TYPE),
        ("macro.xlsm", b"PK\x03\x04", Refusal.TYPE),
        ("plan", b"%PDF-1.7", Refusal.TYPE),
        ("notes.txt", b"a\x00b", Refusal.TYPE),
        ("plan.pdf.exe", b"%PDF-1.7", Refusal.TYPE),
        ("plan.pdf", b"%PDF-" + b"x" * attachments.LARGEST, Refusal.TOO_LARGE),
    ],
)
def test_a_document_that_may_not_be_kept_is_refused(
    name: str, content: bytes, reason: Refusal
) -> None:
    with pytest.raises(AttachmentRefused) as refused:
        attachments.checked(name, content)
    assert refused.value.reason == reason


def test_an_invitation_has_so_many_documents_and_no_more(database: Database) -> None:
    entered = enter(database)
    with database.write() as session:
        for number in range(attachments.MOST):
            attach(session, entered.tender_id, f"{number}.txt", b"x", by="anne", at=AT)
        attach(session, entered.tender_id, "0.txt", b"another", by="anne", at=AT + timedelta(1))
        with pytest.raises(AttachmentRefused):
            attach(session, entered.tender_id, "one more.txt", b"x", by="anne", at=AT)
