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
_DAY = 86_400_000


def signature(body: bytes, secret: str = APP_SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def signed(payload: object, secret: str = APP_SECRET) -> tuple[bytes, dict[str, str]]:
    """The raw body and the headers of a webhook call."""
    body = json.dumps(payload).encode()
    return body, {"X-Hub-Signature-256": signature(body, secret)}


def webhook(
    *messages: Json, phone_id: str = PHONE_ID, field: str = "messages", **value: Any
) -> Json:
    """`messages` from Ann, unless they say who else they are from."""
    asked = messages[0] if messages else {}
    mine = asked.get("from", "15551234") == "15551234"
    contact = {"profile": {"name": "Ann"}, "wa_id": "15551234", "user_id": "US.77"}
    if not mine:
        contact = {"profile": {"name": "Ben"}, "wa_id": asked["from"]}
    whole = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "1555", "phone_number_id": phone_id},
        "contacts": [contact],
        "messages": list(messages),
    } | value
    change = {"field": field, "value": whole}
    return {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]}


def text(body: str, number: str = "wamid.1", **more: Any) -> Json:
    said = {"id": number, "from": "15551234", "from_user_id": "US.77", "timestamp": "100"}
    return said | {"type": "text", "text": {"body": body}} | more


def press(command: str, number: str = "wamid.2") -> Json:
    pressed = {"type": "button_reply", "button_reply": {"id": command, "title": "Approve"}}
    return text("", number, type="interactive", interactive=pressed)


def statuses(*found: Json) -> Json:
    """A webhook call that tells what became of messages."""
    value: Json = {"contacts": [], "messages": None, "statuses": list(found)}
    return webhook(**value)


@dataclass(frozen=True)
class Template:
    """What Meta has approved: how many parameters its body takes, how many quick replies it has."""

    parameters: int = 2
    replies: int = 0
    language: str = "en"


@dataclass
class WhatsAppServer:
    """`faults` are (HTTP status, Graph error code), one per call; status 0 cuts, None is none, and
    with a code below 0 a gateway answers in its place.
    `heard` is when people last wrote, in ms: where it is not None, free-form messages go to those
    only who wrote within a day of `now`. A message is taken before `trouble` or after it."""

    faults: list[tuple[int, int] | None] = field(default_factory=list)
    shown: list[Json] = field(default_factory=list)
    trouble: Troubles = field(default_factory=Troubles)
    templates: dict[str, Template] = field(default_factory=dict)
    heard: dict[str, int] | None = None
    now: Callable[[], int] = lambda: 0
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
        async with asyncio.timeout(15):
            while (result := found()) is None:
                self._news.clear()
                await self._news.wait()
        return result

    def status(self, index: int, state: str, code: int = 0, at: str = "101", **more: Any) -> Json:
        """What the platform tells of the message that was shown as number `index`."""
        body = self.shown[index]
        told: Json = {
            "id": f"wamid.out{index + 1}",
            "status": state,
            "timestamp": at,
            "recipient_id": body.get("to", ""),
            "recipient_user_id": body.get("recipient", "US.77"),
            "biz_opaque_callback_data": body["biz_opaque_callback_data"],
        }
        if code:
            told["errors"] = [{"code": code, "title": "No", "error_data": {"details": "because"}}]
        return told | more

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
            if code < 0:
                return web.Response(status=status, text="<html>", content_type="text/html")
            return _error(status, code)
        if code := self._refused(body):
            return _error(400 if code != 132001 else 404, code)
        if problem := _problem(body):
            return _error(400, 100, problem)
        return web.json_response({"messages": [{"id": self._show(body)}]})

    def _refused(self, body: Json) -> int:
        if body.get("type") == "template":
            asked = body["template"]
            known = self.templates.get(asked["name"])
            if known is None or known.language != asked["language"]["code"]:
                return 132001
            counted = [len(c["parameters"]) for c in asked["components"] if c["type"] == "body"]
            replies = [c for c in asked["components"] if c["type"] == "button"]
            return 132000 if counted != [known.parameters] or len(replies) != known.replies else 0
        to = str(body.get("to") or body.get("recipient"))
        if self.heard is not None and self.now() - self.heard.get(to, -_DAY) >= _DAY:
            return 131047
        return 0

    def _show(self, body: Json) -> str:
        self.shown.append(body)
        self._news.set()
        return f"wamid.out{len(self.shown)}"


def said(body: Json) -> str:
    """What a person reads of a message."""
    if body["type"] == "text":
        return str(body["text"]["body"])
    if body["type"] == "interactive":
        return str(body["interactive"]["body"]["text"])
    parts = [c["parameters"] for c in body["template"]["components"] if c["type"] == "body"]
    return "\n".join(p["text"] for p in parts[0])


def _problem(body: Json) -> str:
    if body.get("messaging_product") != "whatsapp":
        return "messaging_product"
    if len(body.get("biz_opaque_callback_data", "")) > 512:
        return "biz_opaque_callback_data"
    if not str(body.get("to", "")).isdigit() and "." not in body.get("recipient", ""):
        return "recipient"
    if body["type"] == "text":
        return "" if 1 <= len(body["text"]["body"]) <= 4096 else "text.body"
    if body["type"] == "template":
        return _template_problem(body["template"])
    keys = [b["reply"] for b in body["interactive"]["action"]["buttons"]]
    titles = {key["title"] for key in keys}
    fits = all(1 <= len(k["title"]) <= 20 and 1 <= len(k["id"]) <= 256 for k in keys)
    if not 1 <= len(keys) <= 3 or len(titles) != len(keys) or not fits:
        return "buttons"
    return "" if 1 <= len(body["interactive"]["body"]["text"]) <= 1024 else "interactive.body"


def _template_problem(template: Json) -> str:
    texts = [
        p["text"] for c in template["components"] if c["type"] == "body" for p in c["parameters"]
    ]
    if any(not t.strip() or set(t) & set("\n\t\r") or " " * 5 in t for t in texts):
        return "template parameter"
    if sum(map(len, texts)) + 200 > 1024:
        return "template body"
    payloads = [
        p["payload"]
        for c in template["components"]
        if c["type"] == "button"
        for p in c["parameters"]
    ]
    return "" if all(1 <= len(p) <= 128 for p in payloads) else "payload"


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
