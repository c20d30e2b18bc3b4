"""A small, strict Bot API server: one bot, any chats, faults on demand."""

import argparse
import asyncio
import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientSession, web

from tests.fakes.telegram_html import CantParse, parse

TOKEN = "123456:fake-token"
ME = {"id": 123456, "is_bot": True, "first_name": "Ratchet", "username": "ratchet_bot"}
Json = dict[str, Any]


class Refused(Exception):
    def __init__(self, code: int, text: str, **parameters: object) -> None:
        super().__init__(text)
        self.code, self.text, self.parameters = code, text, parameters


@dataclass
class Fault:
    """What goes wrong with the next `times` calls of `method`, after `skip` that go well.

    `status` answers so; 0 cuts the connection. `after` does the call's work first.
    """

    method: str
    status: int = 500
    text: str = "Internal Server Error"
    retry_after: int | None = None
    after: bool = False
    times: int = 1
    skip: int = 0


@dataclass
class Call:
    method: str
    params: Json


@dataclass
class TelegramServer:
    """Private chats share one sequence of message ids, every supergroup has its own."""

    now: int = 1_780_000_000
    calls: list[Call] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    messages: dict[tuple[int, int], Json] = field(default_factory=dict)
    pending: deque[Json] = field(default_factory=deque)
    webhook: str = ""
    webhook_secret: str = ""
    without: set[str] = field(default_factory=set)
    """Methods this server does not have."""

    def __post_init__(self) -> None:
        self._changed = asyncio.Condition()
        self._sequences: dict[int, int] = {}
        self._next_update = 700_000
        self._chats: dict[int, Json] = {}
        self.unreachable: set[int] = set()
        self.url = ""

    # -- the people

    def chat(self, chat_id: int) -> Json:
        kind = "private" if chat_id > 0 else "supergroup" if chat_id < -(10**12) else "group"
        return self._chats.setdefault(chat_id, {"id": chat_id, "type": kind})

    async def say(
        self, text: str, chat: int = 7, user: int = 7, to: Json | None = None, **more: Any
    ) -> Json:
        """A person writes; `more` is added to the message."""
        message = self._new(chat, user, {"text": text, **more})
        if to is not None:
            message["reply_to_message"] = {k: v for k, v in to.items() if k != "reply_to_message"}
        await self.deliver({"message": message})
        return message

    async def press(self, message: Json, label: str, user: int = 7) -> Json:
        """A person presses the button of that label. Raises LookupError if there is none."""
        shown = self.messages[message["chat"]["id"], message["message_id"]]
        rows = shown.get("reply_markup", {}).get("inline_keyboard", [])
        key = next(key for row in rows for key in row if key["text"] == label)
        return await self.deliver(
            {
                "callback_query": {
                    "id": f"q{self._next_update}",
                    "from": _user(user),
                    "chat_instance": "1",
                    "message": shown,
                    "data": key["callback_data"],
                }
            }
        )

    async def react(self, message: Json, emoji: str, user: int = 7) -> Json:
        return await self.deliver(
            {
                "message_reaction": {
                    "chat": message["chat"],
                    "message_id": message["message_id"],
                    "user": _user(user),
                    "date": self.now,
                    "old_reaction": [],
                    "new_reaction": [{"type": "emoji", "emoji": emoji}],
                }
            }
        )

    async def deliver(self, update: Json) -> Json:
        """Queues an update, or posts it where a webhook is set."""
        numbered = {"update_id": self._next_update, **update}
        self._next_update = max(self._next_update, numbered["update_id"]) + 1
        if self.webhook:
            await self.post(numbered)
        else:
            self.pending.append(numbered)
            await self._tell()
        return numbered

    async def post(self, update: object, **headers: str) -> int:
        """Posts to the webhook as Telegram does; the status it got."""
        secret = {"X-Telegram-Bot-Api-Secret-Token": self.webhook_secret} | headers
        async with (
            ClientSession() as client,
            client.post(self.webhook, data=json.dumps(update), headers=secret) as response,
        ):
            return response.status

    # -- what a test asks

    def sent(self, *methods: str) -> list[Json]:
        """The parameters of all calls of these methods (default: what shows a message)."""
        wanted = methods or ("sendMessage", "sendPhoto")
        return [call.params for call in self.calls if call.method in wanted]

    def shown(self, chat: int = 7) -> list[Json]:
        """The bot's messages that are there now, in order."""
        mine = [m for (c, _), m in self.messages.items() if c == chat and m["from"] == ME]
        return sorted(mine, key=lambda m: int(m["message_id"]))

    async def until(self, truth: Callable[[], bool]) -> None:
        async with asyncio.timeout(10), self._changed:
            await self._changed.wait_for(truth)

    # -- the server

    async def start(self, port: int = 0) -> None:
        app = web.Application(client_max_size=60_000_000)
        app.router.add_post("/_control/{what}", self._control)
        app.router.add_get("/_control/{what}", self._control)
        app.router.add_route("*", "/bot{token}/{method}", self._call)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        await self._runner.cleanup()

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _call(self, request: web.Request) -> web.Response:
        method, params = request.match_info["method"], await _params(request)
        if request.match_info["token"] != TOKEN:
            return _error(Refused(401, "Unauthorized"))
        self.calls.append(Call(method, params))
        fault = self._fault(method)
        if fault and not fault.after:
            return await self._fail(request, fault)
        try:
            handler = getattr(self, f"do_{method}", None)
            if handler is None or method in self.without:
                raise Refused(404, "Not Found")
            result = await handler(params)
        except Refused as refused:
            await self._tell()
            return _error(refused)
        await self._tell()
        if fault:
            return await self._fail(request, fault)
        return web.json_response({"ok": True, "result": result})

    def _fault(self, method: str) -> Fault | None:
        fault = next((f for f in self.faults if f.method in (method, "*")), None)
        if fault is None or fault.skip > 0:
            if fault:
                fault.skip -= 1
            return None
        fault.times -= 1
        if fault.times <= 0:
            self.faults.remove(fault)
        return fault

    async def _fail(self, request: web.Request, fault: Fault) -> web.Response:
        await self._tell()
        if not fault.status:
            assert request.transport
            request.transport.close()
            return web.Response()
        more = {} if fault.retry_after is None else {"retry_after": fault.retry_after}
        return _error(Refused(fault.status, fault.text, **more))

    async def _control(self, request: web.Request) -> web.Response:
        body = await request.json() if request.can_read_body else {}
        match request.match_info["what"]:
            case "say":
                return web.json_response(await self.say(**body))
            case "press":
                message = {"chat": {"id": body["chat"]}, "message_id": body["message_id"]}
                return web.json_response(
                    await self.press(message, body["label"], body.get("user", 7))
                )
            case "deliver":
                return web.json_response(await self.deliver(body))
            case "fault":
                self.faults.append(Fault(**body))
            case "webhook":
                self.webhook, self.webhook_secret = body["url"], body.get("secret", "")
            case "calls":
                return web.json_response([[c.method, c.params] for c in self.calls])
            case "shown":
                return web.json_response(self.shown(int(request.query.get("chat", 7))))
            case _:
                raise web.HTTPNotFound
        return web.json_response({"ok": True})

    # -- the methods

    async def do_getMe(self, params: Json) -> Json:
        return ME

    async def do_setMyCommands(self, params: Json) -> bool:
        commands = params["commands"]
        if not 0 < len(commands) <= 100:
            raise Refused(400, "Bad Request: BOT_COMMANDS_TOO_MUCH")
        for command in commands:
            name, text = command["command"], command["description"]
            known = set("abcdefghijklmnopqrstuvwxyz0123456789_")
            if not 1 <= len(name) <= 32 or set(name) - known or not 1 <= len(text) <= 256:
                raise Refused(400, "Bad Request: BOT_COMMAND_INVALID")
        return True

    async def do_setWebhook(self, params: Json) -> bool:
        self.webhook, self.webhook_secret = params["url"], params.get("secret_token", "")
        return True

    async def do_deleteWebhook(self, params: Json) -> bool:
        self.webhook = ""
        return True

    async def do_getUpdates(self, params: Json) -> list[Json]:
        if self.webhook:
            raise Refused(409, "Conflict: can't use getUpdates method while webhook is active")
        offset = int(params.get("offset", 0))
        while self.pending and self.pending[0]["update_id"] < offset:
            self.pending.popleft()
        if not self.pending and int(params.get("timeout", 0)):
            await self._tell()
            async with self._changed:
                waiting = self._changed.wait_for(lambda: bool(self.pending))
                try:
                    await asyncio.wait_for(waiting, int(params["timeout"]))
                except TimeoutError:
                    return []
        return list(self.pending)[: int(params.get("limit", 100))]

    async def do_sendMessage(self, params: Json) -> Json:
        return self._send(params, {"text": _text(params, "text", 4096)})

    async def do_sendPhoto(self, params: Json) -> Json:
        if not params.get("photo"):
            raise Refused(400, "Bad Request: there is no photo in the request")
        photo = [{"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1}]
        caption = _text(params, "caption", 1024) if params.get("caption") else ""
        return self._send(params, {"photo": photo, "caption": caption})

    async def do_editMessageText(self, params: Json) -> Json:
        return self._edit(params, {"text": _text(params, "text", 4096)})

    async def do_editMessageReplyMarkup(self, params: Json) -> Json:
        return self._edit(params, {})

    async def do_deleteMessage(self, params: Json) -> bool:
        if self.messages.pop((int(params["chat_id"]), int(params["message_id"])), None) is None:
            raise Refused(400, "Bad Request: message to delete not found")
        return True

    async def do_answerCallbackQuery(self, params: Json) -> bool:
        return True

    async def do_sendChatAction(self, params: Json) -> bool:
        self._reach(params)
        return True

    async def do_sendMessageDraft(self, params: Json) -> bool:
        self._reach(params)
        return True

    def _reach(self, params: Json) -> int:
        chat_id = int(params["chat_id"])
        if chat_id in self.unreachable:
            raise Refused(403, "Forbidden: bot was blocked by the user")
        if chat_id not in self._chats:
            raise Refused(400, "Bad Request: chat not found")
        return chat_id

    def _send(self, params: Json, content: Json) -> Json:
        chat_id = self._reach(params)
        markup = _checked(params.get("reply_markup"))
        quoted = params.get("reply_parameters")
        message = self._new(chat_id, 0, content)
        if markup and "inline_keyboard" in markup:
            message["reply_markup"] = markup
        if quoted:
            original = self.messages.get((chat_id, quoted["message_id"]))
            if original is None and not quoted.get("allow_sending_without_reply"):
                raise Refused(400, "Bad Request: message to be replied not found")
            if original is not None:
                flat = {k: v for k, v in original.items() if k != "reply_to_message"}
                message["reply_to_message"] = flat
        return message

    def _edit(self, params: Json, content: Json) -> Json:
        message = self.messages.get((int(params["chat_id"]), int(params["message_id"])))
        if message is None:
            raise Refused(400, "Bad Request: message to edit not found")
        if message["from"] != ME:
            raise Refused(400, "Bad Request: message can't be edited")
        if content and "text" not in message:
            raise Refused(400, "Bad Request: there is no text in the message to edit")
        before = dict(message)
        message.update(content)
        message.pop("reply_markup", None)
        if markup := _checked(params.get("reply_markup")):
            message["reply_markup"] = markup
        if message == before:
            raise Refused(400, "Bad Request: message is not modified: specified new message ...")
        return message

    def _new(self, chat_id: int, user: int, content: Json) -> Json:
        sequence = chat_id if chat_id < -(10**12) else 0
        number = self._sequences[sequence] = self._sequences.get(sequence, 100) + 1
        message = {
            "message_id": number,
            "date": self.now,
            "chat": self.chat(chat_id),
            "from": _user(user) if user else ME,
            **content,
        }
        self.messages[chat_id, number] = message
        return message


def _user(user: int) -> Json:
    return {"id": user, "is_bot": False, "first_name": f"Person {user}"}


def _text(params: Mapping[str, Any], name: str, limit: int) -> str:
    text = str(params.get(name, ""))
    if params.get("parse_mode") == "HTML":
        try:
            text = parse(text)
        except CantParse as error:
            raise Refused(400, f"Bad Request: {error}") from error
    if not text.strip():
        raise Refused(400, "Bad Request: message text is empty")
    if len(text.encode("utf-16-le")) // 2 > limit:
        raise Refused(400, "Bad Request: message is too long")
    return text.strip()


def _checked(markup: Json | None) -> Json | None:
    for row in (markup or {}).get("inline_keyboard", []):
        for key in row:
            if not key.get("text") or not 1 <= len(key.get("callback_data", "").encode()) <= 64:
                raise Refused(400, "Bad Request: BUTTON_DATA_INVALID")
    return markup


async def _params(request: web.Request) -> Json:
    if request.content_type == "application/json":
        return dict(await request.json())
    params: Json = dict(request.query)
    for name, value in (await request.post()).items():
        if isinstance(value, web.FileField):
            params[name] = f"{len(value.file.read())} bytes"
            continue
        try:
            worded = name in ("text", "caption") or value[:1] not in ("{", "[")
            params[name] = value if worded else json.loads(value)
        except ValueError:
            params[name] = value
    return params


def _error(refused: Refused) -> web.Response:
    body: Json = {"ok": False, "error_code": refused.code, "description": refused.text}
    if refused.parameters:
        body["parameters"] = refused.parameters
    return web.json_response(body, status=refused.code)


async def _serve(port: int) -> None:
    server = TelegramServer()
    await server.start(port)
    print(server.url, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8081)
    asyncio.run(_serve(parser.parse_args().port))
