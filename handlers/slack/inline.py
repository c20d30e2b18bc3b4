"""The words of a line of markdown as Slack's mrkdwn: emphasis, code, links; pure, in one pass."""

import re
from dataclasses import dataclass, field

_FENCES = re.compile(r"`{3,}")
GAP = "\u200b"
_WEB = r"(?:https?://|mailto:)"
_TOKEN = re.compile(
    r"(?<!`)(?P<ticks>`+)(?!`)(?P<code>.*?[^`])(?P=ticks)(?!`)"
    r"|\\(?P<escaped>[!-/:-@\[-`{-~])"
    rf"|<(?P<auto>{_WEB}[^\s<>|]+)>"
    r"|!?\[(?P<label>(?:[^\[\]\n]|\[[^\[\]\n]{0,200}\]){0,500})\]"
    rf"\(\s{{0,9}}<?(?P<url>{_WEB}(?:[^\s()<>|]|\([^\s()<>|]{{0,200}}\))+)>?"
    r"(?:\s{1,9}(?:\"[^\"\n]{0,300}\"|'[^'\n]{0,300}'))?\s{0,9}\)"
    r"|(?P<bare>https?://[^\s<>*`|]*[^\s<>*`|.,;:!?)_~'\"\]])"
    r"|(?P<run>\*+|_+|~~+)"
)
_MARKS = {"*": ("_", "*"), "_": ("_", "*"), "~": ("", "~")}
"""What one and what two of a delimiter become."""


def escape(text: str) -> str:
    """Slack's three control characters as entities: no mention or link comes out of it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unfenced(text: str) -> str:
    """Text that neither begins nor ends a code block."""
    return _FENCES.sub(lambda run: GAP.join(run[0]), text)


@dataclass(slots=True)
class _Run:
    """A run of one delimiter, between the characters `before` and `after` it."""

    char: str
    left: int
    before: str
    after: str
    closes: list[str] = field(default_factory=list)
    opens: list[str] = field(default_factory=list)

    @property
    def may_open(self) -> bool:
        flanks = not _is_space(self.after) and (
            not _is_mark(self.after) or _is_space(self.before) or _is_mark(self.before)
        )
        return flanks and (self.char != "_" or not _is_word(self.before))

    @property
    def may_close(self) -> bool:
        flanks = not _is_space(self.before) and (
            not _is_mark(self.before) or _is_space(self.after) or _is_mark(self.after)
        )
        return flanks and (self.char != "_" or not _is_word(self.after))

    def render(self) -> str:
        """Slack sees emphasis only beside what is no word."""
        closes, opens = "".join(self.closes), "".join(reversed(self.opens))
        head = GAP if opens and not closes and not self.left and _is_word(self.before) else ""
        tail = GAP if closes and not opens and not self.left and _is_word(self.after) else ""
        return head + closes + self.char * self.left + opens + tail


def inline(text: str, *, strong: bool = True) -> str:
    """Everything that is said stays. With `strong` False nothing comes out bold."""
    tokens: list[str | _Run] = []
    at = 0
    for found in _TOKEN.finditer(text):
        tokens.append(escape(unfenced(text[at : found.start()])))
        if found["run"]:
            before, after = (
                text[found.start() - 1 : found.start()],
                text[found.end() : found.end() + 1],
            )
            tokens.append(_Run(found["run"][0], len(found["run"]), before, after))
        else:
            tokens.append(_token(found))
        at = found.end()
    tokens.append(escape(unfenced(text[at:])))
    _pair([token for token in tokens if isinstance(token, _Run)], strong)
    return "".join(token if isinstance(token, str) else token.render() for token in tokens)


def _token(found: re.Match[str]) -> str:
    if found["ticks"]:
        alone = len(found["ticks"]) > 2 and "`" not in found["code"]
        return escape(f"`{found['code'].strip()}`" if alone else unfenced(found[0]))
    if found["escaped"]:
        return escape(found["escaped"]) + (GAP if found["escaped"] in "*_~`" else "")
    if found["auto"]:
        return f"<{escape(found['auto'])}>"
    if found["bare"]:
        return escape(found["bare"])
    label = escape(" ".join(found["label"].split())).replace("|", "/")
    return f"<{escape(found['url'])}|{label}>" if label else f"<{escape(found['url'])}>"


def _pair(runs: list[_Run], strong: bool) -> None:
    """Finds what opens and what closes, each run looked at once more for each pair it makes."""
    openers: list[_Run] = []
    waiting = dict.fromkeys(_MARKS, 0)
    for run in runs:
        while run.left and run.may_close and waiting[run.char]:
            opener = openers[-1]
            if opener.char != run.char:
                waiting[openers.pop().char] -= 1
                continue
            size = 2 if min(opener.left, run.left) >= 2 else 1
            mark = _MARKS[run.char][size - 1]
            if not mark or (size == 1 and (_is_word(opener.before) or _is_word(run.after))):
                break  # 2*3*4 is no emphasis
            mark = "" if mark == "*" and not strong else mark
            opener.opens.append(mark)
            run.closes.append(mark)
            opener.left -= size
            run.left -= size
            if not opener.left:
                waiting[openers.pop().char] -= 1
        if run.left and run.may_open:
            openers.append(run)
            waiting[run.char] += 1


def _is_space(char: str) -> bool:
    return not char or char.isspace()


def _is_word(char: str) -> bool:
    return char.isalnum()


def _is_mark(char: str) -> bool:
    return bool(char) and not char.isspace() and not char.isalnum()
