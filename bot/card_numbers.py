"""Card numbers in text: found by layout, issuer and check digit, not by length alone."""

import re

_DIGITS = re.compile(r"[0-9](?:[ \u00a0\u2009\u202f.\u2010-\u2015-]{0,3}[0-9]){12}")
_DIGIT_RUN = re.compile(r"[0-9]++(?:[ \u00a0\u2009\u202f.\u2010-\u2015-]{1,3}[0-9]++)*+")
_GROUP = re.compile(r"[0-9]+")
_CARD_LAYOUTS = ((4, 4, 4, 4, 3), (4, 4, 4, 4), (4, 6, 5), (4, 6, 4), (4, 4, 4, 1))
# Issuers' prefixes by length: a timestamp or a counter that happens to pass Luhn has none.
_ISSUED = re.compile(
    r"4(?:[0-9]{12}|[0-9]{15}|[0-9]{18})|(?:5[1-5]|2[2-7])[0-9]{14}|3[47][0-9]{13}|"
    r"3(?:0[0-59]|[68][0-9])[0-9]{11,16}|35[0-9]{14,17}|6[0-9]{15,18}|5[0678][0-9]{14,17}"
)


def hide_cards(text: str) -> str:
    """The text with every card number replaced; ids, timestamps and counters stay."""
    return _DIGIT_RUN.sub(_cards, text) if _DIGITS.search(text) else text


def _cards(match: re.Match[str]) -> str:
    """The run of digits with the card numbers in it replaced."""
    run = match[0]
    if len(run) < 13:
        return run
    groups = list(_GROUP.finditer(run))
    out, at, index = [], 0, 0
    while index < len(groups):
        width = _card_width(groups, index, match)
        if width:
            out += [run[at : groups[index].start()], "[redacted: card]"]
            at = groups[index + width - 1].end()
        index += width or 1
    return "".join(out) + run[at:] if out else run


def _card_width(groups: list[re.Match[str]], index: int, run: re.Match[str]) -> int:
    """How many groups from `index` on make a card number; 0 if they don't."""
    first = groups[index][0]
    if len(first) >= 13:
        issued = len(first) <= 19 and _ISSUED.fullmatch(first) and _luhn(first)
        return 1 if issued and not _inside_hex(run, groups[index]) else 0
    if len(first) == 4:
        texts = [g[0] for g in groups[index : index + 5]]
        sizes = tuple(map(len, texts))
        for layout in _CARD_LAYOUTS:
            width = len(layout)
            if sizes[:width] == layout and _luhn("".join(texts[:width])):
                return width
    if index == 0 and 1 < len(groups) <= 6 and all(len(g[0]) >= 2 for g in groups):
        whole = "".join(g[0] for g in groups)
        return len(groups) if _ISSUED.fullmatch(whole) and _luhn(whole) else 0
    return 0


def _inside_hex(run: re.Match[str], group: re.Match[str]) -> bool:
    """Whether the digits are part of a longer hexadecimal word, such as a digest or an id."""
    start, end = run.start() + group.start(), run.start() + group.end()
    beside = run.string[max(0, start - 1) : start] + run.string[end : end + 1]
    return any(c in "abcdefABCDEF_" for c in beside)


_DOUBLED = {str(n): 2 * n - 9 * (n > 4) for n in range(10)}


def _luhn(digits: str) -> bool:
    plain = sum(map(int, digits[-1::-2]))
    return (plain + sum(map(_DOUBLED.__getitem__, digits[-2::-2]))) % 10 == 0
