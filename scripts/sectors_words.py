"""The French of `alertes secteurs`: what is wrong with a catalogue or a labelled file."""

from __future__ import annotations

from alerts.evaluation import LabelledInvalid
from alerts.evidence import Evidence, Where
from alerts.vetting import Fault, Wrong
from base.french import NBSP

#: What is wrong; `{}` is what was found.
_WRONG: dict[Wrong, str] = {
    Wrong.NOT_UTF8: "le fichier n’est pas en UTF-8. L’enregistrer en UTF-8",
    Wrong.NOT_TOML: "ce n’est pas du TOML ({}). Vérifier les guillemets, crochets et virgules",
    Wrong.NO_SECTOR: "aucun secteur. Chaque secteur commence par [[secteur]]",
    Wrong.UNKNOWN_KEY: "«⍽{}⍽» n’est pas une clé connue. Corriger son nom ou l’enlever",
    Wrong.MISSING: "la clé «⍽{}⍽» manque. L’ajouter, vide au besoin⍽: {} = []",
    Wrong.NOT_TEXT: "il faut un texte entre guillemets, pas «⍽{}⍽»",
    Wrong.NOT_LIST: "il faut une liste de textes entre crochets, pas «⍽{}⍽»",
    Wrong.SLUG_FORM: "«⍽{}⍽» ne peut pas être un code. Écrire en minuscules sans accents, "
    "avec des traits d’union",
    Wrong.SLUG_TWICE: "le code «⍽{}⍽» est déjà celui d’un autre secteur. En choisir un autre",
    Wrong.LABEL_TWICE: "le libellé «⍽{}⍽» est déjà celui d’un autre secteur. En choisir un autre",
    Wrong.EMPTY_WORD: "un mot est vide. L’enlever",
    Wrong.SMALL_WORDS: "«⍽{}⍽» ne contient que de petits mots, qui se trouvent partout. "
    "L’enlever ou le préciser",
    Wrong.WORD_TWICE: "«⍽{}⍽» est deux fois dans la liste. En enlever un",
    Wrong.WORD_AND_EXCLUSION: "«⍽{}⍽» annule un mot-clé qui lui est égal, au pluriel et au féminin "
    "près. Enlever l’un des deux",
    Wrong.NOT_UNSPSC: "«⍽{}⍽» n’est pas un préfixe UNSPSC. Écrire de 2 à 8 chiffres",
    Wrong.NOT_SEAO: "«⍽{}⍽» n’est pas une catégorie du SEAO. Écrire par exemple S9 ou C01",
    Wrong.NOT_NATURE: "«⍽{}⍽» n’est pas une nature. Écrire biens, services, travaux ou etudes",
    Wrong.NOTHING_SAYS_IT: "aucun mot-clé ni code⍽: rien ne dira ce secteur. En ajouter",
}

_LABELLED = {
    "not UTF-8": "le fichier n’est pas en UTF-8. L’enregistrer en «⍽CSV UTF-8⍽»",
    "missing columns": "il manque des colonnes⍽: {}. La première ligne doit les nommer",
    "not CSV": "ce n’est pas du CSV ({})",
    "unknown sector": "«⍽{}⍽» n’est pas un secteur du catalogue. Corriger le code, ou écrire none",
}

_WHERE = {
    Where.TITLE: "titre",
    Where.LABEL: "classification",
    Where.DESCRIPTION: "description",
    Where.CODE: "code",
    Where.OWN_WORD: "mot du contact",
}


def fault(name: str, one: Fault) -> str:
    """«secteurs.toml, ligne 12, deneigement, mots_cles : « de la » ne contient que…»."""
    where = [name, f"ligne {one.line}" if one.line else "", one.slug, one.key]
    said = _WRONG[one.wrong].replace("{}", one.detail)
    return _typeset(f"{', '.join(filter(None, where))}⍽: {said}.")


def labelled(name: str, error: LabelledInvalid) -> str:
    """What is wrong with a labelled file, where, and what to do."""
    where = f"{name}, ligne {error.line}" if error.line else name
    said = _LABELLED[error.reason].replace("{}", error.detail)
    return _typeset(f"{where}⍽: {said}.")


def evidence(one: Evidence) -> str:
    """«titre « conciergerie »», «code 91111601»."""
    if one.where is Where.CODE:
        return f"{_WHERE[one.where]} {one.text}"
    return f"{_WHERE[one.where]} «{NBSP}{one.text}{NBSP}»"


def _typeset(text: str) -> str:
    return text.replace("⍽", NBSP)
