"""SPF, DKIM, DMARC, alignment and reverse names, asked of a real DNS server."""

from __future__ import annotations

import base64
import subprocess
from dataclasses import replace
from functools import cache

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from alerts.doctor.asking import Dns, resolver
from alerts.doctor.findings import Check, Finding, State
from alerts.doctor.mail_names import MailNames
from alerts.doctor.name_checks import CHECKS, check_names
from scripts.doctor_words import sentence
from tests.dnsserver import asked_in_vain, asking, mute, serving, text

#: Of the tests of Google Public DNS and Cloudflare: public addresses that mean nobody here.
PUBLIC, OTHER = "8.8.4.4", "1.0.0.1"
NAMES = MailNames(
    author="coop.exemple.quebec",
    bounce="coop.exemple.quebec",
    selectors=("s1",),
    host="courriel.coop.exemple.quebec",
    own=True,
)
D = NAMES.author


@cache
def _key(bits: int) -> str:
    public = (
        rsa.generate_private_key(65537, bits).public_key()
        if bits
        else ec.generate_private_key(ec.SECP256R1()).public_key()
    )
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


def _zone(**parts: str) -> str:
    """A zone where all is well, but for the parts given."""
    good = {
        "mx": f"{D}. 60 IN MX 10 {NAMES.host}.",
        "a": f"{NAMES.host}. 60 IN A {PUBLIC}",
        "ptr": f"4.4.8.8.in-addr.arpa. 60 IN PTR {NAMES.host}.",
        "spf": text(D, f"v=spf1 ip4:{PUBLIC} -all"),
        "dkim": text(f"s1._domainkey.{D}", f"v=DKIM1; k=rsa; p={_key(2048)}"),
        "dmarc": text(f"_dmarc.{D}", f"v=DMARC1; p=quarantine; rua=mailto:rapports@{D}"),
    }
    return "\n".join(filter(None, ({**good, **parts}).values())) + "\n"


def _found(
    zone: str, names: MailNames = NAMES, *, broken: frozenset[str] = frozenset()
) -> dict[Check, Finding]:
    with serving(zone, broken=broken) as served:
        found = list(check_names(asking(served), names))
    assert len({one.check for one in found}) == len(found)
    assert all(sentence(one) for one in found)
    return {one.check: one for one in found}


def test_a_domain_in_order_has_nothing_to_mend() -> None:
    found = _found(_zone())
    assert [(one.check, one.state, one.cause) for one in found.values()] == [
        (check, State.FINE, "fine") for check in CHECKS
    ]


SPF, DMARC, DKIM = f"v=spf1 ip4:{PUBLIC}", f"_dmarc.{D}", f"s1._domainkey.{D}"
TEN = " ".join(f"include:i{n}.{D}" for n in range(11))
BROKEN = [
    (Check.SPF, "absent", {"spf": ""}),
    (Check.SPF, "two", {"spf": text(D, f"{SPF} -all", "v=spf1 mx -all")}),
    (Check.SPF, "syntax", {"spf": text(D, "v=spf1 ip4:999.1.1.1 -all")}),
    (Check.SPF, "everybody", {"spf": text(D, f"{SPF} +all")}),
    (Check.SPF, "open", {"spf": text(D, SPF)}),
    (Check.SPF, "open", {"spf": text(D, f"{SPF} ?all")}),
    (Check.SPF, "include", {"spf": text(D, f"{SPF} include:rien.{D} -all")}),
    (Check.SPF, "loop", {"spf": text(D, f"{SPF} include:{D} -all")}),
    (
        Check.SPF,
        "lookups",
        {
            "spf": text(D, f"{SPF} {TEN} -all"),
            "more": "\n".join(text(f"i{n}.{D}", f"{SPF} -all") for n in range(11)),
        },
    ),
    (
        Check.SPF,
        "void lookups",
        {"spf": text(D, f"{SPF} a:x1.{D} a:x2.{D} a:x3.{D} -all")},
    ),
    (Check.SPF, "not this machine", {"spf": text(D, f"v=spf1 ip4:{OTHER} -all")}),
    (Check.DKIM, "none", {"dkim": ""}),
    (Check.DKIM, "absent", {"dkim": text(f"s2._domainkey.{D}", f"v=DKIM1; p={_key(2048)}")}),
    (Check.DKIM, "revoked", {"dkim": text(DKIM, "v=DKIM1; p=")}),
    (Check.DKIM, "unusable", {"dkim": text(DKIM, f"v=DKIM1; p={_key(2048)[:90]}")}),
    (Check.DKIM, "unusable", {"dkim": text(DKIM, f"v=DKIM1; k=rsa; p={_key(0)}")}),
    (Check.DKIM, "testing", {"dkim": text(DKIM, f"v=DKIM1; t=y; p={_key(2048)}")}),
    (Check.DKIM, "two", {"dkim": text(DKIM, f"v=DKIM1; p={_key(2048)}", "v=DKIM1; p=")}),
    (Check.DMARC, "absent", {"dmarc": ""}),
    (
        Check.DMARC,
        "two",
        {"dmarc": text(DMARC, "v=DMARC1; p=none; rua=mailto:a@x.ca", "v=DMARC1; p=reject")},
    ),
    (Check.DMARC, "syntax", {"dmarc": text(DMARC, "v=DMARC1; p=peut-etre; rua=mailto:a@x.ca")}),
    (Check.DMARC, "unrelated", {"dmarc": text(DMARC, "v=spf1 -all")}),
    (Check.DMARC, "no reports", {"dmarc": text(DMARC, "v=DMARC1; p=reject")}),
    (Check.PTR, "absent", {"ptr": ""}),
    (Check.PTR, "no address", {"a": ""}),
    (Check.PTR, "unconfirmed", {"ptr": "4.4.8.8.in-addr.arpa. 60 IN PTR ailleurs.exemple.quebec."}),
    (
        Check.PTR,
        "another name",
        {
            "ptr": "4.4.8.8.in-addr.arpa. 60 IN PTR autre.exemple.quebec.",
            "more": f"autre.exemple.quebec. 60 IN A {PUBLIC}",
        },
    ),
    (Check.RETURN, "no server", {"mx": ""}),
    (Check.RETURN, "no server", {"mx": f"{D}. 60 IN MX 0 ."}),
]


