"""Secrets out of text, before anything is stored or logged: linear in time, and idempotent."""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from bot.card_numbers import hide_cards

_Replace = str | Callable[[re.Match[str]], str]
_MARK = r"\[redacted: [a-z -]+\]"
_MAX_DEPTH = 100
_MAX_PASSES = 8

_NAMED = (
    "password|passwd|passphrase|pwd|token|secret(?:[_-]?(?:access[_-]?)?key)?|"
    "api[_-]?key|access[_-]?key|private[_-]?key|signing[_-]?key|credentials?"
)
_VALUE = rf"(?:{_MARK}|[^\s\"'`,;&<>(){{}}\[\]\\])++"

_PEM = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY[A-Z ]{0,10}-----[\s\S]*?"
    r"(?:-----END [A-Z0-9 ]{0,30}PRIVATE KEY[A-Z ]{0,10}-----|\Z)"
)
_AWS_ID = re.compile(r"(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z0-9]{12,124}(?![A-Za-z0-9])")
# An AWS secret looks like any 40 characters of base64: believed only where a key id stands too.
_AWS_SECRET = re.compile(
    r"(?<![A-Za-z0-9/+=])(?![0-9a-f]{40}(?![A-Za-z0-9/+=]))[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])"
)
_SK = re.compile(
    r"(?<![A-Za-z0-9])(?:sk|rk|pk)[-_](?:live|test|proj|ant|svcacct|or)?[-_]?"
    r"[A-Za-z0-9_-]{10,}"
)
_SLACK = re.compile(r"(?<![A-Za-z0-9])(?:xox[a-z]|xapp|xwfp)(?:\.xox[a-z])?-[A-Za-z0-9-]{6,}")
_SLACK_HOOK = re.compile(r"(?<=hooks\.slack\.com/)[a-z]+/[A-Za-z0-9_/-]{8,}")
_GITHUB = re.compile(
    r"(?<![A-Za-z0-9])(?:gh[pousr]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{16,}|"
    r"glpat-[A-Za-z0-9_-]{16,})"
)
_GOOGLE = re.compile(r"(?<![A-Za-z0-9])(?:AIza[A-Za-z0-9_-]{30,}|ya29\.[A-Za-z0-9_-]{20,})")
_STRIPE_HOOK = re.compile(r"(?<![A-Za-z0-9])(?:whsec|hf|npm)_[A-Za-z0-9]{20,}")
_TELEGRAM = re.compile(r":(?<=[0-9]{5}:)(?:AA[A-Za-z0-9_-]{10,}|[A-Za-z0-9_-]{35}(?![\w-]))")
_JWT = re.compile(r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*")
_HEADER = re.compile(
    r"(authorization\\?[\"']?\s{0,8}[:=]\s{0,8}\\?[\"']?)"
    rf"(?:(bearer|basic|digest|token|bot|apikey)(\s{{1,8}}))?({_VALUE})",
    re.IGNORECASE,
)
_BEARER = re.compile(
    r"(?<![A-Za-z0-9])((?:bearer|basic)\s{1,8})"
    r"(?=[A-Za-z._~+/=-]{0,400}[0-9])[A-Za-z0-9._~+/=-]{12,}",
    re.IGNORECASE,
)
_QUOTED = r"(\\?[\"'])(?!\s)([^\"'\\\n]{1,4000})"
_ASSIGNED = re.compile(
    rf"((?:{_NAMED})\\?[\"']?\s{{0,8}}=\s{{0,8}})(?:{_QUOTED}|({_VALUE}))", re.IGNORECASE
)
# "password: hunter2" is an assignment, "the password: ask the owner" is prose.
_COLON = re.compile(
    rf"((?:{_NAMED})\\?[\"']?[ \t]{{0,8}}:[ \t]{{0,8}})"
    rf"(?:{_QUOTED}|"
    rf"((?=[^\s\"',;]{{0,400}}[0-9!#$%^*+=@~]){_VALUE}|{_VALUE}(?=[ \t]{{0,8}}(?:[\n\r,;}}\]]|\Z))))",
    re.IGNORECASE,
)
_USERINFO = re.compile(r"://(?<=[A-Za-z0-9]://)([^\s/:@\"'<>]{0,200}):([^\s/\"'<>]{1,200})@")
_EMAIL = re.compile(
    r"(?<![\w.%+-])[\w.%+-]{1,64}@(?:[^\W_][\w-]{0,62}\.){1,8}[^\W\d_]{2,24}(?![\w-])"
)


def _header(match: re.Match[str]) -> str:
    lead, scheme, gap, _ = match.groups()
    return f"{lead}{scheme or ''}{gap or ''}[redacted: key]"


def _assigned(match: re.Match[str]) -> str:
    return f"{match[1]}{match[2] or ''}[redacted: password]"


# What must stand in the lower-cased text for a rule to be worth trying, the rule, and its mark.
_RULES: tuple[tuple[tuple[str, ...], re.Pattern[str], _Replace], ...] = (
    (("-----begin",), _PEM, "[redacted: private key]"),
    (("akia", "asia"), _AWS_ID, "[redacted: key]"),
    (("sk-", "sk_", "rk_", "pk_", "rk-", "pk-"), _SK, "[redacted: key]"),
    (("xox", "xapp-", "xwfp-"), _SLACK, "[redacted: key]"),
    (("hooks.slack.com",), _SLACK_HOOK, "[redacted: key]"),
    (("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-"), _GITHUB, "[redacted: key]"),
    (("aiza", "ya29."), _GOOGLE, "[redacted: key]"),
    (("whsec_", "hf_", "npm_"), _STRIPE_HOOK, "[redacted: key]"),
    ((":",), _TELEGRAM, ":[redacted: key]"),
    (("eyj",), _JWT, "[redacted: key]"),
    (("authorization",), _HEADER, _header),
    (("bearer", "basic"), _BEARER, r"\1[redacted: key]"),
    (("://",), _USERINFO, r"://\1:[redacted: password]@"),
)
_ASSIGN_HINTS = ("passw", "passp", "pwd", "token", "secret", "key", "credential")


class Redactor:
    """Replaces what nobody should find in a log; `emails` includes e-mail addresses."""

    def __init__(self, emails: bool = False) -> None:
        self._emails = emails

    def text(self, text: str) -> str:
        """The text without secrets, and without what PostgreSQL can't store."""
        text = storable(text)
        for _ in range(_MAX_PASSES):
            after = self._once(text)
            if after == text:
                break
            text = after
        return text

    def value(self, value: Any) -> Any:
        """The same for JSON values, keys included; a secret's name hides its whole value."""
        return self._value(value, 0)

    def _once(self, text: str) -> str:
        low = text.lower()
        if ("akia" in low or "asia" in low) and _AWS_ID.search(text):
            text = _AWS_SECRET.sub("[redacted: key]", text)
        for hints, pattern, replacement in _RULES:
            for hint in hints:
                if hint in low:
                    text = pattern.sub(replacement, text)
                    break
        if "=" in low and any(hint in low for hint in _ASSIGN_HINTS):
            text = _ASSIGNED.sub(_assigned, text)
        if ":" in low and any(hint in low for hint in _ASSIGN_HINTS):
            text = _COLON.sub(_assigned, text)
        if self._emails and "@" in low:
            text = _EMAIL.sub("[redacted: email]", text)
        return hide_cards(text)

    def _value(self, value: Any, depth: int) -> Any:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, int):
            return value if abs(value) < 10**12 or self._plain(value) else "[redacted: card]"
        if isinstance(value, float):
            return value if math.isfinite(value) else None
        if depth >= _MAX_DEPTH:
            return "[cut: nested too deep]"
        if isinstance(value, Mapping):
            return {
                self.text(str(k)): _hidden(v) if _is_secret(str(k)) else self._value(v, depth + 1)
                for k, v in value.items()
            }
        if isinstance(value, list | tuple | set | frozenset):
            return [self._value(v, depth + 1) for v in value]
        return self.text(str(value))

    def _plain(self, number: int) -> bool:
        return "[" not in self.text(str(number))


def storable(text: str) -> str:
    """PostgreSQL takes neither NUL nor lone surrogates; surrogates in pairs become a character."""
    if "\0" in text:
        text = text.replace("\0", "")
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")
    return text


_SECRET_KEY = re.compile(
    r"(?:authorization|passwd|password|passphrase|pwd|token|secret|secretkey|apikey|accesskey|"
    r"privatekey|signingkey|credentials?|cookie)\Z"
)


def _is_secret(name: str) -> bool:
    """Whether a key names a secret: api_key, X-Api-Key, SLACK_BOT_TOKEN; not max_tokens."""
    return bool(_SECRET_KEY.search(re.sub(r"[^a-z]", "", name[-40:].lower())))


def _hidden(value: Any) -> Any:
    return value if value is None or isinstance(value, bool) or value == "" else "[redacted: key]"
