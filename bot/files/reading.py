"""From a file's bytes to what an agent gets of it."""

import asyncio
from dataclasses import replace

from bot.files import names
from bot.files.decoding import decoded
from bot.files.kinds import Kind, kind_of
from bot.files.pdf import PdfReading, Refused
from bot.files.pictures import dimensions
from bot.files.tables import table_of
from bot.model.file import Taken
from bot.redaction import Redactor

_LANGUAGES = {
    "md": "Markdown",
    "json": "JSON",
    "jsonl": "JSON lines",
    "yml": "YAML",
    "yaml": "YAML",
    "toml": "TOML",
    "xml": "XML",
    "html": "HTML",
    "htm": "HTML",
    "py": "Python",
    "js": "JavaScript",
    "ts": "TypeScript",
    "go": "Go",
    "rs": "Rust",
    "java": "Java",
    "c": "C",
    "cpp": "C++",
    "sh": "shell script",
    "sql": "SQL",
    "log": "log",
    "diff": "diff",
    "patch": "diff",
    "eml": "e-mail",
    "ics": "calendar",
}
_MOST_PIXELS = 50_000_000
_LONGEST_SIDE = 12_000
_TAKEN = "text, CSV, PDF and images"


class Reader:
    """`characters` is how much of a text is taken. What is read has lost its secrets."""

    def __init__(self, redactor: Redactor, characters: int, pdf: PdfReading) -> None:
        self._redactor, self._characters, self._pdf = redactor, characters, pdf

    async def read(self, content: bytes, name: str, mime: str) -> Taken:
        """Never raises for what is in the file: then it is refused, with words for the person."""
        taken = Taken("refused", name, mime, len(content))
        if not content:
            return _refused(taken, "is empty")
        kind = kind_of(content)
        if kind.family == "image":
            return _image(taken, kind, content)
        if kind.family == "pdf":
            taken = await self._pdf_text(taken, content)
        elif kind.family == "foreign":
            return _refused(taken, f"is {kind.label}, which I can't read: {kind.hint}")
        else:
            taken = await asyncio.to_thread(self._text, taken, content)
        return await asyncio.to_thread(self._redacted, taken)

    def _redacted(self, taken: Taken) -> Taken:
        clean = self._redactor.text
        return replace(taken, text=clean(taken.text), what=clean(taken.what))

    async def _pdf_text(self, taken: Taken, content: bytes) -> Taken:
        taken = replace(taken, mime="application/pdf")
        try:
            found = await self._pdf.read(content, self._characters + 1)
        except Refused as refused:
            return _refused(taken, str(refused))
        pages = f"{found.pages:,} page{'' if found.pages == 1 else 's'}"
        taken = replace(taken, kind="text", what=f"PDF, {pages}", text=found.text)
        if found.read == found.pages and len(found.text) <= self._characters:
            return taken
        read = f"page 1 to {found.read:,}" if found.read > 1 else "the beginning of page 1"
        return _cut(taken, found.text[: self._characters], f"{read} of {pages}")

    def _text(self, taken: Taken, content: bytes) -> Taken:
        text = decoded(content)
        if text is None:
            end = names.extension(taken.name)
            kind = f"a .{end} file" if end else "of a kind"
            return _refused(taken, f"is {kind} that I can't read: I take {_TAKEN}")
        if not text.strip():
            return _refused(taken, "has nothing in it but blanks")
        table = table_of(text, taken.name, taken.mime, self._characters)
        if table:
            taken = replace(taken, kind="text", what=table.what, text=text)
            if table.end >= len(text) or len(text) <= self._characters:
                return taken
            if table.end:
                rows = f"the first {table.shown:,} of {table.counted} rows"
                return _cut(taken, text[: table.end], rows)
        label = _LANGUAGES.get(names.extension(taken.name), "text")
        lines = text.count("\n") + (not text.endswith("\n"))
        what = f"{label}, {lines:,} line{'' if lines == 1 else 's'}"
        taken = replace(taken, kind="text", what=table.what if table else what, text=text)
        if len(text) <= self._characters:
            return taken
        kept = whole_lines(text, self._characters)
        return _cut(taken, kept, f"the first {len(kept):,} of {len(text):,} characters")


def whole_lines(text: str, limit: int) -> str:
    """The beginning of a text, up to the end of a line if one is near."""
    end = text.rfind("\n", limit * 3 // 4, limit) + 1
    return text[: end or limit]


def _cut(taken: Taken, text: str, part: str) -> Taken:
    note = f"[cut here: this is {part}]"
    said = f"`{taken.name}` is long: I was given {part}."
    return replace(taken, text=f"{text.rstrip()}\n{note}", said=said)


def _image(taken: Taken, kind: Kind, content: bytes) -> Taken:
    taken = replace(taken, mime=kind.mime)
    size = dimensions(content)
    if size is None:
        return _refused(taken, "is damaged: I can't find the image in it. Save it again, please")
    width, height = size
    if width * height > _MOST_PIXELS or max(size) > _LONGEST_SIDE:
        said = f"is too large to look at ({width:,} x {height:,} pixels). Send it smaller"
        return _refused(taken, said)
    return replace(taken, kind="image", what=f"{kind.label} image, {width} x {height} pixels")


def _refused(taken: Taken, why: str) -> Taken:
    return replace(taken, kind="refused", text="", said=f"`{taken.name}` {why}.")
