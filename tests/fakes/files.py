"""Files as people send them, and as attackers make them."""

import struct
import zlib


def png(width: int = 4, height: int = 3) -> bytes:
    """A whole black image, or only a header that claims to be one of that size."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    small = width * height < 10_000
    pixels = zlib.compress(b"".join(b"\0" * (1 + width * 3) for _ in range(height if small else 0)))
    chunks = (b"IHDR", head), (b"IDAT", pixels), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + check


def jpeg(width: int, height: int) -> bytes:
    app0 = b"\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
    frame = (
        b"\xff\xc2\x00\x11\x08" + struct.pack(">HH", height, width) + b"\x03" + b"\x01\x11\x00" * 3
    )
    return b"\xff\xd8" + app0 + b"\xff\xff" + frame + b"\xff\xd9"


def gif(width: int, height: int) -> bytes:
    return b"GIF89a" + struct.pack("<HH", width, height) + b"\x00\x00\x00;"


def webp(width: int, height: int) -> bytes:
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBPVP8X" + struct.pack("<I", 10) + b"\0\0\0\0" + size
    return b"RIFF" + struct.pack("<I", len(body)) + body


def pdf(*pages: str, stream: bytes | None = None, kids: str = "") -> bytes:
    """A PDF by hand, one object after the other. `stream` replaces what the pages hold, already
    deflated; `kids` what the tree of pages says it holds."""
    count = len(pages)
    objects = ["<< /Type /Catalog /Pages 2 0 R >>"]
    own = " ".join(f"{3 + 2 * n} 0 R" for n in range(count))
    objects.append(f"<< /Type /Pages /Kids [{kids or own}] /Count {count} >>")
    bodies = [o.encode() for o in objects]
    for n, text in enumerate(pages):
        bodies.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] /Contents {4 + 2 * n} 0 R "
            "/Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> "
            ">> >>".encode()
        )
        shown = stream or zlib.compress(_shown(text))
        head = f"<< /Length {len(shown)} /Filter /FlateDecode >>\nstream\n".encode()
        bodies.append(head + shown + b"\nendstream")
    return _whole(bodies)


def _shown(text: str) -> bytes:
    lines = " T* ".join(f"({line}) Tj" for line in text.split("\n"))
    return f"BT /F1 12 Tf 14 TL 10 180 Td {lines} ET".encode("latin-1") if text else b""


def _whole(bodies: list[bytes]) -> bytes:
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(bodies, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    return (
        out
        + f"xref\n0 {len(bodies) + 1}\n0000000000 65535 f \n{table}".encode()
        + f"trailer\n<< /Size {len(bodies) + 1} /Root 1 0 R >>\n".encode()
        + f"startxref\n{len(out)}\n%%EOF\n".encode()
    )
