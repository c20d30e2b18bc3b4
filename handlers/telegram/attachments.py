"""What comes with a Telegram message beside words: files that can be read, and what can't; pure."""

import re
from collections.abc import Mapping

from bot.model.file import FileRef
from handlers.telegram.updates import Said

_UNREADABLE = {
    "voice": "a voice message",
    "audio": "a sound",
    "video": "a video",
    "video_note": "a video message",
    "animation": "an animation",
    "sticker": "a sticker",
    "location": "a place",
    "venue": "a place",
    "contact": "a contact",
    "poll": "a poll",
    "dice": "a dice",
    "story": "a story",
    "game": "a game",
    "paid_media": "paid media",
    "checklist": "a checklist",
}
_UNNAMEABLE = re.compile(r"[\x00-\x1f\x7f/\\\ud800-\udfff]")


def files_of(message: Said) -> tuple[FileRef, ...]:
    """A document, or a photo in its largest size."""
    if unreadable(message):
        return ()  # an animation comes as a document too
    document = message.more("document")
    if isinstance(document, Mapping):
        return _ref(document, "file", str(document.get("mime_type") or ""))
    photo = message.more("photo")
    sizes = [s for s in photo if isinstance(s, Mapping)] if isinstance(photo, list) else []
    largest = max(sizes, key=_area, default=None)
    name = f"photo-{message.message_id}.jpg"
    return _ref(largest, name, "image/jpeg") if largest else ()


def unreadable(message: Said) -> str:
    """What it carries that nobody here can read, in words; or ""."""
    found = (what for name, what in _UNREADABLE.items() if message.more(name) is not None)
    return next(found, "")


def _ref(held: Mapping[str, object], name: str, mime: str) -> tuple[FileRef, ...]:
    file_id, size = held.get("file_id"), held.get("file_size")
    if not isinstance(file_id, str) or not file_id:
        return ()
    called = _UNNAMEABLE.sub("", str(held.get("file_name") or name)).strip(". ")[:150]
    known = size if isinstance(size, int) and size > 0 else 0
    return (FileRef(called or name, mime[:100], known, {"file_id": file_id}),)


def _area(size: Mapping[str, object]) -> int:
    width, height = size.get("width"), size.get("height")
    return width * height if isinstance(width, int) and isinstance(height, int) else 0
