"""What comes back is understood whatever its host, language and malformation."""

from __future__ import annotations

import random
from email.message import EmailMessage

import pytest

from alerts import bounces, inbound
from alerts.bounces_dsn import ReturnKind
from alerts.verp import Tag
from tests.returned import message, names

SIGNATURE = "b" * 26
TAG = f"7-{SIGNATURE}"
ANNE = "anne@exemple.quebec"

#: What each message says: kind and status, of the first recipient or of Anne.
READ = {
    "listes/aol_01": ("unclear", ""),
    "listes/caiwireless_01": ("unclear", ""),
    "listes/dsn_02": ("soft", "4.4.7"),
    "listes/dsn_03": ("soft", ""),
    "listes/dsn_05": ("delayed", "4.4.1"),
    "listes/dsn_07": ("delayed", "4.4.1"),
    "listes/dsn_08": ("delayed", "4.0.0"),
    "listes/dsn_09": ("soft", "5.0.0"),
    "listes/dsn_10": ("soft", "5.0.0"),
    "listes/dsn_11": ("hard", "5.1.1"),
    "listes/dsn_12": ("hard", "5.1.1"),
    "listes/dsn_13": ("hard", "5.1.1"),
    "listes/dsn_14": ("hard", "5.1.1"),
    "listes/dsn_15": ("unclear", ""),
    "listes/dsn_16": ("soft", "5.0.0"),
    "listes/dsn_17": ("delayed", "4.3.0"),
    "listes/dsn_18": ("soft", "5.0.0"),
    "listes/exim_01": ("unclear", "5.1.1"),
    "listes/groupwise_01": ("unclear", ""),
    "listes/microsoft_01": ("unclear", ""),
    "listes/microsoft_02": ("unclear", ""),
    "listes/microsoft_03": ("other", ""),
    "listes/microsoft_04": ("unclear", ""),
    "listes/netscape_01": ("unclear", ""),
    "listes/postfix_01": ("unclear", "5.1.1"),
    "listes/postfix_02": ("unclear", ""),
    "listes/postfix_03": ("unclear", ""),
    "listes/postfix_04": ("unclear", ""),
    "listes/postfix_05": ("unclear", ""),
    "listes/qmail_01": ("unclear", ""),
    "listes/qmail_02": ("unclear", ""),
    "listes/qmail_03": ("unclear", "5.1.1"),
    "listes/qmail_04": ("unclear", ""),
    "listes/qmail_05": ("unclear", ""),
    "listes/qmail_06": ("unclear", ""),
    "listes/qmail_07": ("unclear", ""),
    "listes/qmail_08": ("auto_reply", ""),
    "listes/sendmail_01": ("unclear", ""),
    "listes/simple_13": ("unclear", ""),
    "listes/simple_31": ("unclear", ""),
    "listes/simple_42": ("policy", "5.7.1"),
    "listes/yahoo_01": ("unclear", "4.4.1"),
    "listes/yahoo_02": ("unclear", ""),
    "listes/yahoo_03": ("unclear", ""),
    "postfix/deux_destinataires": ("soft", "5.2.2"),
    "postfix/expiree": ("soft", "4.2.0"),
    "postfix/fermee": ("hard", "5.2.1"),
    "postfix/hote_inconnu": ("soft", "5.4.4"),
    "postfix/inconnue": ("hard", "5.1.1"),
    "postfix/pleine": ("soft", "5.2.2"),
    "postfix/politique": ("policy", "5.7.1"),
    "postfix/relayee": ("delivered", "2.0.0"),
    "postfix/retardee": ("delayed", "4.2.0"),
    "postfix/sans_code": ("soft", "5.0.0"),
    "ecrits/absence": ("auto_reply", ""),
    "ecrits/absence_sans_entete": ("auto_reply", ""),
    "ecrits/accuse_de_lecture": ("auto_reply", ""),
    "ecrits/adresse_caviardee": ("hard", "5.1.1"),
    "ecrits/alias_a_moitie_mort": ("delivered", "2.0.0"),
    "ecrits/alias_suivi": ("hard", "5.1.1"),
    "ecrits/charset_vide": ("hard", "5.1.1"),
    "ecrits/charset_x_unknown": ("hard", "5.1.1"),
    "ecrits/desabonnement": ("other", ""),
    "ecrits/developpe": ("delivered", "2.0.0"),
    "ecrits/domaine_inconnu": ("hard", "5.1.2"),
    "ecrits/echec_dmarc": ("other", ""),
    "ecrits/en_utf_16": ("hard", "5.1.1"),
    "ecrits/exchange_boite_pleine": ("soft", "5.2.2"),
    "ecrits/exchange_francais": ("hard", "5.1.10"),
    "ecrits/exchange_regle": ("policy", "5.7.133"),
    "ecrits/exim": ("unclear", ""),
    "ecrits/expediteur_refuse": ("policy", "5.1.8"),
    "ecrits/expire": ("soft", "4.4.7"),
    "ecrits/filtre_sans_code": ("policy", "5.0.0"),
    "ecrits/gmail": ("hard", "5.1.1"),
    "ecrits/gmail_retard": ("delayed", "4.4.1"),
    "ecrits/pas_un_pourriel": ("other", ""),
    "ecrits/piece_infectee": ("unclear", ""),
    "ecrits/plainte": ("complaint", ""),
    "ecrits/plainte_caviardee": ("complaint", ""),
    "ecrits/plainte_opt_out": ("complaint", ""),
    "ecrits/plainte_sans_preuve": ("complaint", ""),
    "ecrits/pourriel": ("other", ""),
    "ecrits/qmail": ("unclear", "5.1.1"),
    "ecrits/relaye": ("delivered", "2.0.0"),
    "ecrits/reponse_humaine": ("other", ""),
    "ecrits/sans_ligne_vide": ("hard", "5.1.1"),
    "ecrits/sans_partie_de_statut": ("unclear", "5.1.1"),
    "ecrits/statut_dans_le_diagnostic": ("hard", "5.1.1"),
    "ecrits/statut_en_base64": ("hard", "5.1.1"),
    "ecrits/statut_illisible": ("unclear", ""),
    "ecrits/trop_gros": ("content", "5.3.4"),
    "ecrits/vacation": ("auto_reply", ""),
    "ecrits/vide": ("other", ""),
}


