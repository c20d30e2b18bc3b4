"""What a file is, by its bytes: a name or a MIME type may say anything."""

from dataclasses import dataclass
from typing import Literal

_AS_TEXT = "send it as text or PDF"
_ZIPS = (
    (b"word/", "a Word document", "send it as PDF or text"),
    (b"xl/", "an Excel workbook", "send the sheet as CSV"),
    (b"ppt/", "a presentation", "send it as PDF"),
    (b"application/vnd.oasis.opendocument.spreadsheet", "a spreadsheet", "send the sheet as CSV"),
    (b"application/vnd.oasis.opendocument", "an OpenDocument file", "send it as PDF or text"),
    (b"application/epub", "a book", "send the part that matters as PDF or text"),
)
_ARCHIVE = ("an archive", "send the files that are in it")
_SOUND = ("a recording", "write down what matters in it")
_VIDEO = ("a video", "send a picture of it, or write down what matters in it")
_PICTURE = ("a picture of this kind", "send it as PNG or JPEG")
_PROGRAM = ("a program", "send its source as text")
_MAGIC = (
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", ("an old Office file", "send it as PDF, CSV or text")),
    (0, b"{\\rtf", ("a rich-text document", _AS_TEXT)),
    (0, b"\x1f\x8b", _ARCHIVE),
    (0, b"BZh", _ARCHIVE),
    (0, b"\xfd7zXZ\x00", _ARCHIVE),
    (0, b"7z\xbc\xaf\x27\x1c", _ARCHIVE),
    (0, b"Rar!\x1a\x07", _ARCHIVE),
    (0, b"\x28\xb5\x2f\xfd", _ARCHIVE),
    (257, b"ustar", _ARCHIVE),
    (0, b"ID3", _SOUND),
    (0, b"OggS", _SOUND),
    (0, b"fLaC", _SOUND),
    (8, b"WAVE", _SOUND),
    (4, b"ftypM4A", _SOUND),
    (4, b"ftyphei", _PICTURE),
    (4, b"ftypmif", _PICTURE),
    (4, b"ftypavif", _PICTURE),
    (4, b"ftyp", _VIDEO),
    (0, b"\x1aE\xdf\xa3", _VIDEO),
    (8, b"AVI ", _VIDEO),
    (0, b"II*\x00", _PICTURE),
    (0, b"MM\x00*", _PICTURE),
    (0, b"\x7fELF", _PROGRAM),
    (0, b"MZ\x90\x00", _PROGRAM),
    (0, b"SQLite format 3\x00", ("a database", "send what matters in it as CSV")),
    (0, b"PAR1", ("a Parquet table", "send it as CSV")),
)
_IMAGES = (
    (b"\x89PNG\r\n\x1a\n", "PNG", "image/png"),
    (b"\xff\xd8\xff", "JPEG", "image/jpeg"),
    (b"GIF87a", "GIF", "image/gif"),
    (b"GIF89a", "GIF", "image/gif"),
)


@dataclass(frozen=True, slots=True)
class Kind:
    """`label` names it in words; `hint` says what to send instead of what can't be read."""

    family: Literal["image", "pdf", "foreign", "other"]
    label: str = ""
    mime: str = ""
    hint: str = ""


def kind_of(content: bytes) -> Kind:
    for magic, label, mime in _IMAGES:
        if content.startswith(magic):
            return Kind("image", label, mime)
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return Kind("image", "WebP", "image/webp")
    # Readers of PDFs allow rubbish before the header.
    if b"%PDF-" in content[:1024]:
        return Kind("pdf", "PDF", "application/pdf")
    if content[:4] in (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"):
        return _zip(content)
    for at, magic, (label, hint) in _MAGIC:
        if content[at : at + len(magic)] == magic:
            return Kind("foreign", label, hint=hint)
    return Kind("other")


def _zip(content: bytes) -> Kind:
    """By the names within, which stand at both ends; nothing is unpacked."""
    ends = content[:4096] + content[-65_536:]
    for part, label, hint in _ZIPS:
        if part in ends:
            return Kind("foreign", label, hint=hint)
    label, hint = _ARCHIVE
    return Kind("foreign", label, hint=hint)
