"""A strict Slack of our own: Web API and Socket Mode, with limits, faults and a record.

`python -m tests.fakes.slack_server --port 8999` runs it by itself; GET /_messages and /_calls show
what it got, POST /_fault {"method", "kind", "times", "retry_after"} makes it fail. A fault's kind
is an HTTP status ("429", "500"), "drop" (the connection breaks, nothing done), "drop_after" (done,
but the answer is lost), "html" (a proxy answers) or one of Slack's error codes.
"""

import argparse
import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from tests.fakes.slack_blocks import Invalid, check_home, check_message, check_view
from tests.fakes.slack_files import SlackFiles
from tests.fakes.slack_payloads import BOT, BOT_ID, CHANNEL, DM, TEAM, Payload, bot_of
from tests.fakes.slack_streams import Stream, check_start
from tests.fakes.trouble import Trouble, Troubles

Args = dict[str, Any]
Answer = dict[str, Any]
_JSON_FIELDS = ("blocks", "chunks", "metadata", "view", "files", "prompts")


class Lost(Exception):
    """The answer doesn't arrive."""


@dataclass
class Fault:
    method: str
    kind: str
    times: int = 1
    retry_after: int = 0


@dataclass
class SlackServer:
    """`rich` False refuses the newer blocks, `streaming` False knows no streams; `members` are
    channels the bot is in. `teams` are further workspaces by their tokens, `grants` what
    oauth.v2.access answers by code."""

    bot_token: str = "xoxb-fake"
    app_token: str = "xapp-fake"
    rich: bool = True
    streaming: bool = True
    forgets_metadata: bool = False
    calls: list[tuple[str, Args]] = field(default_factory=list)
    messages: list[Answer] = field(default_factory=list)
    ephemerals: list[Args] = field(default_factory=list)
    reactions: set[tuple[str, str, str]] = field(default_factory=set)
    statuses: list[Args] = field(default_factory=list)
    views: list[Answer] = field(default_factory=list)
    files: list[Args] = field(default_factory=list)
    shares: list[Answer] = field(default_factory=list)
    streams: dict[str, Stream] = field(default_factory=dict)
    responses: list[Answer] = field(default_factory=list)
    people: dict[str, Answer] = field(default_factory=dict)
    teams: dict[str, str] = field(default_factory=dict)
    grants: dict[str, Answer] = field(default_factory=dict)
    homes: dict[str, Answer] = field(default_factory=dict)
    prompts: list[Args] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    members: set[str] = field(default_factory=lambda: {CHANNEL, DM})
    acks: dict[str, Answer] = field(default_factory=dict)
    trouble: Troubles = field(default_factory=Troubles)

    def __post_init__(self) -> None:
        self.changed = asyncio.Condition()
        self._sockets: list[web.WebSocketResponse] = []
        self._number = 0
        self._team = TEAM
        self._runner: web.AppRunner | None = None
        self.port = 0
        self.store = SlackFiles(self.bot_token)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/"

    async def start(self, port: int = 0) -> "SlackServer":
        app = web.Application(client_max_size=32 << 20)
        app.router.add_get("/socket", self._socket)
        app.router.add_route("*", "/api/{method}", self._api)
        app.router.add_post("/upload/{file}", self._with_faults("upload", self.store.uploaded))
        down = self._with_faults("download", self.store.downloaded)
        app.router.add_get("/files-pri/{file}/download/{name}", down)
        app.router.add_post("/respond", self._responded)
        app.router.add_get("/_messages", self._show("messages"))
        app.router.add_get("/_calls", self._show("calls"))
        app.router.add_post("/_fault", self._add_fault)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port or self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        self.store.base = f"http://127.0.0.1:{self.port}"
        return self

    async def stop(self) -> None:
        await self.hang_up()
        if self._runner:
            await self._runner.cleanup()

    def fail(self, method: str, kind: str, times: int = 1, retry_after: int = 0) -> None:
        self.faults.append(Fault(method, kind, times, retry_after))

    async def until(self, truth: Callable[[], bool], seconds: float = 10) -> None:
        """Waits until something recorded makes it true."""
        async with asyncio.timeout(seconds), self.changed:
            await self.changed.wait_for(truth)

    async def _notify(self) -> None:
        async with self.changed:
            self.changed.notify_all()

    # Socket Mode

    async def connected(self) -> None:
        await self.until(lambda: bool(self._sockets))

    async def envelope(self, payload: Payload, envelope_id: str, connection: int = -1) -> None:
        """Sends it over the newest connection; the acknowledgement lands in `acks`."""
        kind = "slash_commands" if "command" in payload else "interactive"
        kind = "events_api" if payload.get("type") == "event_callback" else kind
        frame = {"type": kind, "envelope_id": envelope_id, "payload": payload}
        to = self._sockets[connection]
        await to.send_json({**frame, "accepts_response_payload": kind[0] != "e"})

    async def frame(self, raw: str) -> None:
        await self._sockets[-1].send_str(raw)

    async def acked(self, envelope_id: str) -> Answer:
        await self.until(lambda: envelope_id in self.acks)
        return self.acks[envelope_id]

    async def hang_up(self) -> None:
        sockets, self._sockets = self._sockets, []
        for socket in sockets:
            await socket.close()

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"type": "hello", "num_connections": 1})
        self._sockets.append(socket)
        await self._notify()
        async for frame in socket:
            if frame.type is WSMsgType.TEXT:
                answer = json.loads(frame.data)
                self.acks[answer["envelope_id"]] = answer
                await self._notify()
        if socket in self._sockets:
            self._sockets.remove(socket)
        return socket

    # Web API

    async def _api(self, request: web.Request) -> web.Response:
        method, args = request.match_info["method"], await _arguments(request)
        self.calls.append((method, args))
        if trouble := self.trouble.of(args):
            token = request.headers.get("Authorization", "")

            async def work() -> None:
                self._answer(method, args, token)

            return await self.trouble.happens(trouble, request, work, _refusal)
        fault = self._fault_for(method)
        try:
            if fault and fault.kind in ("404", "429", "500", "503"):
                headers = {"Retry-After": str(fault.retry_after)} if fault.kind == "429" else {}
                body = {"ok": False, "error": "ratelimited"} if fault.kind == "429" else {}
                return web.json_response(body, status=int(fault.kind), headers=headers)
            if fault and fault.kind == "html":
                return web.Response(text="<h1>Proxy</h1>", content_type="text/html")
            if fault and fault.kind == "drop":
                raise Lost
            if fault and fault.kind != "drop_after":
                return web.json_response({"ok": False, "error": fault.kind})
            answer = self._answer(method, args, request.headers.get("Authorization", ""))
            if fault:
                raise Lost
            return web.json_response(answer)
        except Lost:
            if request.transport:
                request.transport.close()
            return web.Response()
        finally:
            await self._notify()

    def _fault_for(self, method: str) -> Fault | None:
        for fault in self.faults:
            if fault.method == method and fault.times > 0:
                fault.times -= 1
                return fault
        return None

    def _answer(self, method: str, args: Args, authorization: str) -> Answer:
        token = authorization.removeprefix("Bearer ")
        teams = {self.bot_token: TEAM, **self.teams}
        known = token == self.app_token if method == "apps.connections.open" else token in teams
        if not (known or method == "oauth.v2.access"):
            return {"ok": False, "error": "invalid_auth"}
        if method.endswith("Stream") and not self.streaming:
            return {"ok": False, "error": "unknown_method"}
        self._team = teams.get(token, TEAM)
        do: Callable[[Args], Answer] | None = getattr(self, "_" + method.replace(".", "_"), None)
        if do is None:
            return {"ok": False, "error": "unknown_method"}
        try:
            return {"ok": True, **do(args)}
        except Invalid as error:
            return {"ok": False, "error": error.args[0], "why": str(error.args[1:])}

    def _auth_test(self, args: Args) -> Answer:
        name, team = {"team": self._team, "user": "ratchet"}, self._team
        return {"user_id": bot_of(team), "bot_id": BOT_ID, "team_id": team, **name}

    def _oauth_v2_access(self, args: Args) -> Answer:
        """A code is good once."""
        granted = self.grants.pop(args.get("code", ""), None)
        if granted is None:
            raise Invalid("invalid_code")
        return granted

    def _views_publish(self, args: Args) -> Answer:
        check_home(args["view"])
        self.homes[args["user_id"]] = args["view"]
        return {"view": args["view"]}

    def _assistant_threads_setSuggestedPrompts(self, args: Args) -> Answer:
        if "thread_ts" in args or not 1 <= len(args["prompts"]) <= 4:
            raise Invalid("invalid_arguments")
        self.prompts.append(args)
        return {}

    def _apps_connections_open(self, args: Args) -> Answer:
        return {"url": f"ws://127.0.0.1:{self.port}/socket"}

    def _ts(self) -> str:
        self._number += 1
        return f"1780000{self._number:03d}.{self._number:06d}"

    def _reachable(self, channel: str) -> str:
        if channel.startswith("U"):
            channel = "D" + channel[1:]
            self.members.add(channel)
        if channel not in self.members:
            raise Invalid("channel_not_found" if channel.startswith("X") else "not_in_channel")
        return channel

    def _check(self, args: Args) -> None:
        blocks = args.get("blocks") or []
        check_message(args.get("text", ""), blocks)
        for block in blocks:
            if block["type"] == "image" and "slack_file" in block:
                self.store.show(block["slack_file"]["id"])
        newer = any(block["type"] in ("markdown", "context_actions") for block in blocks)
        if newer and not self.rich:
            raise Invalid("invalid_blocks", "unsupported block")

    def _chat_postMessage(self, args: Args) -> Answer:
        channel = self._reachable(args["channel"])
        self._check(args)
        kept = ("text", "blocks", "thread_ts", "metadata")
        message = {name: args[name] for name in kept if args.get(name)}
        sent = {"ts": self._ts(), "user": bot_of(self._team), "bot_id": BOT_ID}
        message |= {"type": "message", **sent, "team": self._team}
        self.messages.append({**message, "channel": channel})
        return {"channel": channel, "ts": message["ts"], "message": message}

    def _chat_update(self, args: Args) -> Answer:
        self._check(args)
        if args["ts"] in self.streams and self.streams[args["ts"]].goes_on:
            raise Invalid("streaming_state_conflict")
        for message in self.messages:
            if (message["channel"], message["ts"]) == (args["channel"], args["ts"]):
                message.update({k: args[k] for k in ("text", "blocks", "metadata") if k in args})
                return {"channel": args["channel"], "ts": args["ts"]}
        raise Invalid("message_not_found")

    def _chat_delete(self, args: Args) -> Answer:
        self.messages = [m for m in self.messages if m["ts"] != args["ts"]]
        return {"channel": args["channel"], "ts": args["ts"]}

    def _chat_postEphemeral(self, args: Args) -> Answer:
        self._reachable(args["channel"])
        self._check(args)
        self.ephemerals.append(args)
        return {"message_ts": self._ts()}

    def _conversations_open(self, args: Args) -> Answer:
        return {"channel": {"id": self._reachable(args["users"])}}

    def _conversations_history(self, args: Args) -> Answer:
        channel = self._reachable(args["channel"])
        everything = [*self.messages, *self.shares]
        found = [m for m in everything if m["channel"] == channel and not m.get("thread_ts")]
        return self._page(found[::-1], args)

    def _conversations_replies(self, args: Args) -> Answer:
        channel, ts = self._reachable(args["channel"]), args["ts"]
        found = [
            m
            for m in (*self.messages, *self.shares)
            if m["channel"] == channel and ts in (m["ts"], m.get("thread_ts"))
        ]
        return self._page(found, args)

    def _page(self, found: list[Answer], args: Args) -> Answer:
        start, limit = int(args.get("cursor") or 0), int(args.get("limit", 100))
        page = [dict(message) for message in found[start : start + limit]]
        asked = str(args.get("include_all_metadata", "")).lower() in ("1", "true")
        if self.forgets_metadata or not asked:
            for message in page:
                message.pop("metadata", None)
        more = start + limit < len(found)
        cursor = str(start + limit) if more else ""
        return {"messages": page, "response_metadata": {"next_cursor": cursor}}

    def _reactions_add(self, args: Args) -> Answer:
        key = (args["channel"], args["timestamp"], args["name"])
        if key in self.reactions:
            raise Invalid("already_reacted")
        self.reactions.add(key)
        return {}

    def _reactions_remove(self, args: Args) -> Answer:
        key = (args["channel"], args["timestamp"], args["name"])
        if key not in self.reactions:
            raise Invalid("no_reaction")
        self.reactions.remove(key)
        return {}

    def _assistant_threads_setStatus(self, args: Args) -> Answer:
        self.statuses.append(args)
        return {}

    def _users_info(self, args: Args) -> Answer:
        if args["user"] not in self.people:
            raise Invalid("user_not_found")
        return {"user": {"id": args["user"], **self.people[args["user"]]}}

    def _views_open(self, args: Args) -> Answer:
        check_view(args["view"])
        if not args.get("trigger_id"):
            raise Invalid("invalid_arguments")
        self.views.append(args["view"])
        return {"view": {**args["view"], "id": f"V{len(self.views)}"}}

    def _chat_startStream(self, args: Args) -> Answer:
        channel = self._reachable(args["channel"])
        check_start(args)
        message = {"type": "message", "ts": self._ts(), "user": BOT, "bot_id": BOT_ID}
        more = {"channel": channel, "thread_ts": args["thread_ts"]}
        stream = Stream({**message, **more, "streaming_state": "in_progress"})
        stream.take(args)
        self.streams[message["ts"]] = stream
        self.messages.append(stream.message)
        return {"channel": channel, "ts": message["ts"]}

    def _chat_appendStream(self, args: Args) -> Answer:
        self._stream(args).take(args)
        return {"channel": args["channel"], "ts": args["ts"]}

    def _chat_stopStream(self, args: Args) -> Answer:
        stream = self._stream(args)
        stream.stop(args)
        return {"channel": args["channel"], "ts": args["ts"], "message": stream.message}

    def _stream(self, args: Args) -> Stream:
        stream = self.streams.get(args["ts"])
        if stream is None or stream.message not in self.messages:
            raise Invalid("message_not_found")
        if not stream.goes_on:
            raise Invalid("message_not_in_streaming_state")
        return stream

    def expire_streams(self) -> None:
        """Slack ends a stream by itself after some minutes."""
        for stream in self.streams.values():
            stream.message["streaming_state"] = "completed"

    def _files_getUploadURLExternal(self, args: Args) -> Answer:
        return self.store.begin(args)

    def _files_completeUploadExternal(self, args: Args) -> Answer:
        channel = args.get("channel_id") and self._reachable(args["channel_id"])
        found = self.store.complete(args)
        self.files.append(args)
        if channel:
            message = {"type": "message", "ts": self._ts(), "user": BOT, "bot_id": BOT_ID}
            where = {"channel": channel, "thread_ts": args.get("thread_ts")}
            listed = [{"id": file.id, "name": file.name} for file in found]
            self.shares.append({**message, **where, "files": listed})
        return {"files": [{"id": file.id, "title": file.title} for file in found]}

    def _files_info(self, args: Args) -> Answer:
        return {"file": self.store.info(args["file"])}

    def _with_faults(
        self, name: str, do: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def work(request: web.Request) -> web.StreamResponse:
            self.calls.append((name, dict(request.match_info)))
            fault = self._fault_for(name)
            if fault and fault.kind.isdecimal():
                headers = {"Retry-After": str(fault.retry_after)} if fault.kind == "429" else {}
                return web.Response(status=int(fault.kind), headers=headers)
            answer = await do(request)
            if fault and request.transport:
                request.transport.close()
            return answer

        return work

    async def _responded(self, request: web.Request) -> web.Response:
        self.responses.append(await request.json())
        await self._notify()
        return web.json_response({"ok": True})

    def _show(self, name: str) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def show(_: web.Request) -> web.Response:
            return web.json_response(getattr(self, name))

        return show

    async def _add_fault(self, request: web.Request) -> web.Response:
        self.faults.append(Fault(**await request.json()))
        return web.json_response({"ok": True})


def _refusal(trouble: Trouble) -> web.Response:
    if trouble.kind == "429":
        headers = {"Retry-After": str(trouble.retry_after)}
        return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers=headers)
    if trouble.kind == "500":
        return web.json_response({}, status=500)
    return web.json_response({"ok": False, "error": "restricted_action"})


async def _arguments(request: web.Request) -> Args:
    """Query, form and JSON alike: the SDK uses each for some methods."""
    args: Args = dict(request.query)
    if request.content_type == "application/json":
        args |= await request.json()
    elif request.can_read_body:
        args |= {k: v for k, v in (await request.post()).items() if isinstance(v, str)}
    for name in _JSON_FIELDS:
        if isinstance(args.get(name), str):
            args[name] = json.loads(args[name])
    return args


def element(message: Mapping[str, Any], label: str) -> Answer:
    """The button with that label in a recorded message."""
    for block in message.get("blocks", ()):
        for found in block.get("elements", ()):
            if found.get("type") == "button" and found["text"]["text"] == label:
                return dict(found)
    raise LookupError(label)


async def _forever(port: int) -> None:
    server = await SlackServer().start(port)
    print(server.url, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    asyncio.run(_forever(parser.parse_args().port))