@pytest.mark.parametrize(
    ("check", "cause", "parts"), BROKEN, ids=lambda value: value if isinstance(value, str) else ""
)
def test_each_broken_zone_is_a_fault_of_its_own(
    check: Check, cause: str, parts: dict[str, str]
) -> None:
    found = _found(_zone(**parts))
    assert (found[check].state, found[check].cause) == (State.MEND, cause)


def _short_key() -> str:
    """768 bits, from openssl: the library makes none so short."""
    command = "openssl genrsa 768 | openssl rsa -pubout -outform DER"
    made = subprocess.run(command, shell=True, check=True, capture_output=True)  # noqa: S602, fixed
    return base64.b64encode(made.stdout).decode()


@pytest.mark.parametrize(
    ("record", "state", "cause"),
    [
        ("v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", State.FINE, "fine"),
        ("v=DKIM1; p=WEAK", State.FINE, "weak"),
        ("p=GOOD", State.FINE, "fine"),
        ("v=DKIM2; p=GOOD", State.MEND, "unusable"),
        ("n=rien", State.MEND, "unusable"),
        ("v=DKIM1; p=SHORT", State.MEND, "short"),
    ],
)
def test_a_dkim_key_is_judged_by_its_kind_and_length(record: str, state: State, cause: str) -> None:
    record = record.replace("GOOD", _key(2048)).replace("WEAK", _key(1024))
    if "SHORT" in record:
        record = record.replace("SHORT", _short_key())
    found = _found(_zone(dkim=text(DKIM, record)))[Check.DKIM]
    assert (found.state, found.cause) == (state, cause)


def test_keys_whose_name_nobody_told_are_found_by_the_usual_names_or_left_unverified() -> None:
    unnamed = replace(NAMES, selectors=())
    assert _found(_zone(), unnamed)[Check.DKIM].detail["selector"] == "s1"
    strange = text(f"x7q._domainkey.{D}", f"v=DKIM1; p={_key(2048)}")
    found = _found(_zone(dkim=strange), unnamed)
    assert (found[Check.DKIM].state, found[Check.DKIM].cause) == (State.UNKNOWN, "no selector")
    assert (found[Check.ALIGNMENT].state, found[Check.ALIGNMENT].cause) == (State.FINE, "one")


def test_one_bad_key_among_the_named_ones_is_said() -> None:
    both = _zone(more=text(f"s2._domainkey.{D}", "v=DKIM1; p="))
    found = _found(both, replace(NAMES, selectors=("s1", "s2")))[Check.DKIM]
    assert (found.cause, found.detail["selector"]) == ("revoked", "s2")


ALIGNED = [
    ("courriel.coop.exemple.quebec", "", "fine"),
    ("retours.exemple.quebec", "", "fine"),
    ("fournisseur.example", "", "spf"),
    ("retours.coop.exemple.quebec", "aspf=s", "spf strict"),
]


