"""Whether the process lives, and whether it takes messages."""

from starlette.requests import Request
from starlette.responses import Response

from handlers.web.faults import json_response
from handlers.web.parts import Parts


class Health:
    def __init__(self, parts: Parts):
        self._parts = parts

    async def lives(self, request: Request) -> Response:
        return json_response({"status": "ok"})

    async def takes_messages(self, request: Request) -> Response:
        if self._parts.ready():
            return json_response({"status": "ready"})
        said = "Not taking messages: still starting, or about to stop."
        return json_response({"status": "not_ready", "reason": said}, 503, {"retry-after": "1"})
