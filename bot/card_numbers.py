"""Card numbers in text: found by layout, issuer and check digit, not by length alone."""

import re

_DIGITS = re.compile(r"[0-9](?:[ \u00a0\u2009\u202f.\u2010-\u2015-]{0,3}[0-9]){12}")
_DIGIT_RUN = re.compile(r"[0-9]++(?:[ \u00a0\u2009\u202f.\u2010-\u2015-]{1,3}[0-9]++)*+")
_WORD_END, _WORD_START = re.compile(r"[\w-]+\Z"), re.compile(r"[\w-]+")
_POINT = re.compile(r"[0-9]\.\Z")
_HEX = frozenset("abcdefABCDEF_")
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
    if index and len(groups[index][0]) < 4:
        return 0
    texts = [g[0] for g in groups[index : index + 6]]
    width = _laid_out(texts)
    if not width and index == 0 and _odd_grouping(groups, run[0]):
        width = len(groups)
    number = "".join(texts[:width])
    if not (width and _ISSUED.fullmatch(number) and _luhn(number)):
        return 0
    start, end = groups[index].start(), groups[index + width - 1].end()
    return 0 if _part_of_more(run, start, end) else width


def _laid_out(texts: list[str]) -> int:
    if 13 <= len(texts[0]) <= 19:
        return 1
    sizes = tuple(map(len, texts)) if len(texts[0]) == 4 else ()
    return next((len(lay) for lay in _CARD_LAYOUTS if sizes[: len(lay)] == lay), 0)


def _odd_grouping(groups: list[re.Match[str]], run: str) -> bool:
    return 1 < len(groups) <= 6 and "." not in run and all(len(g[0]) >= 2 for g in groups)


def _part_of_more(run: re.Match[str], start: int, end: int) -> bool:
    """Whether the digits belong to an id in hexadecimal, as UUIDs do, or to a decimal fraction."""
    text, start, end = run.string, run.start() + start, run.start() + end
    before = _WORD_END.search(text[max(0, start - 40) : start])
    after = _WORD_START.match(text[end : end + 40])
    beside = (before[0] if before else "") + (after[0] if after else "")
    is_hex = any(c in _HEX for c in beside) and all(c in _HEX or c in "0123456789-" for c in beside)
    return is_hex or bool(_POINT.search(text[max(0, start - 2) : start]))


_DOUBLED = {str(n): 2 * n - 9 * (n > 4) for n in range(10)}


def _luhn(digits: str) -> bool:
    plain = sum(map(int, digits[-1::-2]))
    return (plain + sum(map(_DOUBLED.__getitem__, digits[-2::-2]))) % 10 == 0
