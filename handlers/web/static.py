"""The page's own files: a few, held in memory."""

import hashlib
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from handlers.web.faults import HttpFault

_FOLDER = Path(__file__).parent / "page" / "static"
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


class StaticFiles:
    """Served by name, revalidated by digest: a new version is seen at the next load."""

    def __init__(self) -> None:
        self._files = {
            path.name: (path.read_bytes(), _TYPES[path.suffix])
            for path in _FOLDER.iterdir()
            if path.suffix in _TYPES
        }

    async def serve(self, request: Request) -> Response:
        found = self._files.get(request.path_params["name"])
        if found is None:
            raise HttpFault(404, "http_404", "There is nothing here.")
        body, kind = found
        tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        headers = {"etag": tag, "cache-control": "no-cache", "x-content-type-options": "nosniff"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(body, headers=headers, media_type=kind)
