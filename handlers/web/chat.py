"""The chat page: one conversation in a browser, with everything a chat platform would have."""

import re
from collections.abc import AsyncIterator, Mapping
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot.errors import RatchetError
from bot.events import CARDS
from bot.model.codec import reply_from_json
from bot.model.run import CLOSED, RunStatus
from bot.ports.channels import Accepted
from handlers.web import incoming
from handlers.web.auth import KEY_COOKIE, form_token
from handlers.web.body import form_fields
from handlers.web.downloads import Downloads
from handlers.web.faults import HttpFault, fault_of
from handlers.web.live import LiveAnswers
from handlers.web.outgoing import reply_of
from handlers.web.parts import Parts
from handlers.web.render import Renderer, refs_of, thread_of, turn_of
from handlers.web.streams import HEARTBEAT, STOPPING, next_event, sse, sse_response

_COOKIE = "ratchet_chat"
_YEAR = 365 * 24 * 3600
_TURNS = 40
_BEAT = 5.0
_RATING_SECONDS = 10.0
_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}


class ChatPage:
    def __init__(self, parts: Parts):
        self._parts = parts
        self.render = Renderer(parts.ids, parts.commands, parts.notice)
        self.live = LiveAnswers(parts.streams)
        self._downloads = Downloads(parts)

    async def home(self, request: Request) -> Response:
        if not self._parts.door.admits(request):
            return self._html("login.html", 401, wrong=False)
        chat = _chat(request) or self._parts.ids.token(16)
        runs = await self._parts.runs.recent(
            self._parts.workspace, conversation=f"{incoming.PAGE}:{chat}", limit=_TURNS
        )
        cards = await self._parts.cards(self._parts.workspace, refs_of(runs))
        thread = thread_of(runs, cards)
        page = self._html("chat.html", thread=thread, token=form_token(chat))
        _set_cookie(page, request, _COOKIE, chat)
        return page

    async def login(self, request: Request) -> Response:
        """The key, once; after that a cookie that no script and no other site can read."""
        self._parts.door.admits(request)
        self._parts.door.check_origin(request)
        fields = await form_fields(request)
        if not self._parts.key.matches(fields.get("key", "").strip()):
            return self._html("login.html", 401, wrong=True)
        back = RedirectResponse("/", 303)
        _set_cookie(back, request, KEY_COOKIE, self._parts.key.badge)
        return back

    async def new(self, request: Request) -> Response:
        """Leaves this conversation for an empty one."""
        await self._form(request)
        back = RedirectResponse("/", 303)
        _set_cookie(back, request, _COOKIE, self._parts.ids.token(16))
        return back

    async def say(self, request: Request) -> Response:
        """What was typed or pressed; answers with its place in the thread."""
        fields, chat = await self._form(request)
        accepted = await self._accept(request, fields, chat)
        if "hx-request" not in request.headers:
            return RedirectResponse("/", 303)
        run = await self._parts.find(accepted.run_id)
        return self._html("turn.html", turn=turn_of(run))

    async def rate(self, request: Request) -> Response:
        """A thumb: stays on the answer it rates, instead of becoming a line in the thread."""
        fields, chat = await self._form(request)
        accepted = await self._accept(request, fields, chat)
        if "hx-request" not in request.headers:
            return RedirectResponse("/", 303)
        words = fields.get("text", "").split()
        rated = await self._parts.find(words[1] if len(words) > 1 else "")
        run = await self._parts.inbox.wait(self._parts.workspace, accepted.run_id, _RATING_SECONDS)
        well = run.status is RunStatus.SUCCEEDED
        turn = turn_of(rated, words[2] if well and len(words) > 2 else "")
        return self._html("thumbs.html", turn=turn, said="" if well else reply_of(run).text)

    async def stop(self, request: Request) -> Response:
        """Stops an answer; what it had said stays."""
        _, chat = await self._form(request)
        run = await self._parts.find(request.path_params["run_id"])
        if run.conversation == f"{incoming.PAGE}:{chat}":
            await self._parts.inbox.cancel(self._parts.workspace, run.id)
        return Response(status_code=204, headers=_HEADERS)

    async def answer(self, request: Request) -> Response:
        """One answer as it stands now."""
        run_id = await self._mine(request)
        run = await self._parts.inbox.wait(self._parts.workspace, run_id, 1.0)
        return self._html("answer.html", turn=turn_of(run))

    async def file(self, request: Request) -> Response:
        """A file of an answer, to be saved."""
        chat = self._admitted(request)
        return await self._downloads.of_page(request, f"{incoming.PAGE}:{chat}")

    async def answer_events(self, request: Request) -> Response:
        return sse_response(self._watch(await self._mine(request)))

    async def card_events(self, request: Request) -> Response:
        """Cards that nobody asked for, and cards that change."""
        self._admitted(request)
        return sse_response(self._watch_cards())

    async def _watch(self, run_id: str) -> AsyncIterator[str]:
        """The whole text so far whenever it grew, then "done"."""
        parts = self._parts
        answer = self.live.follow(run_id)
        run = await parts.inbox.wait(parts.workspace, run_id, 0)
        shown = ("", "")
        yield HEARTBEAT
        while run.status not in CLOSED and not answer.stopped:
            if (answer.text, answer.doing) != shown:
                shown = answer.text, answer.doing
                yield sse(self.render.page("so_far.html", text=shown[0], doing=shown[1]))
            if not await answer.news(_BEAT):
                yield HEARTBEAT
                run = await parts.inbox.wait(parts.workspace, run_id, 0)
            elif answer.over:
                run = await parts.inbox.wait(parts.workspace, run_id, _BEAT)
        if run.status in CLOSED:
            self.live.drop(run_id)
            yield sse("done", "done")

    async def _watch_cards(self) -> AsyncIterator[str]:
        yield HEARTBEAT
        with self._parts.streams.watch(CARDS) as queue:
            while True:
                event = await next_event(queue, 15.0)
                if event is None:
                    yield HEARTBEAT
                elif event.kind == STOPPING:
                    return
                elif event.data.get("workspace", self._parts.workspace) == self._parts.workspace:
                    card = reply_from_json(cast(Mapping[str, Any], event.data["reply"]))
                    yield sse(self.render.page("card.html", reply=card), "card")

    async def _accept(self, request: Request, fields: Mapping[str, str], chat: str) -> Accepted:
        parts = self._parts
        trusted = parts.door.trusts(request)
        now = parts.clock.now()
        message = incoming.page_message(parts.workspace, fields, chat, trusted, now)
        accepted = await parts.accept(message)
        # Nothing may be awaited before this: what isn't watched from its start isn't streamed.
        if not accepted.duplicate:
            self.live.follow(accepted.run_id)
        return accepted

    def _admitted(self, request: Request) -> str:
        """The conversation. Raises HttpFault 401 where the key is needed first."""
        if not self._parts.door.admits(request):
            raise HttpFault(401, "key_needed", "Please open the page again and give the API key.")
        return _chat(request)

    async def _form(self, request: Request) -> tuple[dict[str, str], str]:
        chat = self._admitted(request)
        self._parts.door.check_origin(request)
        fields = await form_fields(request)
        if not chat or fields.get("token") != form_token(chat):
            raise HttpFault(403, "stale_page", "This page is out of date; please reload it.")
        return fields, chat

    async def _mine(self, request: Request) -> str:
        chat = self._admitted(request)
        run = await self._parts.find(request.path_params["run_id"])
        if run.conversation != f"{incoming.PAGE}:{chat}":
            raise HttpFault(404, "run_not_found", f"There is no run {run.short} here.")
        return run.id

    def _html(self, template: str, status: int = 200, /, **values: object) -> Response:
        return HTMLResponse(self.render.page(template, **values), status, _HEADERS)

    def fault(self, request: Request, error: RatchetError) -> Response:
        """An error as a line in the thread, or as a page of its own."""
        fault = fault_of(error)
        name = "fault_line.html" if "hx-request" in request.headers else "fault.html"
        html = self.render.page(name, said=fault.said)
        return HTMLResponse(html, fault.status, {**_HEADERS, **fault.headers})


def _chat(request: Request) -> str:
    """The conversation that the cookie names, or ""."""
    chat = request.cookies.get(_COOKIE, "")
    return chat if re.fullmatch(r"[0-9a-f]{32}", chat) else ""


def _set_cookie(response: Response, request: Request, name: str, value: str) -> None:
    secure = request.url.scheme == "https"
    response.set_cookie(name, value, max_age=_YEAR, httponly=True, samesite="strict", secure=secure)