@pytest.mark.parametrize(("bounce", "tags", "cause"), ALIGNED)
def test_the_bounce_domain_counts_where_dmarc_lets_it(bounce: str, tags: str, cause: str) -> None:
    zone = _zone(
        dmarc=text(DMARC, f"v=DMARC1; p=none; rua=mailto:r@{D}; {tags}"),
        more=f"{text(bounce, f'{SPF} -all')}\n{bounce}. 60 IN MX 10 {NAMES.host}.",
    )
    found = _found(zone, replace(NAMES, bounce=bounce))
    assert found[Check.ALIGNMENT].cause == cause
    assert (found[Check.DMARC].state, found[Check.DMARC].cause) == (State.FINE, "watching")


def test_a_key_of_the_parent_domain_does_not_count_where_dmarc_is_strict() -> None:
    key = text("s1._domainkey.exemple.quebec", f"v=DKIM1; p={_key(2048)}")
    strict = text(DMARC, f"v=DMARC1; p=none; rua=mailto:r@{D}; adkim=s")
    assert _found(_zone(dkim=key))[Check.ALIGNMENT].cause == "fine"
    assert _found(_zone(dkim=key, dmarc=strict))[Check.ALIGNMENT].cause == "dkim strict"


def test_the_policy_of_the_parent_domain_holds_for_ours() -> None:
    parent = text(
        "_dmarc.exemple.quebec", "v=DMARC1; p=none; sp=reject; rua=mailto:r@exemple.quebec"
    )
    found = _found(_zone(dmarc=parent, more=text("exemple.quebec", "rien")))[Check.DMARC]
    assert (found.state, found.detail["policy"]) == (State.FINE, "reject")


COVERING = [
    "v=spf1 ip4:8.8.4.0/24 ~all",
    f"v=spf1 a:{NAMES.host} -all",
    "v=spf1 mx -all",
    f"v=spf1 include:i.{D} -all",
    f"v=spf1 redirect=i.{D}",
    f"v=spf1 exists:%{{i}}.{D} -all",
]


@pytest.mark.parametrize("record", COVERING)
def test_this_machine_is_found_in_whatever_way_the_record_names_it(record: str) -> None:
    zone = _zone(spf=text(D, record), more=text(f"i.{D}", f"{SPF} -all"))
    assert _found(zone)[Check.SPF].cause == "fine"


def test_the_names_of_a_provider_s_relay_are_not_ours_to_mend() -> None:
    other = replace(NAMES, own=False)
    states = [_found(_zone(**{part: ""}), other)[Check.PTR].state for part in ("ptr", "a")]
    assert states == [State.UNKNOWN, State.UNKNOWN]
    elsewhere = text(D, f"v=spf1 ip4:{OTHER} -all")
    assert _found(_zone(spf=elsewhere), other)[Check.SPF].state is State.FINE


def test_a_private_address_says_nothing_of_where_mail_leaves() -> None:
    found = _found(_zone(a=f"{NAMES.host}. 60 IN A 192.168.0.2"))[Check.PTR]
    assert (found.state, found.cause) == (State.UNKNOWN, "private")
    bare = _found(_zone(), replace(NAMES, host="machine"))[Check.PTR]
    assert (bare.state, bare.cause) == (State.UNKNOWN, "no name")


@pytest.mark.parametrize(
    ("broken", "silent"),
    [
        (f"_dmarc.{D}", {Check.DMARC}),
        (DKIM, {Check.DKIM}),
        ("4.4.8.8.in-addr.arpa", {Check.PTR}),
        (f"i.{D}", {Check.SPF}),
    ],
)
def test_a_name_that_fails_leaves_its_own_check_unverified(broken: str, silent: set[Check]) -> None:
    """A failure of the DNS is no fault of the zone: nothing is said to mend."""
    zone = _zone(spf=text(D, f"{SPF} include:i.{D} -all"), more=text(f"i.{D}", f"{SPF} -all"))
    found = _found(zone, broken=frozenset({broken}))
    assert {one.check for one in found.values() if one.cause == "silence"} == silent
    assert all(found[check].state is State.UNKNOWN for check in silent)


def test_a_mute_dns_is_asked_once_and_leaves_all_unverified() -> None:
    with mute() as listening:
        made = resolver(f"127.0.0.1:{listening.getsockname()[1]}")
        assert made is not None
        made.timeout, made.lifetime = 0.1, 0.2
        found = list(check_names(Dns(made), NAMES))
        assert asked_in_vain(listening) == {D}
    assert [(one.check, one.state, one.cause) for one in found] == [
        (check, State.UNKNOWN, "silence") for check in CHECKS
    ]


def test_a_machine_without_a_resolver_leaves_all_unverified() -> None:
    assert {one.state for one in check_names(None, NAMES)} == {State.UNKNOWN}
