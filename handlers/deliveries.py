"""What platforms deliver over HTTP: a body read whole, within limits of size and time."""

import asyncio

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

_MOST = 4_000_000
"""Bytes; the largest that any of them sends is 3 MB."""
_SECONDS = 30.0


async def whole(request: Request) -> bytes | Response:
    """The raw body, or the answer for one that is too long, too slow or cut off."""
    length = request.headers.get("content-length", "")
    if length.isascii() and length.isdigit() and int(length) > _MOST:
        return Response("too long", 413)
    pieces, size = list[bytes](), 0
    try:
        async with asyncio.timeout(_SECONDS):
            async for piece in request.stream():
                size += len(piece)
                if size > _MOST:
                    return Response("too long", 413)
                pieces.append(piece)
    except (TimeoutError, ClientDisconnect):
        return Response("the body did not come", 408)
    return b"".join(pieces)
