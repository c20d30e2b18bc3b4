"""Files that come in a request's body: taken out of it, checked, and kept for the run; pure."""

import base64
import binascii
import hashlib
import mimetypes
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.files import names
from bot.files.kinds import kind_of
from bot.model.file import FileRef, StoredFile
from bot.model.message import Message
from handlers.web.faults import HttpFault

_BASE64 = ";base64"


@dataclass(frozen=True, slots=True)
class Sent:
    """A file of a request, and the place in the body where it stood."""

    name: str
    mime: str
    content: bytes
    where: str

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def is_image(self) -> bool:
        return kind_of(self.content).family == "image"


@dataclass(frozen=True, slots=True)
class FileRules:
    """`size` is the most bytes of one file, `count` the most files of a request; `sees` says of a
    model's name whether it takes images, `model` is the one where an agent names none."""

    size: int = 10_000_000
    count: int = 5
    sees: Callable[[str], bool] = bool
    model: str = ""

    @property
    def body(self) -> int:
        """The most bytes that a body with files may have: two of the largest, as base64."""
        return 2 * 1024 * 1024 + self.size * 2 * 4 // 3


def image_part(part: Mapping[str, Any], where: str) -> Sent:
    """{"type": "image_url", "image_url": {"url": "data:…"}}. Raises HttpFault."""
    given = part.get("image_url")
    url = given.get("url") if isinstance(given, dict) else given
    if not isinstance(url, str):
        raise _wrong(f"{where}.image_url.url", "a string")
    if not url.startswith("data:"):
        said = f"{where}: only data: URLs are taken; addresses are never fetched. Send the image."
        raise HttpFault(400, "invalid_image_url", said, param=where)
    mime, content = _data_url(url, where)
    end = mimetypes.guess_extension(mime) or ".png"
    sent = Sent(f"image{end}", mime, content, where)
    if not sent.is_image:
        said = f"{where}: this is no PNG, JPEG, GIF or WebP image."
        raise HttpFault(400, "invalid_image", said, param=where)
    return sent


def file_part(part: Mapping[str, Any], where: str) -> Sent:
    """{"type": "file", "file": {"file_data": "data:…" or base64, "filename"?}}. Raises HttpFault."""
    given = part.get("file")
    if not isinstance(given, dict):
        raise _wrong(f"{where}.file", "an object")
    if given.get("file_id") is not None:
        said = f"{where}: no files are kept here under ids; send file_data and filename."
        raise HttpFault(400, "unsupported", said, param=where)
    return named_file(given.get("filename", "file"), given.get("file_data"), where)


def named_file(name: object, data: object, where: str) -> Sent:
    """From a name and a data: URL, or base64 alone. Raises HttpFault."""
    if not isinstance(name, str):
        raise _wrong(f"{where}: the name of the file", "a string")
    if not isinstance(data, str):
        raise _wrong(f"{where}: the data of the file", "a data: URL or base64")
    name = names.safe(name.encode("utf-8", "replace").decode())
    if data.startswith("data:"):
        return Sent(name, *_data_url(data, where), where)
    return Sent(name, mimetypes.guess_type(name)[0] or "", _decoded(data, where), where)


def checked(sent: Sequence[Sent], rules: FileRules, sees: bool) -> Sequence[Sent]:
    """Raises HttpFault for what no agent can take."""
    for file in sent:
        if len(file.content) > rules.size:
            most, size = names.size(rules.size), names.size(len(file.content))
            said = f"{file.where}: files may have up to {most}, this one has {size}."
            raise HttpFault(400, "file_too_large", said, param=file.where)
        if file.is_image and not sees:
            said = (
                f"{file.where}: the model behind this takes no images. "
                "Whoever runs me can name another (RATCHET_MODEL), or say that it does "
                "(RATCHET_IMAGES=yes)."
            )
            raise HttpFault(400, "unsupported", said, param=file.where)
    return sent[-rules.count :] if rules.count else ()


def with_files(
    message: Message, sent: Sequence[Sent], now: int
) -> tuple[Message, list[StoredFile]]:
    """The message with its files, and what is to be kept before it is accepted."""
    refs, kept = list[FileRef](), list[StoredFile]()
    for place, file in enumerate(sent):
        digest = hashlib.sha256(f"{message.event_id}\x1f{place}\x1f{file.digest}".encode())
        id = f"up-{digest.hexdigest()[:48]}"
        refs.append(FileRef(file.name, file.mime, len(file.content), {"file": id}))
        # Its run has no id yet; what an agent gets of it is kept with the run.
        kept.append(
            StoredFile(id, message.workspace, "", file.name, file.mime, file.content, "in", now)
        )
    return replace(message, files=tuple(refs)), kept


def _data_url(url: str, where: str) -> tuple[str, bytes]:
    head, comma, data = url.removeprefix("data:").partition(",")
    if not comma or not head.endswith(_BASE64):
        said = f"{where}: expected data:<type>;base64,<data>."
        raise HttpFault(400, "invalid_data_url", said, param=where)
    mime = head.partition(";")[0].strip().lower()
    plain = mime if mime.isascii() and mime.isprintable() else ""
    return plain[:100], _decoded(data, where)


def _decoded(data: str, where: str) -> bytes:
    try:
        return base64.b64decode("".join(data.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        said = f"{where}: the data of the file is not base64."
        raise HttpFault(400, "invalid_base64", said, param=where) from error


def _wrong(name: str, expected: str) -> HttpFault:
    return HttpFault(400, "wrong_type", f"{name} must be {expected}.", param=name)
