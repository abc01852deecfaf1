"""A short message that confirms what a contact did: no notice, no news, one link at most."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from jinja2 import TemplateError

from alerts import message
from alerts.errors import LetterUnwritable
from alerts.letter import Composed, ReaderLinks, Sender, message_id, reply_to, unsubscribe
from alerts.templates import template
from base.text import clean


@dataclass(frozen=True, slots=True)
class Noted:
    """What a letter without notices says: a folder of templates/emails, and its words."""

    name: str
    context: Mapping[str, object]


def compose_note(
    name: str,
    sender: Sender,
    links: ReaderLinks | None,
    context: Mapping[str, object],
    *,
    recipient: str,
    key: str,
    at: datetime,
) -> Composed:
    """The message of templates/emails/`name`.

    `links` are the reader's own, None where the mailbox is not (yet, or any more) the
    contact's: then nothing in it may tell whose letters they are.

    Raises:
        LetterUnwritable: an address that cannot be mailed, or a template that fails.
    """
    own = {"sender": sender, "links": links, "own": links is not None, "at": at}
    try:
        subject = clean(template(f"emails/{name}/subject.txt").render(**own, **context))
        words = {**own, **context, "subject": subject}
        text = template(f"emails/{name}/body.txt").render(words)
        html = template(f"emails/{name}/body.html").render(words)
    except (TemplateError, UnicodeError, OverflowError, TypeError) as error:
        raise LetterUnwritable(f"{type(error).__name__}: {error}") from error
    identity = message_id(key, sender.list_domain)
    headers = [
        message.mailbox("From", clean(sender.tenant_name), sender.author_email),
        message.raw("To", message.address(recipient)),
        *reply_to(sender),
        message.words("Subject", subject),
        message.raw("Date", format_datetime(at)),
        message.raw("Message-ID", identity),
        *(unsubscribe(sender, links.leave) if links else ()),
        message.raw("Auto-Submitted", "auto-generated"),
        message.raw("X-Auto-Response-Suppress", "OOF, AutoReply"),
    ]
    start, middle, end = message.alternative(headers, boundary=f"=_{message.digits(key)}")
    content = b"".join((start, message.quoted(text), middle, message.quoted(html), end))
    return Composed(content=content, message_id=identity, subject=subject, shown=0)
