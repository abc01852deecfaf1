"""Answers of SEAO's search as its public clients read them: made, no real one could be found."""

from __future__ import annotations

import json
import uuid
from typing import Any
from urllib.parse import urlsplit

from tests.webserver import Page, Site

QUERY = "/prod/api/recherche?statIds=6&tpIds=2,3,5,6,7,8,10,14,15,17,18"


def uuid_of(number: int) -> str:
    return str(uuid.UUID(int=0x0D2661A7_EDC6_42FF_9274_000000000000 + number))


def notice(number: int = 1, **changes: Any) -> dict[str, Any]:
    """One notice of a list; a member whose new value is `...` is left out."""
    made = {
        "id": 20_170_000 + number,
        "uuid": uuid_of(number),
        "numero": f"2026-{number:03}",
        "titre": f"Entretien ménager de l’édifice {number}",
        "nomDonneurOuvrage": "Ville de Saint-Jérôme.",
        "donneurOuvrageUUID": "7b0f0c1e-0000-4000-8000-000000000001",
        "statutAvisId": 6,
        "typeAvisId": 10,
        "categorieId": 33,
        "regionIds": [15],
        "datePublicationUtc": "2026-09-21T12:00:00Z",
        "dateFermetureUtc": "2026-10-07T15:00:00Z",
    } | changes
    return {key: value for key, value in made.items() if value is not ...}


def answer(*notices: object, total: object = ...) -> bytes:
    """One page of the list; `total` is left out where it is `...`."""
    data: dict[str, object] = {"results": notices}
    if total is not ...:
        data["total"] = total
    return json.dumps({"apiData": data}).encode()


def detail(text: str) -> bytes:
    return json.dumps(
        {
            "apiData": {
                "avisResumeDescription": {"descriptionHtml": text},
                "avisResumeConditions": {"descriptionHtml": "<p>Conditions</p>"},
                "avisResumeInformation": {"valeurEstime": None},
            }
        }
    ).encode()


def offer(site: Site, notices: list[Any], *, size: int, paged: bool, total: bool = True) -> str:
    """Let `site` answer as the search: `size` at a time by `offset`, or ignoring it.

    The address of the list.
    """
    said = len(notices) if total else ...
    for offset in [*range(0, len(notices), size), len(notices)]:
        page = notices[offset : offset + size] if paged else notices[:size]
        query = QUERY + (f"&offset={offset}" if offset else "")
        site.pages[query] = Page(body=answer(*page, total=said), etag=f'"{len(page)}-{offset}"')
    for one in notices:
        text = f"<p>Description de <b>{one['titre']}</b></p>"
        site.pages[f"/prod/api/avis/{one['uuid']}/consulter"] = Page(body=detail(text), etag='"d"')
    return f"{site.url}{QUERY}"


def lists(site: Site) -> list[str]:
    """The questions for the list that the server got."""
    return [path for path in site.paths() if urlsplit(path).path.endswith("/recherche")]


def details(site: Site) -> list[str]:
    """The uuids whose detail the server was asked for."""
    return [path.split("/")[-2] for path in site.paths() if path.endswith("/consulter")]
