"""What /openapi.json says about the HTTP API."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

_SUMMARIES: Mapping[tuple[str, str], str] = {
    ("POST", "/v1/chat/completions"): "Answer a conversation, as OpenAI's API does",
    ("GET", "/v1/models"): "The agents, as models",
    ("GET", "/v1/models/{model:path}"): "One agent, as a model",
    ("POST", "/v1/runs"): "Start a run",
    ("GET", "/v1/runs"): "The latest runs, newest first",
    ("GET", "/v1/runs/{run_id}"): "A run with its steps, by id or its last 8 characters",
    ("GET", "/v1/runs/{run_id}/events"): "What happens in a run, as server-sent events",
    ("POST", "/v1/runs/{run_id}/feedback"): "Rate a run",
    ("POST", "/v1/runs/{run_id}/cancel"): "Stop a run",
    ("GET", "/v1/files/{file_id}"): "A file of an answer, without its bytes",
    ("GET", "/v1/files/{file_id}/content"): "The bytes of a file, as a download",
    ("GET", "/healthz"): "Whether the process lives",
    ("GET", "/readyz"): "Whether it takes messages",
}
_TEXT = {"type": "string"}
_BODIES: Mapping[str, dict[str, Any]] = {
    "/v1/chat/completions": {
        "required": ["messages"],
        "properties": {
            "model": {"type": "string", "default": "ratchet"},
            "messages": {"type": "array", "items": {"type": "object"}, "minItems": 1},
            "stream": {"type": "boolean"},
            "stream_options": {"type": "object"},
            "user": _TEXT,
        },
    },
    "/v1/runs": {
        "required": ["message"],
        "properties": {
            "message": _TEXT,
            "agent": _TEXT,
            "conversation": _TEXT,
            "files": {"type": "array", "items": {"type": "object", "required": ["name", "data"]}},
        },
    },
    "/v1/runs/{run_id}/feedback": {
        "required": ["rating"],
        "properties": {"rating": {"enum": [1, -1, "up", "down"]}, "text": _TEXT},
    },
}
_KEYED = ("/v1/chat/completions", "/v1/runs", "/v1/runs/{run_id}/feedback")


def described(method: str, path: str) -> dict[str, Any]:
    """Arguments for FastAPI's `add_api_route`."""
    extra: dict[str, Any] = {"parameters": _parameters(method, path)}
    if path.startswith("/v1/"):
        extra["security"] = [{"HTTPBearer": []}]
    if method == "POST" and path in _BODIES:
        schema = {"type": "object", **_BODIES[path]}
        extra["requestBody"] = {"content": {"application/json": {"schema": schema}}}
    return {
        "summary": _SUMMARIES[method, path],
        "response_class": Response,
        "response_model": None,
        "openapi_extra": extra,
    }


def _parameters(method: str, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for name in ("run_id", "model", "file_id"):
        if f"{{{name}" in path:
            found.append({"name": name, "in": "path", "required": True, "schema": _TEXT})
    if (method, path) == ("GET", "/v1/runs"):
        limit = {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}
        found.append({"name": "limit", "in": "query", "schema": limit})
        found.append({"name": "conversation", "in": "query", "schema": _TEXT})
    if method == "POST" and path in _KEYED:
        found.append({"name": "Idempotency-Key", "in": "header", "schema": _TEXT})
    return found
