"""`alertes contacts`: one mailbox at a time, asked before it is taken away, said in French."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.conftest import Said

Alertes = Callable[..., Said]
ANNE, DOUBLE = "anne@exemple.quebec", "a.fictive@exemple.quebec"


@pytest.fixture
def coop(alertes: Alertes) -> Alertes:
    """The command, with an enterprise that has two contacts."""
    alertes("membres", "ajouter", "Coop fictive", "--debut", "2025-01-01")
    for address in (ANNE, DOUBLE):
        said = alertes("contacts", "ajouter", "coop", address, "--secteurs", "deneigement",
                       "--nom", "Anne Fictive", "--base", "exprès", "--preuve", "Formulaire 1",
                       "--consenti-le", "2025-02-01")  # fmt: skip
        assert said.code == 0, said.err
    return alertes


def _contacts(alertes: Alertes) -> list[tuple[str, list[str]]]:
    (member,) = json.loads(alertes("membres", "lister", "--json").out)["members"]
    return [(c["address"], c["not_mailed"]) for c in member["contacts"]]


def test_an_enterprise_has_several_contacts_that_can_be_mailed(coop: Alertes) -> None:
    assert _contacts(coop) == [(ANNE, []), (DOUBLE, [])]


def test_a_contact_without_a_basis_is_added_and_said_not_to_be_mailed(coop: Alertes) -> None:
    said = coop("contacts", "ajouter", "coop", "chloe@exemple.quebec", "--secteurs", "deneigement")
    assert (said.code, "Sans base de consentement" in said.err) == (0, True)
    assert _contacts(coop)[-1] == ("chloe@exemple.quebec", ["no consent"])
    given = coop("contacts", "modifier", "chloe@exemple.quebec", "--base", "adhésion")
    assert given.code == 0
    assert _contacts(coop)[-1] == ("chloe@exemple.quebec", [])


def test_an_address_that_is_nearly_another_is_warned_of(coop: Alertes) -> None:
    said = coop("contacts", "ajouter", "coop", "anne@exempel.quebec", "--secteurs", "deneigement")
    assert f"ressemble à {ANNE}" in said.err


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["ajouter", "coop", ANNE, "--secteurs", "deneigement"], 1, "a déjà cette adresse"),
        (["ajouter", "coop", "pas une adresse", "--secteurs", "deneigement"], 2, "n’est pas une"),
        (["ajouter", "coop", "аnne@exemple.quebec", "--secteurs", "deneigement"], 2, "étranger"),
        (["ajouter", "coop", "b@exemple.quebec", "--secteurs", "magie"], 2, "ecteur inconnu"),
        (["ajouter", "coop", "b@exemple.quebec"], 2, "--secteurs"),
        (["ajouter", "coop", "b@exemple.quebec", "--secteurs", "deneigement", "--preuve", "x"],
         2, "Indiquer aussi la base"),
        (["modifier", ANNE], 2, "Indiquer ce qui change"),
        (["modifier", ANNE, "--adresse", DOUBLE], 1, "a déjà cette adresse"),
        (["retirer", ANNE], 1, "ajouter --oui"),
        (["fusionner", ANNE, ANNE, "--oui"], 1, "deux fois le même contact"),
        (["fusionner", ANNE, DOUBLE], 1, "ajouter --oui"),
        (["retirer", "personne", "--oui"], 1, "Aucun contact ne répond"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)  # fmt: skip
def test_what_cannot_be_is_said_in_french_and_changes_nothing(
    coop: Alertes, words: list[str], code: int, told: str
) -> None:
    said = coop("contacts", *words)
    assert (said.code, told in " ".join(said.err.split())) == (code, True), said.err
    assert _contacts(coop) == [(ANNE, []), (DOUBLE, [])]


def test_an_address_of_another_enterprise_is_refused_with_its_name(coop: Alertes) -> None:
    coop("membres", "ajouter", "Autre entreprise")
    said = coop("contacts", "ajouter", "Autre entreprise", ANNE, "--secteurs", "deneigement")
    assert (said.code, "Coop fictive" in said.err) == (1, True)


def test_a_removed_contact_is_not_mailed_and_can_be_taken_back(coop: Alertes) -> None:
    assert coop("contacts", "retirer", DOUBLE, "--oui").code == 0
    assert _contacts(coop) == [(ANNE, [])]
    assert coop("contacts", "ajouter", "coop", DOUBLE, "--secteurs", "deneigement").code == 0
    assert _contacts(coop) == [(ANNE, []), (DOUBLE, [])]


def test_merging_is_said_first_and_the_double_answers_for_the_kept_one(coop: Alertes) -> None:
    said = coop("contacts", "fusionner", ANNE, DOUBLE, "--oui")
    assert said.code == 0
    assert "son abonnement reste tel quel" in said.err
    assert _contacts(coop) == [(ANNE, [])]
    why = coop("pourquoi", DOUBLE, "99999999")
    assert "a été fusionné avec le contact 1" in " ".join(why.err.split())


def test_who_unsubscribed_stays_so_through_a_merge(coop: Alertes) -> None:
    coop("abonnements", "desabonner", DOUBLE, "--oui")
    said = coop("contacts", "fusionner", ANNE, DOUBLE, "--oui")
    assert "s’est désabonné" in said.err
    assert _contacts(coop) == [(ANNE, ["left"])]


def test_a_script_gets_one_object_of_every_change(coop: Alertes) -> None:
    added = coop(
        "contacts", "ajouter", "coop", "chloe@exemple.quebec", "--secteurs", "deneigement", "--json"
    )
    made = json.loads(added.out)
    assert (made["address"], made["subscribed"]) == ("chloe@exemple.quebec", True)
    renamed = coop("contacts", "modifier", str(made["id"]), "--nom", "Chloé Fictive", "--json")
    assert json.loads(renamed.out)["name"] == "Chloé Fictive"
    assert json.loads(coop("contacts", "retirer", str(made["id"]), "--oui", "--json").out)
    merged = json.loads(coop("contacts", "fusionner", ANNE, DOUBLE, "--oui", "--json").out)
    assert (merged["address"], merged["subscription"]) == (ANNE, "kept")
    ended = json.loads(coop("membres", "terminer", "coop", "--json").out)
    assert [row["known"] for row in ended["memberships"]] == [False, True]
