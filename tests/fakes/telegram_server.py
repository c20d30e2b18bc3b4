"""A small, strict Bot API server: one bot, any chats, faults on demand."""

import argparse
import asyncio
import json
import re
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientSession, web

from tests.fakes.telegram_chats import Chats, Json, Refused, user_of
from tests.fakes.trouble import Trouble, Troubles

TOKEN = "123456:fake-token"


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
class TelegramServer(Chats):
    """One bot's server, and the people who write to it."""

    calls: list[Call] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    trouble: Troubles = field(default_factory=Troubles)
    pending: deque[Json] = field(default_factory=deque)
    listened_to: bool = False
    webhook: str = ""
    webhook_secret: str = ""
    allowed: list[str] | None = None
    """The kinds of updates that the webhook or the last poll asked for."""
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    """file_id → (path, content) of what people sent."""
    without: set[str] = field(default_factory=set)
    """Methods this server does not have."""

    def __post_init__(self) -> None:
        self._changed = asyncio.Condition()
        self._next_update = 700_000
        self.url = ""

    # -- the people

    async def say(
        self, text: str, chat: int = 7, user: int = 7, to: Json | None = None, **more: Any
    ) -> Json:
        """A person writes; `more` is added to the message."""
        message = self.new(chat, user, {"text": text, **more})
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
                    "from": user_of(user),
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
                    "user": user_of(user),
                    "date": self.now,
                    "old_reaction": [],
                    "new_reaction": [{"type": "emoji", "emoji": emoji}],
                }
            }
        )

    async def deliver(self, update: Json) -> Json:
        """Queues an update, or posts it where a webhook is set."""
        numbered = {"update_id": self._next_update, **update}
        if isinstance(query := update.get("callback_query"), dict):
            self.presses.add(str(query.get("id")))
        self._next_update = max(self._next_update, numbered["update_id"]) + 1
        if self.webhook:
            await self.post(numbered)
        else:
            self.pending.append(numbered)
            await self._tell()
        return numbered

    async def attach(
        self, name: str, content: bytes, chat: int = 7, user: int = 7, **more: Any
    ) -> Json:
        """A person sends a document."""
        file_id = f"file-{len(self.files) + 1}"
        self.files[file_id] = (f"documents/{name}", content)
        document = {"file_id": file_id, "file_unique_id": file_id, "file_name": name}
        message = self.new(chat, user, {"document": document | {"file_size": len(content)}, **more})
        await self.deliver({"message": message})
        return message

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
        wanted = methods or ("sendMessage", "sendPhoto", "sendDocument")
        return [call.params for call in self.calls if call.method in wanted]

    async def until(self, truth: Callable[[], bool]) -> None:
        async with asyncio.timeout(30), self._changed:
            await self._changed.wait_for(truth)

    # -- the server

    async def start(self, port: int = 0) -> None:
        app = web.Application(client_max_size=60_000_000)
        app.router.add_post("/_control/{what}", self._control)
        app.router.add_get("/_control/{what}", self._control)
        app.router.add_get("/file/bot{token}/{path:.+}", self._file)
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
        if trouble := self.trouble.of(params):

            async def work() -> None:
                await getattr(self, f"do_{method}")(params)
                await self._tell()

            return await self.trouble.happens(trouble, request, work, _refusal)
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

    async def _file(self, request: web.Request) -> web.Response:
        if request.match_info["token"] != TOKEN:
            return _error(Refused(401, "Unauthorized"))
        self.calls.append(Call("file", {"path": request.match_info["path"]}))
        fault = self._fault("file")
        if fault:
            return await self._fail(request, fault)
        found = dict(self.files.values()).get(request.match_info["path"])
        return web.Response(status=404) if found is None else web.Response(body=found)

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

    async def do_setWebhook(self, params: Json) -> bool:
        secret = params.get("secret_token", "")
        if not re.fullmatch(r"[A-Za-z0-9_-]{0,256}", secret):
            raise Refused(400, "Bad Request: secret token contains unallowed characters")
        if not params["url"].startswith(("https://", "http://127.0.0.1")):
            raise Refused(400, "Bad Request: bad webhook: an HTTPS URL must be provided")
        self.webhook, self.webhook_secret = params["url"], secret
        self.allowed = params.get("allowed_updates")
        return True

    async def do_getFile(self, params: Json) -> Json:
        path, content = self.files.get(params["file_id"], ("", b""))
        if not path:
            raise Refused(400, "Bad Request: invalid file_id")
        if len(content) > 20_000_000:
            raise Refused(400, "Bad Request: file is too big")
        return {
            "file_id": params["file_id"],
            "file_unique_id": params["file_id"],
            "file_size": len(content),
            "file_path": path,
        }

    async def do_deleteWebhook(self, params: Json) -> bool:
        self.webhook = ""
        return True

    async def do_getUpdates(self, params: Json) -> list[Json]:
        if self.webhook:
            raise Refused(409, "Conflict: can't use getUpdates method while webhook is active")
        self.allowed = params.get("allowed_updates", self.allowed)
        offset = int(params.get("offset", 0))
        while self.pending and self.pending[0]["update_id"] < offset:
            self.pending.popleft()
        if not self.pending and int(params.get("timeout", 0)):
            async with self._changed:
                waiting = self._changed.wait_for(lambda: bool(self.pending))
                self.listened_to = True
                self._changed.notify_all()
                try:
                    await asyncio.wait_for(waiting, int(params["timeout"]))
                except TimeoutError:
                    return []
                finally:
                    self.listened_to = False
        return list(self.pending)[: int(params.get("limit", 100))]


async def _params(request: web.Request) -> Json:
    if request.content_type == "application/json":
        return dict(await request.json())
    params: Json = dict(request.query)
    for name, value in (await request.post()).items():
        if isinstance(value, web.FileField):
            params[name] = f"{len(value.file.read())} bytes"
            params[f"{name}_name"] = value.filename
            continue
        try:
            worded = name in ("text", "caption") or value[:1] not in ("{", "[")
            params[name] = value if worded else json.loads(value)
        except ValueError:
            params[name] = value
    return params


def _refusal(trouble: Trouble) -> web.Response:
    if trouble.kind == "429":
        after = trouble.retry_after
        return _error(Refused(429, f"Too Many Requests: retry after {after}", retry_after=after))
    if trouble.kind == "500":
        return _error(Refused(500, "Internal Server Error"))
    return _error(Refused(403, "Forbidden: bot was blocked by the user"))


def _error(refused: Refused) -> web.Response:
    body: Json = {"ok": False, "error_code": refused.code, "description": refused.text}
    if refused.parameters:
        body["parameters"] = refused.parameters
    return web.json_response(body, status=refused.code)


async def _serve(port: int) -> None:
    server = TelegramServer()
    await server.start(port)
    print(server.url, flush=True)
    while True:
        server.now = int(time.time())
        await asyncio.sleep(1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8081)
    asyncio.run(_serve(parser.parse_args().port))
