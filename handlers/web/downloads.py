"""Files of answers: what is known of them, and their bytes, which no browser may run."""

import re
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from bot.model.file import StoredFile
from handlers.web.faults import HttpFault, json_response
from handlers.web.parts import Parts

_ID = re.compile(r"[0-9a-zA-Z-]{1,80}")
_SHOWN_AS = re.compile(
    r"(?:text/(?:plain|markdown|csv|calendar|tab-separated-values)|image/[a-z]+)"
)


class Downloads:
    def __init__(self, parts: Parts):
        self._parts = parts

    async def describe(self, request: Request) -> Response:
        """GET /v1/files/{id}"""
        file = await self._find(request)
        return json_response(
            {
                "id": file.id,
                "object": "file",
                "name": file.name,
                "mime": file.mime,
                "size": len(file.content),
                "run_id": file.run_id or None,
                "created_at": file.created_at,
            }
        )

    async def content(self, request: Request) -> Response:
        """GET /v1/files/{id}/content"""
        return as_download(await self._find(request))

    async def of_page(self, request: Request, conversation: str) -> Response:
        """A file of an answer in this conversation, and of no other."""
        file = await self._find(request)
        run = await self._parts.runs.get(self._parts.workspace, file.run_id)
        if run is None or run.conversation != conversation:
            raise _gone(file.id)
        return as_download(file)

    async def _find(self, request: Request) -> StoredFile:
        """Raises HttpFault 404."""
        id = request.path_params["file_id"]
        file = None
        if _ID.fullmatch(id):
            file = await self._parts.files.get(self._parts.workspace, id)
        if file is None:
            raise _gone(id)
        return file


def as_download(file: StoredFile) -> Response:
    """To be saved, never shown: it may hold anything."""
    plain = "".join(
        c if c.isascii() and c.isprintable() and c not in '"\\' else "_" for c in file.name
    )
    headers = {
        "content-disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(file.name)}",
        "content-security-policy": "default-src 'none'; sandbox",
        "x-content-type-options": "nosniff",
        "cache-control": "private, no-store",
    }
    mime = file.mime if _SHOWN_AS.fullmatch(file.mime) else "application/octet-stream"
    if mime.startswith("text/"):
        mime += "; charset=utf-8"
    return Response(file.content, headers={**headers, "content-type": mime})


def _gone(id: str) -> HttpFault:
    return HttpFault(404, "file_not_found", f"There is no file {id[:80]!r}, or it is gone.")
