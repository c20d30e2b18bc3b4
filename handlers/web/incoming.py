"""From HTTP requests to Messages; pure. Raises HttpFault for what can't be one."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bot.model.message import Message, Sender, Turn
from handlers.web.faults import HttpFault
from handlers.web.uploads import Sent, file_part, image_part, named_file

API = "api"
PAGE = "web"

_KEY = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?")
_ROLES: Mapping[str, Literal["user", "assistant", "system"]] = {
    "user": "user",
    "assistant": "assistant",
    "system": "system",
    "developer": "system",
}
_NUMBERS = ("temperature", "top_p", "max_tokens", "max_completion_tokens", "seed")


@dataclass(frozen=True, slots=True)
class Labels:
    """What the headers say: a key that makes a repeated request the same run, a conversation."""

    key: str = ""
    conversation: str = ""


@dataclass(frozen=True, slots=True)
class Completion:
    """A chat-completions request: its message, and how the answer is wanted."""

    message: Message
    model: str
    stream: bool
    include_usage: bool
    files: tuple[Sent, ...] = ()


def labels(headers: Mapping[str, str]) -> Labels:
    key = headers.get("idempotency-key", "").strip()
    if "idempotency-key" in headers and not _KEY.fullmatch(key):
        said = "Idempotency-Key must be 1 to 255 printable ASCII characters."
        raise HttpFault(400, "bad_idempotency_key", said)
    name = headers.get("x-ratchet-conversation", "").strip()
    return Labels(key, _conversation_name(name, "X-Ratchet-Conversation") if name else "")


def completion(body: Mapping[str, Any], said: Labels, workspace: str, token: str) -> Completion:
    model = _text(body, "model", default="ratchet")
    stream = _flag(body, "stream")
    options = body.get("stream_options")
    if options is not None and not isinstance(options, dict):
        raise _wrong("stream_options", "an object")
    for name in _NUMBERS:
        value = body.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise _wrong(name, "a number")
    if body.get("n") not in (None, 1) or isinstance(body.get("n"), bool):
        raise HttpFault(400, "unsupported", "Only n = 1 is supported.", param="n")
    history, text, files = _turns(body.get("messages"))
    user = _text(body, "user", default=API) or API
    message = api_message(
        workspace, text, said, token, agent_of(model), tuple(history), user, files
    )
    return Completion(message, model, stream, _flag(options or {}, "include_usage"), files)


def run_request(
    body: Mapping[str, Any], said: Labels, workspace: str, token: str
) -> tuple[Message, tuple[Sent, ...]]:
    """POST /v1/runs: {"message", "agent"?, "conversation"?, "files"?: [{"name", "data"}]}."""
    files = _files(body.get("files"))
    text = _text(body, "message", default="" if files else None)
    if not text.strip() and not files:
        raise HttpFault(400, "empty_message", "message must not be empty.", param="message")
    name = _text(body, "conversation", default="")
    if name:
        said = Labels(said.key, _conversation_name(name, "conversation"))
    agent = _text(body, "agent", default="") or None
    return api_message(workspace, text, said, token, agent, (), API, files), files


def _files(listed: object) -> tuple[Sent, ...]:
    if listed is None:
        return ()
    if not isinstance(listed, list) or not all(isinstance(file, dict) for file in listed):
        raise _wrong("files", "a list of objects with name and data")
    return tuple(
        named_file(file.get("name"), file.get("data"), f"files[{at}]")
        for at, file in enumerate(listed)
    )


def api_message(
    workspace: str,
    text: str,
    said: Labels,
    token: str,
    agent: str | None,
    history: tuple[Turn, ...],
    user: str,
    files: Sequence[Sent] = (),
) -> Message:
    """A repeated key is the same event; the address keeps a digest of what it stood for. Without
    a conversation the message is one of its own."""
    event_id = f"key:{said.key}" if said.key else f"call:{token}"
    content: list[object] = [text, agent, [list(turn) for turn in history], user, said.conversation]
    content += [[file.name, file.digest] for file in files]
    digest = hashlib.sha256(json.dumps(content).encode()).hexdigest()
    return Message(
        workspace=workspace,
        channel=API,
        event_id=event_id,
        conversation=f"{API}:{said.conversation or event_id}",
        sender=Sender(user[:200]),
        text=text,
        address={"digest": digest} if said.key else {},
        agent=agent,
        history=history,
    )


def feedback_command(body: Mapping[str, Any], run_id: str) -> str:
    """{"rating": 1, -1, "up" or "down", "text"?} as the command that says the same."""
    rating = body.get("rating")
    known: Mapping[object, str] = {1: "up", -1: "down", "up": "up", "down": "down"}
    if isinstance(rating, bool | float | list | dict) or rating not in known:
        raise HttpFault(400, "bad_rating", 'rating must be 1, -1, "up" or "down".', param="rating")
    words = _text(body, "text", default="").strip()
    return f"/rate {run_id} {known[rating]} {words}".strip()


def page_message(
    workspace: str, fields: Mapping[str, str], chat: str, trusted: bool, now: int
) -> Message:
    """A form of the page. `id` is made by the page: the same id is the same message."""
    text = checked(fields.get("text", "").replace("\r\n", "\n"), "text").strip()
    if extra := checked(fields.get("extra", "").replace("\r\n", "\n"), "extra").strip():
        text = f"{text} {extra}"
    given = fields.get("id", "")
    if not text:
        raise HttpFault(400, "empty_message", "Write something first.")
    if not re.fullmatch(r"[0-9A-Za-z-]{8,64}", given):
        raise HttpFault(400, "bad_id", "The form's id is missing; please reload the page.")
    return Message(
        workspace=workspace,
        channel=PAGE,
        event_id=f"{chat}:{given}",
        conversation=f"{PAGE}:{chat}",
        sender=Sender("local" if trusted else "page", trusted_local=trusted),
        text=text,
        address={"digest": hashlib.sha256(text.encode()).hexdigest()},
        sent_at=now,
        is_button=fields.get("button") == "1",
    )


def agent_of(model: str) -> str | None:
    """The agent that a model name stands for; None lets the router choose."""
    if model == "ratchet":
        return None
    agent = model.removeprefix("ratchet/")
    if agent == model or not agent:
        raise unknown_model(model)
    return agent


def unknown_model(model: str) -> HttpFault:
    said = f"The model {model[:100]!r} does not exist. GET /v1/models lists those that do."
    return HttpFault(404, "model_not_found", said, param="model")


def checked(text: str, name: str) -> str:
    """The text, if every database and terminal can hold it."""
    if "\0" in text:
        raise HttpFault(400, "null_character", f"{name} contains a null character.", param=name)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        said = f"{name} contains half of a surrogate pair, which is not Unicode text."
        raise HttpFault(400, "not_unicode", said, param=name) from error
    return text


def _turns(messages: object) -> tuple[list[Turn], str, tuple[Sent, ...]]:
    """Everything before the last user message, in order, its text, and the files of them all:
    clients send the whole conversation each time."""
    if not isinstance(messages, list):
        raise _wrong("messages", "a list of messages")
    files: list[Sent] = []
    turns = [turn for at, message in enumerate(messages) for turn in _turn(message, at, files)]
    if not turns:
        raise HttpFault(400, "empty_messages", "messages must not be empty.", param="messages")
    last = max((at for at, (role, _) in enumerate(turns) if role == "user"), default=None)
    if last is None or any(role == "assistant" for role, _ in turns[last:]):
        said = "The last message must have the role user."
        raise HttpFault(400, "no_user_message", said, param="messages")
    text = turns.pop(last)[1]
    if not text.strip() and not files:
        raise HttpFault(400, "empty_message", "The last message is empty.", param="messages")
    # Some model servers refuse a message without words.
    turns = [(who, said or "[sent a file]") for who, said in turns]
    return turns, text, tuple(files)


def _turn(message: object, at: int, files: list[Sent]) -> list[Turn]:
    """`files` takes those of the message."""
    where = f"messages[{at}]"
    if not isinstance(message, dict):
        raise _wrong(where, "an object with role and content")
    role = message.get("role")
    if role in ("tool", "function"):
        said = f"{where}: an agent calls its own tools; messages of role {role} are not taken."
        raise HttpFault(400, "unsupported", said, param=f"{where}.role")
    if not isinstance(role, str) or role not in _ROLES:
        raise _wrong(f"{where}.role", "one of user, assistant, system, developer")
    content = message.get("content")
    if content is None and role == "assistant":
        return []
    return [(_ROLES[role], checked(_content(content, f"{where}.content", files), where))]


def _content(content: object, where: str, files: list[Sent]) -> str:
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise _wrong(where, "a string or a list of parts")
    parts = [_part(part, f"{where}[{at}]") for at, part in enumerate(content)]
    files += [part for part in parts if isinstance(part, Sent)]
    return "\n".join(part for part in parts if isinstance(part, str))


def _part(part: object, where: str) -> str | Sent:
    if not isinstance(part, dict) or not isinstance(part.get("type"), str):
        raise _wrong(where, "an object with a type")
    if part["type"] == "image_url":
        return image_part(part, where)
    if part["type"] == "file":
        return file_part(part, where)
    if part["type"] != "text":
        said = (
            f"{where}: parts of type text, image_url and file are taken, not {part['type'][:40]!r}."
        )
        raise HttpFault(400, "unsupported", said, param=where)
    if not isinstance(part.get("text"), str):
        raise _wrong(f"{where}.text", "a string")
    return str(part["text"])


def _text(body: Mapping[str, Any], name: str, default: str | None = None) -> str:
    value = body.get(name, default)
    if value is None and default is not None:
        return default
    if not isinstance(value, str):
        raise _wrong(name, "a string")
    return checked(value, name)


def _flag(body: Mapping[str, Any], name: str) -> bool:
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise _wrong(name, "true or false")
    return bool(value)


def _conversation_name(name: str, where: str) -> str:
    if len(name) > 200 or not name.isprintable():
        said = f"{where} must be at most 200 printable characters."
        raise HttpFault(400, "bad_conversation", said, param=where)
    return name


def _wrong(name: str, expected: str) -> HttpFault:
    return HttpFault(400, "wrong_type", f"{name} must be {expected}.", param=name)
