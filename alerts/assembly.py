"""From settings to the values that the jobs work with. Called by entry points only."""

from __future__ import annotations

from dataclasses import replace

from alerts.classification import Lexicon
from alerts.delivery import Relay
from alerts.handing import Handing
from alerts.journal import open_journal
from alerts.letter import Press, Sender
from alerts.mailbox import mailbox
from alerts.postponed import Postponed
from alerts.returns import Reception
from alerts.signing import Signer
from alerts.staff_mail import Door
from alerts.verp import Verp
from alerts.writing import Desk
from base import settings
from sources import catalogue
from sources.catalogue import Source
from subscriptions.links import Links
from subscriptions.sectors import load


def desk(identity: settings.Identity, relay: settings.Relay, keys: settings.Keys) -> Desk:
    """What letters are written with."""
    sectors = load()
    return Desk(
        press=Press.of(sender(identity, relay)),
        links=links(identity, keys),
        catalogue=sectors,
        lexicon=Lexicon.of(sectors),
    )


def sources(asked: settings.Sources) -> tuple[Source, ...]:
    """The catalogue's sources, as the settings have them asked."""
    return catalogue.configured(
        {"seao": asked.seao_package_url, "seao_search": asked.seao_search_url},
        off=() if asked.federal_notices else ("canadabuys",),
    )


def sender(identity: settings.Identity, relay: settings.Relay) -> Sender:
    """Who writes."""
    return Sender(
        tenant_name=identity.tenant_name,
        postal_address=identity.postal_address,
        contact_email=identity.contact_email,
        privacy_officer=identity.privacy_officer,
        public_url=identity.public_url,
        author_email=relay.author_email,
        list_domain=relay.list_domain,
        bounce_email=relay.bounce_email,
    )


def links(identity: settings.Identity, keys: settings.Keys) -> Links:
    """What signs and reads the links."""
    return Links(keys=tuple(keys.as_list()), public_url=identity.public_url)


def server(relay: settings.Relay) -> Relay:
    """The relay, as connections to it are opened."""
    return Relay(
        host=relay.smtp_host,
        port=relay.smtp_port,
        tls=relay.smtp_tls,
        user=relay.smtp_user,
        password=relay.smtp_password.get_secret_value(),
        ca_file=relay.smtp_ca_file,
    )


def signing(relay: settings.Relay) -> Relay:
    """The relay, as letters are handed to it: signed by us where the settings name a key.

    Raises:
        SettingInvalid: that key cannot be used.
    """
    if relay.dkim_key_file is None:
        return server(relay)
    selector, author = relay.dkim_selector, relay.author_email
    signer = Signer.of(relay.dkim_key_file, selector=selector, author=author)
    return replace(server(relay), signer=signer)


def handing(relay: settings.Relay, keys: settings.Keys, store: settings.Store) -> Handing:
    """How letters are handed over; makes the journal when it is absent."""
    return Handing(
        relay=signing(relay),
        sender=relay.bounce_email,
        verp=verp(relay, keys),
        allowed=relay.allowed(),
        journal=open_journal(relay.journal_file),
        connections=relay.smtp_connections,
        pace=relay.smtp_letters_a_second,
        postponed=Postponed(store.postponed_folder),
    )


def door(identity: settings.Identity, relay: settings.Relay, to: str) -> Door:
    """How staff are reached, at the one address `to`."""
    # Doubt costs staff a second copy, and waiting costs the watch its next look.
    soon = replace(signing(relay), dot_reply_within=60.0)
    return Door(relay=soon, sender=relay.bounce_email, to=to, author=sender(identity, relay))


def verp(relay: settings.Relay, keys: settings.Keys) -> Verp:
    """What signs letters into the envelope's sender, and proves what comes back."""
    return Verp(tuple(keys.as_list()), relay.bounce_email)


def reception(
    identity: settings.Identity,
    relay: settings.Relay,
    keys: settings.Keys,
    returned: settings.Returns,
) -> Reception | None:
    """How what comes back is read; None where no mailbox is named."""
    box = mailbox(returned.bounce_mailbox, returned.bounce_password.get_secret_value())
    if box is None:
        return None
    return Reception(mailbox=box, verp=verp(relay, keys), links=links(identity, keys))
