"""A request's body, read within limits and decoded strictly."""

import asyncio
import json
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request

from handlers.web.faults import HttpFault

MAX_BYTES = 2 * 1024 * 1024
_PATIENCE_BYTES = 32 * 1024 * 1024
"""Read past the limit, and dropped: who is cut off while sending never sees the answer."""
_SECONDS = 30.0
_FILES = (b'"image_url"', b'"file"', b'"files"')


async def read_body(request: Request, most: int = MAX_BYTES) -> bytes:
    """The whole body. Raises HttpFault 413 over `most` bytes, 408 if it takes too long."""
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(_SECONDS):
            async for chunk in request.stream():
                size += len(chunk)
                if size <= most:
                    chunks.append(chunk)
                elif size > max(_PATIENCE_BYTES, most + MAX_BYTES):
                    raise _too_large(most)
    except TimeoutError as error:
        raise HttpFault(408, "request_timeout", "The request's body took too long.") from error
    except ClientDisconnect as error:
        raise HttpFault(400, "disconnected", "The connection ended within the body.") from error
    if size > most:
        raise _too_large(most)
    return b"".join(chunks)


async def json_object(request: Request, most: int = MAX_BYTES) -> dict[str, Any]:
    """The body as a JSON object. Only with files in it may it be as large as `most`. Raises
    HttpFault 400 for anything else."""
    raw = await read_body(request, most)
    if len(raw) > MAX_BYTES and not any(sign in raw for sign in _FILES):
        raise _too_large(MAX_BYTES)
    try:
        value = json.loads(raw.decode("utf-8"), parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        raise HttpFault(400, "not_utf8", "The request's body is not UTF-8.") from error
    except (ValueError, RecursionError) as error:
        raise HttpFault(400, "not_json", "The request's body is not valid JSON.") from error
    if not isinstance(value, dict):
        raise HttpFault(400, "not_an_object", "The request's body must be a JSON object.")
    return value


async def form_fields(request: Request) -> dict[str, str]:
    """The fields of a posted HTML form, the last one of a name."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise HttpFault(415, "not_a_form", "Expected application/x-www-form-urlencoded.")
    raw = await read_body(request)
    try:
        pairs = parse_qsl(raw.decode("utf-8"), keep_blank_values=True, errors="strict")
    except ValueError as error:
        raise HttpFault(400, "not_utf8", "The form is not UTF-8.") from error
    return dict(pairs)


def _too_large(most: int) -> HttpFault:
    said = f"The request's body is larger than {most // 1024 // 1024} MB."
    return HttpFault(413, "too_large", said)


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")
