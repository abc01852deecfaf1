"""The only module that reads the environment (and the file `.env` of the working folder).

Settings are read in groups, so that a command needs only the variables it uses: reading a
source asks for none but DATABASE_URL, sending asks for who writes and through which relay.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, FilePath, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    SettingsConfigDict,
)

from base.errors import BaseFault, SettingInvalid, SettingMissing

#: The file beside the environment; what the environment sets wins over it.
FILE = Path(".env")


class Group(BaseSettings):
    """Variables that are needed together. Names in the environment are the fields', upper case."""

    model_config = SettingsConfigDict(
        env_file=FILE, env_ignore_empty=True, extra="ignore", frozen=True
    )

    @classmethod
    def read(cls) -> Self:
        """Read the group.

        Raises:
            SettingMissing: with all the names that are not set.
            SettingInvalid: with the first that cannot be used, or the file where it is not UTF-8.
        """
        try:
            return cls()
        except ValidationError as error:
            raise _fault(error) from None
        except UnicodeDecodeError:
            raise SettingInvalid(str(FILE), "is not UTF-8") from None


def _fault(error: ValidationError) -> BaseFault:
    details = error.errors(include_url=False, include_input=False)
    missing = [str(d["loc"][0]).upper() for d in details if d["type"] == "missing"]
    if missing:
        return SettingMissing(*missing)
    return SettingInvalid(str(details[0]["loc"][0]).upper(), details[0]["msg"])


class Store(Group):
    """Where the rows are."""

    #: A SQLAlchemy address: sqlite:///path or postgresql+psycopg://user:password@host/name.
    database_url: str = "sqlite:///var/alertes.sqlite3"
    #: Where the pages keep an unsubscribe that the database could not take within two seconds;
    #: the service on the same machine reads it.
    postponed_folder: Path = Path("var/postponed")

    @field_validator("database_url")
    @classmethod
    def _known_kind(cls, value: str) -> str:
        if not value.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise ValueError("must begin with sqlite:/// or postgresql+psycopg://")
        return value


class Identity(Group):
    """Who writes: asked by the law in each letter (LCAP, SOR/2012-36 s. 2) and each page."""

    tenant_name: str
    #: The whole postal address, on one line.
    postal_address: str
    #: An address or a web page where a person answers.
    contact_email: str
    #: Title and contact of the person in charge of personal information (Loi 25, art. 3.1).
    privacy_officer: str
    #: Root of the members' pages, e.g. https://alertes.exemple.quebec
    public_url: str

    @field_validator("public_url")
    @classmethod
    def _root(cls, value: str) -> str:
        parts = urlsplit(value)
        home = parts.scheme == "http" and parts.hostname in {"127.0.0.1", "localhost"}
        if not (parts.hostname and parts.scheme == "https") and not home:
            raise ValueError("must begin with https:// (http:// only for 127.0.0.1)")
        return value.rstrip("/")


class Keys(Group):
    """The keys of the signed links, oldest first; the last one signs, all verify."""

    link_keys: SecretStr

    @field_validator("link_keys")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        keys = value.get_secret_value().split()
        if not keys or any(len(key) < 32 for key in keys):
            raise ValueError("one or more keys of at least 32 characters, parted by spaces")
        return value

    def as_list(self) -> list[str]:
        """The keys, oldest first."""
        return self.link_keys.get_secret_value().split()


class Relay(Group):
    """The server that letters are handed to, and in whose name."""

    smtp_host: str
    smtp_port: int = 587
    #: "starttls" and "implicit" verify the certificate; "none" is for this machine's loopback.
    smtp_tls: Literal["starttls", "implicit", "none"] = "starttls"
    smtp_user: str = ""
    smtp_password: SecretStr = SecretStr("")
    #: A file with the relay's own certificate authority; empty for the system's.
    smtp_ca_file: FilePath | None = None
    #: Connections to the relay at once, and letters a second over all of them (0: no limit).
    smtp_connections: int = Field(default=4, ge=1, le=50)
    smtp_letters_a_second: float = Field(default=0.0, ge=0.0)
    #: The From header's address.
    author_email: str
    #: Where bounces return: the envelope's sender, to which each letter adds +tag.
    bounce_email: str
    #: The domain in List-Id and Message-ID.
    list_domain: str
    #: The names under which the relay publishes its DKIM keys, parted by spaces; only verified.
    dkim_selectors: str = ""
    #: The private key that signs letters for the author's domain; empty where the relay signs.
    dkim_key_file: FilePath | None = None
    #: The name under which the public half of that key is published.
    dkim_selector: str = Field(default="", validate_default=True)
    #: Who may be mailed: "*", or addresses and domains parted by spaces. Default: nobody.
    mail_allowed: str = ""
    #: The journal of what was handed over: outside the database, and not in its backups.
    journal_file: Path = Path("var/handover.journal")
    #: The log of a Postfix on this machine that is the relay; empty where it is another.
    postfix_log: Path | None = None

    @field_validator("smtp_tls")
    @classmethod
    def _clear_only_at_home(cls, value: str, info: ValidationInfo) -> str:
        if value == "none" and info.data.get("smtp_host") not in {"127.0.0.1", "localhost", "::1"}:
            raise ValueError("none is allowed only for 127.0.0.1")
        return value

    @field_validator("dkim_selector")
    @classmethod
    def _named_with_its_key(cls, value: str, info: ValidationInfo) -> str:
        # A key file that is wrong is told by itself, and is not among the data.
        if "dkim_key_file" in info.data and bool(value) != bool(info.data["dkim_key_file"]):
            raise ValueError("DKIM_SELECTOR and DKIM_KEY_FILE go together")
        if not re.fullmatch(r"(?i)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.(?!$)|$))*", value):
            raise ValueError("must be one or more labels of a domain name")
        return value.lower()

    @field_validator("bounce_email")
    @classmethod
    def _room_for_a_tag(cls, value: str) -> str:
        local, at, domain = value.rpartition("@")
        # RFC 5321, 4.5.3.1.1: 64 octets before the @, of which a tag takes 34.
        if not at or not local or not domain or len(local) > 30 or "+" in local:
            raise ValueError("an address with at most 30 characters before the @, and no +")
        return value

    def allowed(self) -> frozenset[str]:
        """What MAIL_ALLOWED names, in lower case."""
        return frozenset(self.mail_allowed.lower().split())


