"""The same letter the plain way: templates rendered whole, styles inlined, EmailMessage written."""

from __future__ import annotations

import email.policy
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from types import SimpleNamespace

import premailer
from jinja2 import Template

from alerts import printing, templates
from alerts.digest import Digest
from alerts.letter import ReaderLinks, Sender
from alerts.sections import SECTIONS
from base.text import clean

POLICY = email.policy.SMTP.clone(max_line_length=998)


def words(
    sender: Sender, digest: Digest, links: ReaderLinks, at: datetime, *, cards: int, lines: int
) -> dict[str, object]:
    """What the whole templates are rendered with, for that many cards and one-line entries."""
    printer = printing.Printer(sender)
    placed = sorted((printer.moment(at)[one] for one in digest.notices), key=lambda one: one.rank)
    gist = printing.Gist.of(digest, placed, at)
    sections = []
    for place in sorted({one.place for one in placed[: cards + lines]}):
        whole = [printing.about(n.notice) for n in placed[:cards] if n.place == place]
        brief = [n.notice for n in placed[cards : cards + lines] if n.place == place]
        said = printing.heading(SECTIONS[place], digest.stream)
        said["cards"] = [(one["notice"], one["facts"], one["changes"]) for one in whole]
        sections.append({**said, "briefs": brief})
    lead = {"lead": gist.sole or placed[0].notice, "sole": gist.sole is not None}
    slots = SimpleNamespace(
        lead=templates.lines("emails/digest/lead.txt", lead)[0],
        name=templates.cut(clean(digest.contact_name), 100),
        member=templates.cut(clean(digest.member_name)),
        sectors="; ".join(map(clean, digest.sectors)),
        change=links.change,
        leave=links.leave,
    )
    return {
        **gist._asdict(),
        "sender": sender,
        "slots": slots,
        "subject": templates.lines("emails/digest/subject.txt", gist._asdict())[0],
        "heading": templates.lines("emails/digest/heading.txt", gist._asdict())[0],
        "intro": templates.lines("emails/digest/intro.txt", gist._asdict()),
        "sections": sections,
        "rest": len(digest.notices) - cards - lines,
        "credits": digest.credits,
        "gaps": digest.gaps,
        "coverage": digest.coverage,
    }


def text_of(words: dict[str, object]) -> str:
    """The text part; the slots of several lines wrapped as a letter has them."""
    slots = SimpleNamespace(**vars(words["slots"]))  # type: ignore[arg-type]
    for name in ("lead", "member", "sectors"):
        setattr(slots, name, templates.wrap(getattr(slots, name)))
    return templates.template("emails/digest/body.txt").render({**words, "slots": slots})


def html_of(words: dict[str, object]) -> str:
    """The HTML part, its styles inlined when the template was read."""
    return templates.template("emails/digest/body.html").render(words)


def plain_template() -> Template:
    """The HTML template as it is on disk."""
    environment = templates._environment(templates.source, html=True)
    return environment.get_template("emails/digest/body.html")


def styled(html: str) -> str:
    """A rendered letter with its styles inlined by premailer, as most services do it."""
    return premailer.Premailer(
        html,
        keep_style_tags=False,
        remove_classes=False,
        strip_important=False,
        disable_link_rewrites=True,
        allow_network=False,
        disable_validation=True,
    ).transform(pretty_print=False)


def message(
    sender: Sender,
    digest: Digest,
    links: ReaderLinks,
    *,
    subject: str,
    recipient: str,
    message_id: str,
    at: datetime,
    text: str,
    html: str,
) -> EmailMessage:
    """The message by the standard library."""
    made = EmailMessage(policy=POLICY)
    made["From"] = Address(clean(sender.tenant_name), addr_spec=sender.author_email)
    made["Reply-To"] = sender.contact_email
    made["Date"] = format_datetime(at)
    made["List-Id"] = f"<{digest.stream}.{sender.list_domain}>"
    made["Auto-Submitted"] = "auto-generated"
    made["X-Auto-Response-Suppress"] = "OOF, AutoReply"
    made["To"] = recipient
    made["Subject"] = subject
    made["Message-ID"] = message_id
    made["List-Unsubscribe"] = f"<{links.leave}>"
    made["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    made["List-Help"] = f"<{links.change}>"
    made.set_content(text)
    made.add_alternative(html, subtype="html")
    return made
