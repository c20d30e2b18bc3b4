"""Which tool a plainly worded question asks for, without a model to tell."""

import re
from collections.abc import Callable, Mapping
from functools import cache
from zoneinfo import available_timezones

Wanted = tuple[str, Mapping[str, object]]
"""A tool's name and its arguments."""

_POLITE = r"(?:(?:please|hey|ok(?:ay)?|can you|could you)[,:]?\s+)*"
_REMEMBER = re.compile(
    rf"^{_POLITE}(?:remember|note|keep in mind)(?:\s+that\b|\s*:)\s*(\S.*)$", re.I | re.S
)
_RECALL = re.compile(
    r"\bwhat (?:do|did) you (?:remember|recall) (?:about|of) (\S.*?)[?.!\s]*$", re.I | re.S
)

_HELLO = r"(?:hi|hello|hey|hiya|howdy|greetings|good (?:morning|afternoon|evening|day))"
_GREETING = re.compile(
    rf"^{_HELLO}?(?:\s+(?:there|again|ratchet|bot|team|all|everyone))*[\s,.!]*"
    r"(?:(?:so\s+)?(?:(?:what|how) (?:can|do|could) (?:you|this|ratchet) (?:do|help|work)"
    r"(?: (?:me|us|with|for|here|me with|us with|for me|for us))*"
    r"|who are you|what are you|what is this|what's this|how are you"
    r"|what can i (?:do|ask|say)(?: (?:you|here|with you))*|help(?: me)?"
    r"|can you help(?: me| us)?|introduce yourself))?[\s?!.]*$",
    re.I,
)

_FUNCTIONS = "sqrt|abs|round|floor|ceil|min|max|sum|ln|log10|log2|exp|sin|cos|tan|factorial"
_SUM = re.compile(
    rf"(?:\b(?:{_FUNCTIONS})\s*\(|\d[\d.,]*|\.\d+|[()+\-*/^%\u00d7\u00f7\u2212]|\bof\b|\bpi\b|,|\s)+",
    re.I,
)
_OPERATION = re.compile(
    rf"(?:[\d)]\s*(?:[+\-*/^\u00d7\u00f7\u2212]|%\s*of\b|%\s*\d)|\b(?:{_FUNCTIONS})\s*\()", re.I
)
_SAID = (
    (re.compile(r"\bsquare root of (\d[\d.]*)", re.I), r"sqrt(\1)"),
    (re.compile(r"\b(?:multiplied by|times)\b", re.I), "*"),
    (re.compile(r"(?<=\d)\s*x\s*(?=\d)", re.I), "*"),
    (re.compile(r"\bdivided by\b", re.I), "/"),
    (re.compile(r"\bplus\b", re.I), "+"),
    (re.compile(r"\bminus\b", re.I), "-"),
    (re.compile(r"\bto the power of\b", re.I), "^"),
    (re.compile(r"\bsquared\b", re.I), "^2"),
    (re.compile(r"(?<=\d)\s*percent\b", re.I), "%"),
)
_NOT_A_SUM = re.compile(r"\d{4}-\d{1,2}-\d{1,2}|[\d-]*\d{3,}-\d{4,}|\d{1,2}/\d{1,2}/\d{2,4}")
_AROUND_SUMS_WORDS = """
what s is the are how much many calculate compute evaluate solve work out result value of answer
to please can could you tell me equal equals give hey and a do add up
"""
_AROUND_SUMS = frozenset(_AROUND_SUMS_WORDS.split())

_CLOCK_WORDS = """
time date day today weekday week clock
"""
_CLOCK = frozenset(_CLOCK_WORDS.split())
_AROUND_CLOCK_WORDS = """
what s is it the now current right in of please tell me which can could you give today days
tomorrow yesterday will be was from ago utc number calendar iso do we have at this
"""
_AROUND_CLOCK = _CLOCK | frozenset(_AROUND_CLOCK_WORDS.split())
_SHIFT = re.compile(r"\b(?:in (\d{1,5}) days?|(\d{1,5}) days? (from now|ago))\b", re.I)
_PLACE = re.compile(r"\b(?:in|for)\s+([A-Za-z_]+(?:[/ ][A-Za-z_]+){0,2})\s*[?.!]*$", re.I)

