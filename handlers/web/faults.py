"""What went wrong, as an HTTP status and an error body in OpenAI's shape."""

import json
from collections.abc import Mapping

from starlette.responses import Response

from bot.errors import RatchetError
from bot.model.run import Run, RunStatus

_SHAPES: Mapping[str, tuple[int, str, str]] = {
    "bad_input": (400, "invalid_request_error", "bad_input"),
    "too_long": (400, "invalid_request_error", "message_too_long"),
    "context_too_long": (400, "invalid_request_error", "context_length_exceeded"),
    "forbidden": (403, "permission_error", "forbidden"),
    "not_found": (404, "invalid_request_error", "not_found"),
    "conflict": (409, "invalid_request_error", "conflict"),
    "cancelled": (409, "invalid_request_error", "cancelled"),
    "over_budget": (429, "insufficient_quota", "over_budget"),
    "internal": (500, "server_error", "internal"),
    "model": (502, "server_error", "model_error"),
    "tool": (502, "server_error", "tool_error"),
    "model_unavailable": (503, "server_error", "model_unavailable"),
    "storage": (503, "server_error", "storage_unavailable"),
    "expired": (504, "server_error", "expired"),
}
_RETRYABLE = frozenset({"model_unavailable", "storage"})


class HttpFault(RatchetError):
    """A request that gets an error in place of an answer; `said` is the message it carries."""

    def __init__(
        self,
        status: int,
        code: str,
        said: str,
        *,
        type: str = "invalid_request_error",
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
    ):
        super().__init__(f"HTTP {status} {code}", said=said)
        self.status, self.code, self.type, self.param = status, code, type, param
        self.headers = dict(headers or {})

    def body(self) -> dict[str, object]:
        """{"error": {"message", "type", "param", "code"}}, as OpenAI's clients expect it."""
        shape = {"message": self.said, "type": self.type, "param": self.param, "code": self.code}
        return {"error": shape}


def fault_of(error: RatchetError) -> HttpFault:
    if isinstance(error, HttpFault):
        return error
    fault = _shaped(error.kind, error.said)
    if error.retry_after is not None:
        fault.headers["retry-after"] = str(max(1, round(error.retry_after)))
    return fault


def fault_of_run(run: Run, said: str) -> HttpFault:
    """What a run that gave no answer tells its caller."""
    kind = {RunStatus.EXPIRED: "expired", RunStatus.CANCELLED: "cancelled"}.get(run.status)
    fault = _shaped(kind or run.error_type, said or "The run failed; its log says why.")
    fault.headers["x-ratchet-run-id"] = run.id
    return fault


def _shaped(kind: str, said: str) -> HttpFault:
    status, type_, code = _SHAPES.get(kind, _SHAPES["internal"])
    # OpenAI's clients repeat a request on 409, 429 and 5xx unless they are told not to.
    again = "true" if kind in _RETRYABLE else "false"
    headers = {"x-should-retry": again}
    if kind in _RETRYABLE:
        headers["retry-after"] = "1"
    return HttpFault(status, code, said, type=type_, headers=headers)


def fault_response(fault: HttpFault) -> Response:
    return json_response(fault.body(), fault.status, fault.headers)


def json_response(
    value: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    body = json.dumps(value, separators=(",", ":")).encode()
    return Response(body, status, headers, "application/json")
