"""A small, strict Graph API server for one WhatsApp number, and what Meta posts to a webhook."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.fakes.trouble import Trouble, Troubles

TOKEN, PHONE_ID, APP_SECRET, VERIFY = "EAAB-fake", "1066", "app-secret", "verify-me"
Json = dict[str, Any]


def signature(body: bytes, secret: str = APP_SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def signed(payload: object, secret: str = APP_SECRET) -> tuple[bytes, dict[str, str]]:
    """The raw body and the headers of a webhook call."""
    body = json.dumps(payload).encode()
    return body, {"X-Hub-Signature-256": signature(body, secret)}


def webhook(*messages: Json, phone_id: str = PHONE_ID, **value: Any) -> Json:
    contact = {"profile": {"name": "Ann"}, "wa_id": "15551234", "user_id": "US.77"}
    whole = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "1555", "phone_number_id": phone_id},
        "contacts": [contact],
        "messages": list(messages),
    } | value
    change = {"field": "messages", "value": whole}
    return {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]}


def text(body: str, number: str = "wamid.1", **more: Any) -> Json:
    said = {"id": number, "from": "15551234", "from_user_id": "US.77", "timestamp": "100"}
    return said | {"type": "text", "text": {"body": body}} | more


def press(command: str, number: str = "wamid.2") -> Json:
    pressed = {"type": "button_reply", "button_reply": {"id": command, "title": "Approve"}}
    return text("", number, type="interactive", interactive=pressed)


@dataclass
class WhatsAppServer:
    """`faults` are (HTTP status, Graph error code), one per call; status 0 cuts, None is none."""

    faults: list[tuple[int, int] | None] = field(default_factory=list)
    shown: list[Json] = field(default_factory=list)
    trouble: Troubles = field(default_factory=Troubles)
    url: str = ""

    def __post_init__(self) -> None:
        self._news = asyncio.Event()

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/v23.0/{phone}/messages", self._messages)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v23.0"

    async def until(self, found: Callable[[], Json | None]) -> Json:
        """What it finds, once a shown message makes it find something."""
        async with asyncio.timeout(10):
            while (result := found()) is None:
                self._news.clear()
                await self._news.wait()
        return result

    async def stop(self) -> None:
        await self._runner.cleanup()

    async def _messages(self, request: web.Request) -> web.Response:
        body = await request.json()
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return _error(401, 190)
        if request.match_info["phone"] != PHONE_ID:
            return _error(404, 100)
        if trouble := self.trouble.of(body):

            async def work() -> None:
                self._show(body)

            return await self.trouble.happens(trouble, request, work, _refusal)
        if self.faults and (fault := self.faults.pop(0)):
            status, code = fault
            if status == 0:
                assert request.transport
                request.transport.close()
                return web.Response()
            return _error(status, code)
        if problem := _problem(body):
            return _error(400, 100, problem)
        return web.json_response({"messages": [{"id": self._show(body)}]})

    def _show(self, body: Json) -> str:
        self.shown.append(body)
        self._news.set()
        return f"wamid.out{len(self.shown)}"


def _problem(body: Json) -> str:
    if body.get("messaging_product") != "whatsapp":
        return "messaging_product"
    if not str(body.get("to", "")).isdigit() and "." not in body.get("recipient", ""):
        return "recipient"
    if body["type"] == "text":
        return "" if 1 <= len(body["text"]["body"]) <= 4096 else "text.body"
    keys = [b["reply"] for b in body["interactive"]["action"]["buttons"]]
    titles = {key["title"] for key in keys}
    fits = all(1 <= len(k["title"]) <= 20 and 1 <= len(k["id"]) <= 256 for k in keys)
    if not 1 <= len(keys) <= 3 or len(titles) != len(keys) or not fits:
        return "buttons"
    return "" if 1 <= len(body["interactive"]["body"]["text"]) <= 1024 else "interactive.body"


def _refusal(trouble: Trouble) -> web.Response:
    if trouble.kind == "429":
        headers = {"Retry-After": str(trouble.retry_after)}
        error = {"error": {"message": "Too many requests", "code": 80007}}
        return web.json_response(error, status=429, headers=headers)
    if trouble.kind == "500":
        return _error(500, 131000, "Something went wrong")
    return _error(400, 131026, "Message undeliverable")


def _error(status: int, code: int, text: str = "refused") -> web.Response:
    return web.json_response({"error": {"message": text, "code": code}}, status=status)
