"""How large an image is, from its header alone: nothing is decoded."""

import struct

_JPEG_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def dimensions(content: bytes) -> tuple[int, int] | None:
    """(width, height) in pixels; None where the header is broken."""
    try:
        found = _dimensions(content)
    except (struct.error, IndexError):
        return None
    return found if found and min(found) > 0 else None


def _dimensions(content: bytes) -> tuple[int, int] | None:
    if content.startswith(b"\x89PNG"):
        width, height = struct.unpack(">II", content[16:24])
        return (width, height) if content[12:16] == b"IHDR" else None
    if content.startswith(b"GIF8"):
        width, height = struct.unpack("<HH", content[6:10])
        return width, height
    if content.startswith(b"RIFF"):
        return _webp(content)
    return _jpeg(content)


def _webp(content: bytes) -> tuple[int, int] | None:
    form, head = content[12:16], content[20:30]
    if form == b"VP8X":
        return 1 + int.from_bytes(head[4:7], "little"), 1 + int.from_bytes(head[7:10], "little")
    if form == b"VP8L" and head[0] == 0x2F:
        bits = int.from_bytes(head[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if form == b"VP8 " and head[3:6] == b"\x9d\x01\x2a":
        width, height = struct.unpack("<HH", head[6:10])
        return width & 0x3FFF, height & 0x3FFF
    return None


def _jpeg(content: bytes) -> tuple[int, int] | None:
    at = 2
    while at < len(content):
        if content[at] != 0xFF:
            return None
        marker = content[at + 1]
        if marker == 0xFF:  # padding
            at += 1
        elif marker in _JPEG_SIZES:
            height, width = struct.unpack(">HH", content[at + 5 : at + 9])
            return width, height
        elif marker == 0x01 or 0xD0 <= marker <= 0xD8:
            at += 2
        else:
            length = int.from_bytes(content[at + 2 : at + 4], "big")
            if length < 2:
                return None
            at += 2 + length
    return None