class Staff(Group):
    """Who on our side is told by mail; nobody while `staff_email` is empty."""

    #: One address, of a shared mailbox for instance. MAIL_ALLOWED does not concern it.
    staff_email: str = ""

    @field_validator("staff_email")
    @classmethod
    def _one_address(cls, value: str) -> str:
        local, at, domain = value.rpartition("@")
        if value and not (at and local and domain and value.isascii() and len(value.split()) == 1):
            raise ValueError("must be one address")
        return value


class Returns(Group):
    """Where what comes back is read; nothing is read while `bounce_mailbox` is empty."""

    #: maildir:/path on this machine, or imaps://user@host[:port][/folder].
    bounce_mailbox: str = ""
    #: The IMAP user's password.
    bounce_password: SecretStr = SecretStr("")

    @field_validator("bounce_mailbox")
    @classmethod
    def _readable(cls, value: str) -> str:
        parts = urlsplit(value)
        maildir = parts.scheme == "maildir" and not parts.netloc and parts.path.startswith("/")
        # `port` raises ValueError itself for what is none.
        imap = parts.scheme == "imaps" and parts.hostname and parts.username and parts.port != 0
        if value and not maildir and not imap:
            raise ValueError("must be maildir:/path or imaps://user@host/folder")
        return value


class Sources(Group):
    """Where tenders are read from."""

    #: package_show of the SEAO dataset on the CKAN portal of Données Québec.
    seao_package_url: str = (
        "https://www.donneesquebec.ca/recherche/api/3/action/package_show"
        "?id=d23b2e02-085d-43e5-9e6e-e1d558ebfdd5"
    )
    #: The search of SEAO, which is not documented; empty: it is not asked. To read it daily:
    #: https://api.seao.gouv.qc.ca/prod/api/recherche?statIds=6&tpIds=2,3,5,6,7,8,10,14,15,17,18
    seao_search_url: str = ""
    #: Whether AchatsCanada is read: federal calls that are delivered in Québec or everywhere.
    federal_notices: bool = True
    #: Named in our User-Agent, so that a publisher can reach us.
    source_contact: str = Field(default="")


#: Every group, for the test that holds .env.example to exactly the variables read.
GROUPS: tuple[type[Group], ...] = (Store, Identity, Keys, Relay, Staff, Returns, Sources)


def written() -> dict[str, str]:
    """What is set, by variable, unchecked.

    Raises:
        SettingInvalid: the file is not UTF-8.
    """
    found: dict[str, object] = {}
    try:
        for group in GROUPS:
            found |= DotEnvSettingsSource(group)()
    except UnicodeDecodeError:
        raise SettingInvalid(str(FILE), "is not UTF-8") from None
    for group in GROUPS:
        found |= EnvSettingsSource(group)()
    # What the file has beside our variables comes along, and is not ours.
    ours = {name for group in GROUPS for name in group.model_fields}
    return {name.upper(): str(value) for name, value in found.items() if name in ours}


def from_environment() -> frozenset[str]:
    """The variables that the environment sets, so that the file has no say in them."""
    return frozenset(name.upper() for group in GROUPS for name in EnvSettingsSource(group)())


def is_usable(name: str, values: Mapping[str, str]) -> bool:
    """Whether that variable would be accepted were those the settings."""
    group = next(one for one in GROUPS if name.lower() in one.model_fields)
    given = {key.lower(): value for key, value in values.items() if value}
    try:
        group(**{k: v for k, v in given.items() if k in group.model_fields})
    except ValidationError as error:
        return all(one["loc"][0] != name.lower() for one in error.errors())
    return True
