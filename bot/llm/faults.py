"""What a model server's failures mean: for good, for now, or too long, and what to tell people."""

import re
from collections.abc import Mapping
from typing import Any

from bot.errors import ContextTooLong, ModelError, ModelUnavailable

_TOO_LONG = re.compile(
    r"context.?(length|window|size)|maximum context|prompt is too long|too many (input )?tokens"
    r"|input (is )?too long|exceeds? .{0,40}context|reduce the length",
    re.IGNORECASE,
)
_BUSY = frozenset({408, 409, 425, 429})
_ADAPTABLE = ("max_tokens", "temperature", "stream_options")


def of_status(
    status: int, code: str, cause: str, *, model: str, wait: float | None = None
) -> ModelError:
    """The error behind an HTTP status. `code` and `cause` are the server's own words."""
    told = f"HTTP {status} {code}: {cause}"[:500]
    if status in (400, 413, 422) and (
        code == "context_length_exceeded" or _TOO_LONG.search(cause) or status == 413
    ):
        return too_long(told)
    if code == "content_filter":
        return filtered(told)
    if status in (401, 403):
        return ModelError(
            told,
            said="The model server refused my key. Whoever runs me should check OPENAI_API_KEY "
            "(and OPENAI_BASE_URL, which says whose key it is).",
        )
    if code == "insufficient_quota" or status == 402:
        return ModelError(
            told,
            said="The account behind OPENAI_API_KEY has no credit left. "
            "Whoever runs me should top it up or set another key.",
        )
    if status == 404:
        return NoSuchModel(
            told,
            said=f"The model server doesn't know the model {model!r}. "
            "Whoever runs me should check RATCHET_MODEL and OPENAI_BASE_URL.",
        )
    if status in _BUSY or status >= 500:
        return _for_now(status, told, model, wait)
    return ModelError(
        told, said=f"The model server didn't accept my request. It said: {cause[:200]}"
    )


def _for_now(status: int, told: str, model: str, wait: float | None) -> ModelUnavailable:
    busy = "is overloaded" if status in _BUSY else "has a problem of its own"
    when = f"in about {round(wait)} s" if wait and wait >= 1 else "in a moment"
    return ModelUnavailable(
        told, said=f"The model {model} {busy}. Please try again {when}.", retry_after=wait
    )


class NoSuchModel(ModelError):
    """The server has no such model; another one may still answer."""


def too_long(cause: str) -> ContextTooLong:
    return ContextTooLong(
        cause,
        said="This is too long for the model. Please shorten it, or start a new conversation.",
    )


def filtered(cause: str) -> ModelError:
    return ModelError(
        cause,
        said="The model's provider withheld the answer (content filter). "
        "Please put your question another way.",
    )


def timed_out(model: str, seconds: float) -> ModelUnavailable:
    return ModelUnavailable(
        f"no answer within {seconds:g} s",
        said=f"The model {model} took longer than {seconds:g} s. Please try again in a moment.",
    )


def unreachable(model: str, cause: str) -> ModelUnavailable:
    return ModelUnavailable(
        cause,
        said=f"I can't reach the server of the model {model}. Please try again in a moment; if it "
        "stays like this, whoever runs me should check OPENAI_BASE_URL and the network.",
    )


def broke_off(model: str, cause: str) -> ModelUnavailable:
    return ModelUnavailable(
        cause,
        said=f"The model {model} broke off in the middle of its answer. "
        "Please try again in a moment.",
    )


def garbled(model: str, cause: str) -> ModelUnavailable:
    return ModelUnavailable(
        cause,
        said=f"The model {model} answered with something I can't read. "
        "Please try again in a moment.",
    )


def in_stream(model: str, code: str, cause: str) -> ModelError:
    """An error that came in place of the next chunk."""
    if code == "context_length_exceeded" or _TOO_LONG.search(cause):
        return too_long(cause)
    return filtered(cause) if code == "content_filter" else broke_off(model, f"{code} {cause}")


def empty(model: str) -> ModelUnavailable:
    return ModelUnavailable(
        "no choices in the answer",
        said=f"The model {model} gave an empty answer. Please try again in a moment.",
    )


def used_up(model: str, limit: int) -> ModelError:
    return ModelError(
        f"finish_reason length without text after {limit} tokens",
        said=f"The model {model} used all its {limit} tokens without coming to an answer. "
        "Please ask for something smaller, or give the agent a higher max_tokens.",
    )


def refused_parameter(status: int, cause: str, param: str, sent: Mapping[str, Any]) -> str:
    """The optional parameter of `sent` that the server didn't accept, or ""."""
    if status not in (400, 422):
        return ""
    for name in _ADAPTABLE:
        if name in sent and (name == param or f"'{name}'" in cause or f"`{name}`" in cause):
            return name
    return ""