def test_the_corpus_is_read_whole() -> None:
    kept = {name for folder in ("listes", "postfix", "ecrits") for name in names(folder)}
    assert kept == READ.keys()
    assert len(kept) >= 60


@pytest.mark.parametrize("name", READ)
def test_a_message_that_comes_back_is_what_it_is(name: str) -> None:
    report = bounces.read(message(name, tag=TAG)).about(ANNE)
    assert (report.kind, report.status) == READ[name]
    assert "@" not in report.diagnostic


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("name", ["postfix/inconnue", "ecrits/gmail", "ecrits/plainte"])
def test_line_ends_do_not_matter(name: str, end: str) -> None:
    content = message(name, tag=TAG).replace(b"\n", end.encode())
    assert bounces.read(content) == bounces.read(message(name, tag=TAG))


def test_two_recipients_are_told_apart() -> None:
    both = bounces.read(message("postfix/deux_destinataires"))
    assert both.about("inconnue@boites.exemple.quebec").kind is ReturnKind.HARD
    assert both.about("pleine@boites.exemple.quebec").kind is ReturnKind.SOFT


@pytest.mark.parametrize(
    "name",
    [
        "postfix/inconnue",
        "ecrits/qmail",
        "ecrits/exim",
        "ecrits/plainte",
        "ecrits/exchange_francais",
    ],
)
def test_the_tag_is_found_wherever_the_host_left_it(name: str) -> None:
    assert bounces.read(message(name, tag=TAG)).traces.tags == (Tag(7, SIGNATURE),)


def test_a_tag_survives_a_host_that_changes_the_case() -> None:
    upper = message("ecrits/gmail", tag=TAG.upper())
    assert bounces.read(upper).traces.tags == (Tag(7, SIGNATURE),)


def test_a_redacted_complaint_still_has_the_message_id_and_the_link() -> None:
    token = "t" * 39
    link = f"https://alertes.exemple.quebec/d/{token}"
    content = message("ecrits/plainte_caviardee", message_id="<abc@exemple.quebec>", leave=link)
    traces = bounces.read(content).traces
    assert (traces.tags, traces.message_ids, traces.leave_tokens) == (
        (),
        ("<abc@exemple.quebec>",),
        (token,),
    )


@pytest.mark.parametrize("name", ["postfix/inconnue", "ecrits/gmail", "ecrits/plainte_caviardee"])
def test_a_truncated_message_is_read_as_far_as_it_goes(name: str) -> None:
    whole = message(name, tag=TAG)
    worst = bounces.read(whole).about(ANNE).kind
    kinds = {bounces.read(whole[:length]).about(ANNE).kind for length in range(0, len(whole), 17)}
    assert worst in kinds
    harmless = {ReturnKind.OTHER, ReturnKind.UNCLEAR, ReturnKind.SOFT, ReturnKind.AUTO_REPLY}
    assert kinds <= {worst, *harmless}


def test_a_report_before_10_megabytes_is_read_and_the_rest_is_not() -> None:
    content = message("ecrits/gmail", tag=TAG) + b"x" * 10_000_000
    assert bounces.read(content).about(ANNE).kind is ReturnKind.HARD
    late = content.replace(b"--=_fictif", b"y" * inbound.LARGEST + b"\n--=_fictif", 1)
    assert bounces.read(late).about(ANNE).kind is not ReturnKind.HARD


@pytest.mark.parametrize("levels", [11, 1000, 5000])
def test_messages_nested_beyond_reason_are_for_a_person(levels: int) -> None:
    nested = b"Content-Type: message/rfc822\n\n" * levels + message("ecrits/gmail", tag=TAG)
    assert bounces.read(nested).about(ANNE).kind is ReturnKind.OTHER


def test_parts_nested_beyond_reason_are_for_a_person() -> None:
    levels = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (n, n) for n in range(1000)
    )
    assert bounces.read(levels).about(ANNE).kind is ReturnKind.OTHER


def test_a_bounce_that_somebody_forwards_is_not_one() -> None:
    forward = EmailMessage()
    forward["From"], forward["To"] = ANNE, "retours@exemple.quebec"
    forward["Subject"] = "Tr : Undelivered"
    forward.set_content("Voyez ceci.")
    inner = EmailMessage()
    inner.set_content("x")
    forward.add_attachment(inner)
    content = forward.as_bytes() + message("ecrits/gmail", tag=TAG)
    assert bounces.read(content).about(ANNE).kind is ReturnKind.OTHER


@pytest.mark.parametrize("name", names("ecrits") + names("postfix"))
def test_whatever_is_spoiled_there_is_an_answer(name: str) -> None:
    """Octets changed, dropped, doubled: the reader neither raises nor blames more than was said."""
    chance = random.Random(name)  # noqa: S311, no secret
    whole = message(name, tag=TAG)
    for _ in range(25):
        spoiled = bytearray(whole)
        for _ in range(chance.randrange(1, 12)):
            if spoiled:
                place = chance.randrange(len(spoiled))
                spoiled[place : place + chance.randrange(3)] = chance.randbytes(chance.randrange(4))
        returned = bounces.read(bytes(spoiled))
        assert returned.reports
        assert "@" not in returned.about(ANNE).diagnostic