_HISTORY = re.compile(
    r"\b(?:(?:did|have|has) (?:you|we|the team|the bot|everyone) (?:all )?(?:learn|do\b|done|spen)"
    r"|(?:you|we) (?:learn(?:ed|t)|spen[dt]|do(?:ing|ne)?\b)"
    r"|how many (?:runs|requests|questions|messages|errors|failures)"
    r"|(?:runs|errors|failures) (?:today|yesterday|this|last|in the)"
    r"|runs?\b.*\bfail(?:ed|s|ing)?\b|fail(?:ed|ing)\b.*\bruns?\b|what failed"
    r"|(?:success rate|metrics|run history)|how (?:did|are|were) (?:you|things|it|the runs)"
    r"|what did (?:it|you|they|runs|everything) cost|what went wrong)",
    re.I,
)
_AROUND_HISTORY_WORDS = """
what did do done doing you we have has how many much runs run requests request questions
messages errors error failures failed fail learn learned learnt learning spend spent cost costs
success rate metrics history today yesterday this last past week weeks month day days hour hours
since the in of and or are were was is there so far it they things everything went wrong go
going new your our show me tell please all team bot everyone lately recently from feedback
people on over a s answered answer handled for were
which any many list give see does didn t not get got recent
"""
_AROUND_HISTORY = frozenset(_AROUND_HISTORY_WORDS.split())
_SPAN = re.compile(r"\b(?:last|past|in the last)\s+(\d{1,3})\s+(hour|day|week)s?\b", re.I)


def wanted(question: str) -> Wanted | None:
    """The tool to call before anything is quoted, if the question plainly asks for one."""
    tries: tuple[Callable[[str], Wanted | None], ...] = (_remember, _sum, _clock, _history)
    for attempt in tries:
        if found := attempt(question.strip()):
            return found
    return None


def is_greeting(question: str) -> bool:
    """Whether it only says hello or asks what can be asked."""
    said = re.search(r"[^\W\d_]", question)
    return bool(said and len(question) <= 200 and _GREETING.match(question.strip()))


def recall(question: str) -> Wanted | None:
    """What to look up when nothing at hand answers."""
    found = _RECALL.search(question)
    return ("recall", {"question": found[1][:1000]}) if found else None


def _words(text: str) -> set[str]:
    return set(re.findall(r"[^\W\d_]+", text.casefold()))


def _remember(question: str) -> Wanted | None:
    found = _REMEMBER.match(question)
    return ("remember", {"text": found[1].strip()}) if found else None


def _sum(question: str) -> Wanted | None:
    if len(question) > 500:
        return None
    for pattern, symbol in _SAID:
        question = pattern.sub(symbol, question)
    for found in _SUM.finditer(question):
        text = re.sub(r"^of\b|\bof$", "", found[0].strip(" ,")).strip(" ,.")
        around = question[: found.start()] + " " + question[found.end() :]
        if (
            _OPERATION.search(text)
            and not _NOT_A_SUM.fullmatch(text)
            and _words(around) <= _AROUND_SUMS
        ):
            return "calculator", {"expression": text}
    return None


def _clock(question: str) -> Wanted | None:
    place = _PLACE.search(question)
    zone = _zone(place[1]) if place else ""
    rest = question[: place.start()] if place and zone else question
    shift = _SHIFT.search(rest)
    said = _words(rest)
    if not said & _CLOCK or not said <= _AROUND_CLOCK or not said & {"what", "which", "tell"}:
        return None
    arguments: dict[str, object] = {"timezone": zone} if zone else {}
    if days := _days(shift, said):
        arguments["add_days"] = days
    return "date_and_time", arguments


def _days(shift: re.Match[str] | None, said: set[str]) -> int:
    if shift:
        return -int(shift[2]) if shift[3] == "ago" else int(shift[1] or shift[2])
    return 1 if "tomorrow" in said else -1 if "yesterday" in said else 0


def _zone(place: str) -> str:
    return _zones().get(place.strip().replace(" ", "_").casefold(), "")


@cache
def _zones() -> dict[str, str]:
    """By whole name and by city."""
    names = sorted(available_timezones())
    by_city = {name.split("/")[-1].casefold(): name for name in names if "/" in name}
    return {**by_city, **{name.casefold(): name for name in names}}


def _history(question: str) -> Wanted | None:
    if not _HISTORY.search(question) or len(_words(question) - _AROUND_HISTORY) > 0:
        return None
    return "run_history", {"period": _period(question)}


def _period(question: str) -> str:
    said = _words(question)
    if span := _SPAN.search(question):
        return f"{span[1]}{span[2][0].lower()}"
    for word, period in (("today", "today"), ("yesterday", "yesterday"), ("month", "30d")):
        if word in said:
            return period
    if said & {"week", "weeks", "lately", "recently"}:
        return "7d"
    return "today"
