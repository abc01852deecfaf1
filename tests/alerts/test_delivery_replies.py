"""Replies as large hosts, filters and French providers word them, each in its class.

The words are those that the hosts document or are known for; names, addresses and tickets in
them are fictional. Each goes over a socket, so that its lines and octets are read as they come.
"""

from __future__ import annotations

import pytest

from alerts.delivery import Envelope, Outcome, Phase, Relay
from tests.mailserver import Script, scripted_server

LETTER = Envelope("retours@exemple.quebec", "anne@exemple.quebec", b"Subject: essai\r\n\r\nfin\r\n")

BUSY, DEFERRED, DEAD = Outcome.BUSY, Outcome.DEFERRED, Outcome.DEAD_ADDRESS
REFUSED, POLICY, OURS = Outcome.REFUSED, Outcome.POLICY, Outcome.MISCONFIGURED

# fmt: off
MAIL: list[tuple[str, Outcome]] = [
    ("421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to user complaints", BUSY),
    ("421 4.3.2 System not accepting network messages", BUSY),
    ("450 4.7.1 Error: too much mail from 192.0.2.1", BUSY),
    ("451 4.7.650 The mail server [192.0.2.1] has been temporarily rate limited", BUSY),
    ("452 4.3.1 Insufficient system storage", BUSY),
    ("454 4.7.0 TLS not available due to local problem", BUSY),
    ("501 5.1.7 Bad sender address syntax", OURS),
    ("530 5.7.0 Must issue a STARTTLS command first", OURS),
    ("530 5.7.1 Authentication required", OURS),
    ("530 5.7.57 Client not authenticated to send mail", OURS),
    ("550 5.1.8 <retours@exemple.quebec>: Sender address rejected: Domain not found", OURS),
    ("550 5.7.1 Sender ID check failed", OURS),
    ("550 5.7.60 SMTP; Client does not have permissions to send as this sender", OURS),
    ("552 5.3.4 Message size exceeds fixed limit", OURS),
    ("553 5.7.1 <retours@exemple.quebec>: Sender address rejected: not owned by user", OURS),
    ("555 5.5.4 Unsupported option: ENVID", OURS),
    ("550 Expéditeur refusé", OURS),
]
RCPT: list[tuple[str, Outcome]] = [
    ("421 4.7.0 Too many errors", DEFERRED),
    ("421 RP-001 (BAY004-MC1F1) Unfortunately, some messages weren't sent", DEFERRED),
    ("450 4.1.1 <anne@exemple.quebec>: Recipient address rejected: unverified", DEFERRED),
    ("450 4.2.0 <anne@exemple.quebec>: Recipient address rejected: Greylisted", DEFERRED),
    ("450 4.2.1 The user you are trying to contact is receiving mail too quickly", DEFERRED),
    ("450 4.7.1 <anne@exemple.quebec>: Recipient address rejected: Liste grise", DEFERRED),
    ("451 4.7.1 Greylisting in action, please come back in 00:05:00", DEFERRED),
    ("451 4.3.0 Temporary lookup failure", DEFERRED),
    ("451 Temporary local problem - please try later", DEFERRED),
    ("452 4.2.2 The email account that you tried to reach is over quota", DEFERRED),
    ("452 4.5.3 Too many recipients", DEFERRED),
    ("450 Boîte temporairement indisponible", DEFERRED),
    (("550-5.1.1 The email account that you tried to reach does not exist. Please try\r\n"
     "550-5.1.1 double-checking the recipient's email address for typos\r\n"
     "550 5.1.1 https://support.google.com/mail/?p=NoSuchUser a1-20020a - gsmtp"), DEAD),
    ("550 5.1.1 <anne@exemple.quebec>: Recipient address rejected: User unknown", DEAD),
    ("550 5.1.1 <anne@exemple.quebec>: Recipient address rejected: Utilisateur inconnu", DEAD),
    ("550 5.1.1 RESOLVER.ADR.RecipNotFound; not found", DEAD),
    ("550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup", DEAD),
    ("550 5.1.2 Bad destination system address", DEAD),
    ("550 5.1.0 Address rejected.", DEAD),
    ("550 #5.1.0 Address rejected.", DEAD),
    ("550 5.1.6 Recipient no longer on server", DEAD),
    ("501 5.1.3 Bad recipient address syntax", DEAD),
    ("553 5.1.3 <anne@exemple.quebec>... User address required", DEAD),
    ("551 5.1.6 User has moved; please try <autre@exemple.quebec>", DEAD),
    ("554 5.1.1 <anne@exemple.quebec>: cet usager n'existe pas", DEAD),
    ("550 5.2.1 The email account that you tried to reach is disabled", DEAD),
    ("550-5.2.1 Cette boîte est désactivée\r\n550 5.2.1 gsmtp", DEAD),
    ("550 Requested action not taken: mailbox unavailable", REFUSED),
    ("550 No such user here", REFUSED),
    ("550 Utilisateur inconnu", REFUSED),
    ("550 Unknown user", REFUSED),
    ("550 Invalid recipient anne@exemple.quebec (in reply to RCPT)", REFUSED),
    ("551 User not local", REFUSED),
    ("553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", REFUSED),
    ("554 delivery error: dd This user doesn't have an account (anne@exemple.quebec) [0]", REFUSED),
    ("550 5.4.1 Recipient address rejected: Access denied. AS(201806281)", REFUSED),
    ("550 5.3.0 Mailbox command failed", REFUSED),
    ("550 4.1.1 of another class", REFUSED),
    ("501 5.5.4 Invalid Address", REFUSED),
    ("552 5.2.2 The email account that you tried to reach is over quota", DEFERRED),
    ("552-5.2.2 La boîte aux lettres du destinataire est pleine\r\n552 5.2.2 réessayez", DEFERRED),
    ("550 5.2.2 Mailbox full", DEFERRED),
    ("552 Quota exceeded", DEFERRED),
    ("550 5.1.8 <retours@exemple.quebec>: Sender address rejected: Domain not found", POLICY),
    ("550 5.7.1 Recipient not authorized, your IP has been found on a block list", POLICY),
    ("550 5.7.1 Relaying denied", POLICY),
    ("550 5.7.1 Accès refusé par la politique de sécurité", POLICY),
    ("550 5.7.23 The message was rejected because of Sender Policy Framework violation", POLICY),
    ("550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup", POLICY),
    ("553 5.7.2 [TSS09] All messages from 192.0.2.1 will be permanently deferred", POLICY),
    ("554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen", POLICY),
    ("554 Your IP (192.0.2.1) is blacklisted", POLICY),
    ("550 Blocked - see https://exemple.quebec/rbl", POLICY),
    ("550 relay not permitted", POLICY),
    ("550 Message rejeté : pourriel", POLICY),
    ("530 5.7.0 Must issue a STARTTLS command first", OURS),
    ("503 5.5.1 MAIL first", OURS),
    ("504 5.5.2 <localhost>: Helo command rejected: need fully-qualified hostname", OURS),
    ("535 5.7.139 Authentication unsuccessful, basic authentication is disabled", OURS),
]
DATA: list[tuple[str, Outcome]] = [
    ("421 4.4.2 exemple.quebec Error: timeout exceeded", DEFERRED),
    ("451 4.3.0 Error: queue file write error", DEFERRED),
    ("503 5.5.1 RCPT first", OURS),
    ("554 5.5.1 Error: no valid recipients", REFUSED),
    ("554 5.7.1 <DATA>: Data command rejected: Access denied", POLICY),
    ("554 Transaction failed", POLICY),
]
DOT: list[tuple[str, Outcome]] = [
    ("421-4.7.28 Gmail has detected an unusual rate of unsolicited mail\r\n421 4.7.28 gsmtp",
     DEFERRED),
    ("451 4.7.500 Server busy. Please try again later from [192.0.2.1]", DEFERRED),
    ("452 4.3.1 Out of memory", DEFERRED),
    ("451 Message retardé : analyse en cours", DEFERRED),
    ("552 5.2.2 Over quota", DEFERRED),
    (("550-5.7.26 This mail has been blocked because the sender is unauthenticated.\r\n"
     "550 5.7.26 gsmtp"), POLICY),
    ("550 5.7.515 Access denied, sending domain does not meet the required authentication", POLICY),
    ("550 5.7.1 Message rejected as spam by Content Filtering", POLICY),
    ("554 5.7.9 Message not accepted for policy reasons", POLICY),
    ("554 5.7.5 Permanent error evaluating DMARC policy", POLICY),
    ("554 Message refused: spam", POLICY),
    ("550 5.0.0 Message blocked", POLICY),
    ("550 Contenu refusé : considéré comme pourriel", POLICY),
    ("552 5.3.4 Message size exceeds fixed limit", REFUSED),
    ("552 Message size exceeds maximum permitted", REFUSED),
    ("550 5.6.0 Lone CR or LF in headers", REFUSED),
    ("554 5.6.0 Message rejected: malformed MIME", REFUSED),
    ("554 5.3.0 Rejected", REFUSED),
    ("500 Line too long", REFUSED),
    ("554 rejeté", REFUSED),
]
# fmt: on
ALL = [
    pytest.param(phase, reply, outcome, id=f"{phase} {reply[:50]}")
    for phase, replies in (
        (Phase.MAIL, MAIL),
        (Phase.RCPT, RCPT),
        (Phase.DATA, DATA),
        (Phase.DOT, DOT),
    )
    for reply, outcome in replies
]


def test_at_least_80_replies_are_held_to_their_class() -> None:
    assert len({(case.values[0], case.values[1]) for case in ALL}) >= 80


@pytest.mark.parametrize(("phase", "reply", "outcome"), ALL)
async def test_a_real_reply_is_in_its_class(phase: Phase, reply: str, outcome: Outcome) -> None:
    async with scripted_server(Script({phase.value: reply})) as script:
        relay = Relay(host="127.0.0.1", port=script.port, tls="none", helo="test")
        connection = await relay.connect()
        receipt = await connection.offer(LETTER) or await connection.finish()
        await connection.quit()
    assert (receipt.outcome, receipt.phase) == (outcome, phase)
    assert receipt.reply.startswith(reply[:3])
    assert script.accepted == []
