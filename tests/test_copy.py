"""Every French template, sentence of a staff command and page for staff keeps Québec typography.

Rules: OQLF, «Espacement avant et après les signes» (docs/glossary.md). Quoted notices are not read.
"""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TEMPLATES = sorted(
    path for path in (ROOT / "templates").rglob("*") if path.suffix in {".txt", ".html"}
)
SCRIPTS = sorted((ROOT / "scripts").rglob("*.py"))
#: Written for staff; what is typed in a terminal, and what that answers, is not read.
GUIDE = [*sorted((ROOT / "docs" / "guide").glob("*.md")), ROOT / "docs" / "support-tasks.md"]
NBSP = "\u00a0"
#: What is wrong -> what to write.
FAULTS = {
    r"\w'\w": "the apostrophe ’",
    rf"[ {NBSP}][;!?](?![=\w])": "no space before ; ! ?",
    r"[\w’»)] ?:(?= |$)": "a no-break space before a colon",
    r"« | »": "no-break spaces inside guillemets",
    r"\d (?:\$|%|h\b)": "a no-break space before $, % and h",
    r"\w·\w": "a neutral wording, or parentheses",
    r"\b\d{1,2}h\d{0,2}\b|(?<!-\d\d )\b\d{1,2}:\d\d\b": "14 h 30",
    r"\b\d{1,2}/\d{1,2}/\d{2,4}\b": "23 novembre 2026",
    r"\d+(?:ème|eme|ième)\b": "2e",
    r"\d[ \u00a0](?:Janvier|Février|Mars|Avril|Mai|Juin|Juillet|Août|Septembre)\b": "no capital",
    r"\d[ \u00a0](?:Octobre|Novembre|Décembre)\b": "no capital",
}
#: Anglicisms and the words of France -> what Québec writes (OQLF, GDT; docs/glossary.md).
WORDS = {
    r"e-?mails?|mails?|mèl": "courriel",
    r"newsletters?|digests?": "infolettre, lettre",
    r"(?:se |vous )?désinscri\w+|unsubscribe": "se désabonner",
    r"gérer (?:mes|vos) (?:notifications|préférences)": "modifier vos préférences",
    r"bounces?|bounced": "message non livré",
    r"acheteurs?|marchés?": "organisme, appel d’offres",
    r"cliquez(?: ici)?|clique[rz]?": "the link says where it leads",
    r"spams?|junk": "pourriel",
    r"deadlines?": "date limite",
    r"feedbacks?": "avis, commentaire",
    r"updates?|mettre à date": "mettre à jour",
    r"links?|online|login|password": "lien, en ligne, mot de passe",
    r"canceller|cédule\w*|initialiser": "annuler, calendrier, parapher",
    r"abonné·e|membre·s": "a neutral wording",
}


def _words(prose: str) -> list[tuple[str, str]]:
    return [
        (right, found[0])
        for wrong, right in WORDS.items()
        for found in re.finditer(rf"(?i)(?<![\w\-./@])(?:{wrong})(?![\w@.-]*\w)", prose)
    ]


def _faults(prose: str) -> list[tuple[str, str]]:
    found = []
    for wrong, right in FAULTS.items():
        found += [
            (right, prose[max(0, m.start() - 30) : m.end() + 10]) for m in re.finditer(wrong, prose)
        ]
    return found


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_template_is_in_quebec_typography(path: Path) -> None:
    copy = path.read_text("utf-8")
    prose = re.sub(r"<!--.*?-->|<style>.*?</style>|<[^>]*>", " ", copy, flags=re.DOTALL)
    # Sentences stand within Jinja's tags too; its own words do not.
    tags = re.findall(r"\{[{%].*?[}%]\}", prose, flags=re.DOTALL)
    bare = re.sub(r"\{[{%#].*?[}%#]\}", "0", prose, flags=re.DOTALL)
    quoted = [one for tag in tags for one in re.findall(r'"([^"]* [^"]*)"', tag)]
    assert _faults(bare) + [fault for one in quoted for fault in _faults(one)] == []
    said = [bare, *(one for tag in tags for one in re.findall(r'"([^"/]+)"', tag))]
    assert [fault for one in said for fault in _words(one)] == []


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_command_speaks_in_quebec_typography(path: Path) -> None:
    sentences = [one for one in _sentences(path) if " " in one]
    assert [fault for one in _sentences(path) for fault in _faults(one)] == []
    assert [fault for one in sentences for fault in _words(one)] == []


@pytest.mark.parametrize("path", GUIDE, ids=lambda path: path.name)
def test_a_page_for_staff_is_in_quebec_typography(path: Path) -> None:
    prose = re.sub(r"(?ms)^```.*?^```$|<!--.*?-->", "", path.read_text("utf-8"))
    prose = re.sub(r"`[^`]*`|\]\([^)]*\)", "0", prose)
    assert len(prose) > 300
    assert _faults(prose) == []
    assert _words(prose) == []


def test_what_every_command_says_of_the_settings_is_in_quebec_typography() -> None:
    sections = tomllib.loads((ROOT / "templates" / "console" / "faults.toml").read_text("utf-8"))
    said = [sentence for section in sections.values() for sentence in section.values()]
    assert len(said) > 10
    assert [fault for one in said for fault in _faults(one)] == []


def _sentences(path: Path) -> list[str]:
    """The strings of a module, its docstrings and regular expressions apart."""
    tree = ast.parse(path.read_text("utf-8"))
    left_out: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            left_out |= {id(node.body[0].value)} if _is_docstring(node.body) else set()
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "re.compile":
            left_out |= {id(inner) for inner in ast.walk(node)}
        if isinstance(node, ast.JoinedStr):
            left_out |= {id(inner) for inner in node.values}
    return [
        _text(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant | ast.JoinedStr) and id(node) not in left_out
    ]


def _is_docstring(body: list[ast.stmt]) -> bool:
    return isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)


def _text(node: ast.Constant | ast.JoinedStr) -> str:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    parts = []
    for part in node.values:
        if isinstance(part, ast.Constant):
            parts.append(str(part.value))
        else:
            parts.append(
                NBSP if ast.unparse(part) == "{NBSP}" or "NBSP" in ast.unparse(part) else "0"
            )
    return "".join(parts)


@pytest.mark.parametrize(
    "wrong",
    [
        "l'avis",
        "Vous partez ?",
        f"Vous partez{NBSP}!",
        "Clôture: lundi",
        "Clôture : lundi",
        "« avis »",
        "12 $",
        "14 h",
        "abonné·e",
        "à 14h30",
        "à 14:30",
        "23/11/2026",
        "la 2ème fois",
        "le 1er\u00a0Octobre, le 2\u00a0Octobre",
    ],
)
def test_the_faults_are_seen(wrong: str) -> None:
    assert _faults(wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        "votre e-mail",
        "par mail",
        "Se désinscrire",
        "Gérer vos préférences",
        "Cliquez ici",
        "le spam",
    ],
)
def test_the_words_of_elsewhere_are_seen(wrong: str) -> None:
    assert _words(wrong)


def test_addresses_and_right_words_are_no_fault() -> None:
    assert not _words("Votre courriel, à a@mail.exemple.quebec : un appel d’offres; se désabonner.")


def test_right_typography_is_no_fault() -> None:
    assert not _faults(
        f"Clôture{NBSP}: lundi 1er{NBSP}juin, 14{NBSP}h{NBSP}05; «{NBSP}l’avis{NBSP}»!"
    )
