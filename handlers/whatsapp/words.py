"""What may be said on WhatsApp, with or without a slash; pure. Everything else is free words."""

import re
from dataclasses import dataclass

from bot.model.contact import Consent
from bot.model.terms import FIXED

COMMANDS = frozenset(FIXED["whatsapp"])

_START = """
start, subscribe, unstop, optin, opt in, opt-in, abonnieren, anmelden, commencer, abonner, s'abonner,
je m'abonne, empezar, comenzar, suscribir, suscribirme, iniciar, assinar, inscrever
"""
_STOP = """
stop, stopall, stop all, unsubscribe, cancel, end, quit, optout, opt out, opt-out, revoke, stopp,
abmelden, abbestellen, beenden, kündigen, arret, arrêt, arreter, arrêter, desabonner, désabonner,
se désabonner, desinscrire, désinscrire, parar, alto, baja, dar de baja, darme de baja, cancelar,
salir, pare, sair, remover, descadastrar
"""
START, STOP = (
    frozenset(" ".join(word.split()) for word in words.split(",")) for words in (_START, _STOP)
)
"""As whole messages only: English, German, French, Spanish, Portuguese."""

_SAYING = re.compile(r"[/!]?([a-z_-]+)(?=[\s.!?,]|$)(.*)", re.DOTALL | re.IGNORECASE)
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
_AROUND = " \t\r\n.,;:!?\"'\u201c\u201d\u2018\u2019«»¡¿*_~/"
_REF = r"#?[pP]?\d{1,9}(?:\.\d{1,4})?"
"""A proposal, and which words of it: P12.1 are those of the first edit."""
_NAME = r"[\w:.$*@-]{1,40}"
_CODE = r"(?=\S*\d)[\w-]{4,60}"
_WHEN = (
    r"(?:daily|weekly|on|at|zone(?: [\w/+-]{1,40})?|me|here|always|utc|\d{1,2}(?::\d\d)?(?:am|pm|h)?|[a-z]+/[\w/+-]{1,40}|"
    r"(?:mon|tues?|wednes|thurs?|fri|satur|sun)(?:day)?s?)"
)
_ARGUMENTS = {
    name: re.compile(rf"(?:{pattern})\Z", re.DOTALL | re.IGNORECASE)
    for name, pattern in {
        "approve": _REF,
        "rollback": _REF,
        "decline": rf"{_REF}(?:\s.*)?",
        "proposals": rf"{_REF}|offered|approved|declined|expired|rolled[-_]back|superseded",
        "help": "|".join(sorted(COMMANDS)),
        "runs": r"(?:all|requests|commands|jobs)(?: (?:requests|commands|jobs))?",
        "metrics": r"\w{1,30}|\w{1,30} \d{1,3}|\d{1,3}",
        "budget": rf"set(?: {_NAME}){{2,4}}",
        "jobs": r"list|(?:pause|resume|run) [\w-]{1,40}",
        "digest": rf"(?:daily|weekly|now|off)(?:,? {_WHEN})*",
        "link": r"[a-z0-9]{4}-?[a-z0-9]{4}|list",
        "unlink": rf"{_NAME}(?: {_NAME})?",
        **dict.fromkeys(("claim", "retry", "resend"), _CODE),
    }.items()
}
"""What may follow each command; whatever else does is free words, and is not kept."""
_SLASHED_ONLY = frozenset({"metrics", "budget", "unlink"})
"""With these an ordinary sentence could begin."""


@dataclass(frozen=True, slots=True)
class Meant:
    """`command` is "" for free words. `consent` is what the word says about being written to."""

    command: str
    consent: Consent = ""
    word: str = ""


FREE = Meant("")


def meant(text: str) -> Meant:
    text = storable(text).strip()
    said = " ".join(text.strip(_AROUND).casefold().split())
    if said in STOP:
        return Meant("/unsubscribe", "out", said)
    if said in START:
        return Meant("/subscribe", "in", said)
    return Meant(_command(text))


def _command(text: str) -> str:
    match = _SAYING.match(text)
    name = match[1].lower().replace("_", "-") if match else ""
    if match is None or name not in COMMANDS:
        return ""
    slashed, said = text[0] in "/!", match[2].strip()
    allowed = _ARGUMENTS.get(name)
    for rest in (said, said.rstrip(_AROUND)):
        if allowed and allowed.match(rest) and (slashed or name not in _SLASHED_ONLY):
            return f"/{name} {rest}"
    if slashed and name in ("approve", "rollback"):
        said = said.split(maxsplit=1)[0] if said else ""
        return f"/{name} {said}" if re.fullmatch(_REF, said) else f"/{name}"
    return f"/{name}" if slashed or not said.strip(_AROUND) else ""


def storable(text: str) -> str:
    return _UNSTORABLE.sub("", text)
