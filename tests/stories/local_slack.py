"""local-slack, a Slack written by others: its people, what they do, and what they see."""

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from tests.ports import free_port
from tests.stories.nodes import clean_environment

BINARY = Path(__file__).parents[2] / ".tools" / "local-slack"
BOT, CHANNEL, SECRET = "U0BOT", "C01GEN", "signing-secret-of-the-test"
OWNER, MEMBER = "U01OWNER", "U02MEMBER"
Json = dict[str, Any]
_WITHIN = 20.0


class LocalSlack:
    """One workspace with one app, which is reached over Socket Mode or at `request_url`."""

    def __init__(self, folder: Path, request_url: str = "") -> None:
        self._folder, self._request_url = folder, request_url
        self._port = free_port()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def settings(self) -> dict[str, str]:
        """What makes a Ratchet listen to it."""
        transport = (
            {"SLACK_SIGNING_SECRET": SECRET}
            if self._request_url
            else {"SLACK_APP_TOKEN": "xapp-test"}
        )
        return {
            "SLACK_BOT_TOKEN": "xoxb-test",
            "SLACK_API_URL": f"{self.url}/api/",
            "RATCHET_OWNERS": f"slack:{OWNER}",
            **transport,
        }

    async def start(self) -> None:
        config = self._folder / "local-slack.yaml"
        config.write_text(yaml.safe_dump(self._config()))
        with (self._folder / "local-slack.txt").open("wb") as output:
            self._process = await asyncio.create_subprocess_exec(
                str(BINARY),
                *("--config", str(config), "--port", str(self._port), "--base-host", "127.0.0.1"),
                env=clean_environment(),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        self._session = aiohttp.ClientSession(self.url)
        async with asyncio.timeout(_WITHIN):
            while True:
                with suppress(aiohttp.ClientError):
                    await self.state()
                    return
                await asyncio.sleep(0.05)

    async def stop(self) -> None:
        await self._session.close()
        self._process.terminate()
        await self._process.wait()

    # What people do

    async def says(self, user: str, text: str, thread: str = "", channel: str = CHANNEL) -> Json:
        said = {"channel": channel, "user": user, "text": text}
        more = {"thread_ts": thread} if thread else {}
        message: Json = (await self._control("message", said | more))["message"]
        return message

    async def commands(self, user: str, command: str, text: str = "") -> None:
        asked = {"channel": CHANNEL, "user": user, "command": command, "text": text}
        await self._control("command", asked)

    async def presses(self, user: str, message: Json, label: str) -> None:
        await self._acts(user, message, button(message, label))

    async def rates(self, user: str, message: Json, half: str) -> None:
        """`half` of the thumbs below an answer: "positive" or "negative"."""
        found = [e for b in message["blocks"] for e in b.get("elements", ())]
        thumbs = next(e for e in found if e["type"] == "feedback_buttons")
        chosen = {"value": thumbs[f"{half}_button"]["value"], "block_id": "thumbs"}
        action = {"type": "feedback_buttons", "action_id": thumbs["action_id"], **chosen}
        await self._acts(user, message, action)

    async def _acts(self, user: str, message: Json, action: Json) -> None:
        pressed = {"channel": message["channel"], "messageTs": message["ts"], "user": user}
        stamp = {"action_ts": f"{time.time():.6f}"}
        await self._control("interact", {**pressed, "action": {**action, **stamp}})

    async def reacts(self, user: str, message: Json, name: str) -> None:
        place = {"channel": message["channel"], "ts": message["ts"]}
        await self._control("reaction", place | {"user": user, "name": name})

    async def opens_home(self, user: str) -> None:
        await self._control("open-home", {"user": user})

    async def uploads(self, user: str, text: str, name: str, content: bytes) -> None:
        form = aiohttp.FormData({"channel": CHANNEL, "user": user, "text": text})
        form.add_field("file", content, filename=name)
        async with self._session.post("/_control/upload", data=form) as answer:
            assert (await answer.json())["ok"]

    async def types(self, user: str, words: str) -> None:
        """Into the modal that is open, once there is one; and submits it."""
        view = await self.until(lambda state: state["modalStack"] and state["modalStack"][-1])
        block = next(b for b in view["blocks"] if b["type"] == "input")
        element = block["element"]
        typed = {element["action_id"]: {"type": element["type"], "value": words}}
        submitted = {"t": "view_submit", "user": user, "values": {block["block_id"]: typed}}
        async with self._session.ws_connect("/ui") as ui:
            await ui.receive_json()
            await ui.send_json(submitted)
            await self.until(lambda state: not state["modalStack"])

    # What people see

    async def state(self) -> Json:
        async with self._session.ws_connect("/ui") as ui:
            state: Json = (await ui.receive_json())["state"]
            return state

    async def sees(self, truth: Callable[[Json], bool], *, since: str = "") -> Json:
        """The first of the bot's messages, after that ts, that is so; once it is there."""

        def found(state: Json) -> Json | None:
            mine = (m for shown in state["messages"].values() for m in shown if m["user"] == BOT)
            return next((m for m in mine if m["ts"] > since and truth(m)), None)

        found_one: Json = await self.until(found)
        return found_one

    async def reads(self, words: str, *, on: Json | None = None, since: str = "") -> Json:
        """A message that shows the words; `on` is the one in which they are to appear."""
        ts = on and on["ts"]
        return await self.sees(lambda m: words in shown(m) and ts in (None, m["ts"]), since=since)

    async def until(self, truth: Callable[[Json], Any]) -> Any:
        state: Json = {}
        try:
            async with asyncio.timeout(_WITHIN):
                while not (found := truth(state := await self.state())):
                    await asyncio.sleep(0.1)
                return found
        except TimeoutError:
            came = [shown(m) for found in state["messages"].values() for m in found]
            refused = [e for e in state["log"] if "->" in str(e.get("summary", e))]
            lines = ["It never came. What came:", *came, *map(str, refused)]
            raise AssertionError("\n".join(lines)) from None

    async def refusals(self) -> list[str]:
        """What of the Web API it did not take."""
        log = (await self.state())["log"]
        return [text for text in map(json.dumps, log) if " -> " in text or "threw" in text]

    async def _control(self, what: str, body: Json) -> Json:
        async with self._session.post(f"/_control/{what}", json=body) as answer:
            found: Json = await answer.json()
        assert found["ok"], found
        return found

    def _config(self) -> Json:
        way = {"mode": "events", "requestUrl": self._request_url}
        return {
            "workspace": {"name": "Home", "domain": "home", "teamId": "T0HOME"},
            "app": {
                "appId": "A0APP",
                "botUserId": BOT,
                "botName": "ratchet",
                "botToken": "xoxb-test",
                "appToken": "xapp-test",
                "signingSecret": SECRET,
                **(way if self._request_url else {"mode": "socket"}),
            },
            "users": [
                {"id": OWNER, "name": "owner", "real_name": "The Owner"},
                {"id": MEMBER, "name": "member", "real_name": "The Member"},
            ],
            "channels": [{"id": CHANNEL, "name": "general", "members": [OWNER, MEMBER, BOT]}],
        }


def shown(message: Mapping[str, Any]) -> str:
    """Everything that can be read in a message."""
    return json.dumps([message.get("text"), message.get("blocks")], ensure_ascii=False)


def button(message: Mapping[str, Any], label: str) -> Json:
    """The button with that label, or the half of a thumb, as a client reports it pressed."""
    for block in message.get("blocks") or ():
        for element in block.get("elements", ()):
            if element.get("type") == "button" and element["text"]["text"] == label:
                return {**element, "block_id": block.get("block_id", "b")}
    raise LookupError(f"{label!r} in {labels(message)}")


def labels(message: Mapping[str, Any]) -> list[str]:
    """The buttons that can be pressed."""
    return [
        element["text"]["text"]
        for block in message.get("blocks") or ()
        for element in block.get("elements", ())
        if element.get("type") == "button"
    ]
