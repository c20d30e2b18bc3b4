"""Two workspaces in one Ratchet: nothing of one is ever seen in the other."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.fakes.slack_payloads import Payload, event, of_team
from tests.fakes.slack_server import SlackServer
from tests.stories.nodes import Node
from tests.stories.slack_people import Workspace, shown

OTHER, TOKEN = "T0ABROAD", "xoxb-token-from-abroad"
QUESTION = "In which unit do we state the length of a cable?"
HERE, ABROAD = "We state the length of a cable in metres", "We state the length of a cable in feet"


class Abroad(Workspace):
    """The other workspace: the same server, another team."""

    def stamp(self) -> str:
        seconds, _, number = super().stamp().partition(".")
        return f"{int(seconds) - 7}.{number}"  # no two messages of the server share a ts

    async def deliver(self, payload: Payload, times: int = 1) -> None:
        await super().deliver(of_team(OTHER, payload), times)


@dataclass
class Scene:
    server: SlackServer
    node: Node
    home: Path
    here: Workspace
    abroad: Abroad

    async def install(self, by: str) -> None:
        """As a browser does it: the page, Slack's yes, and back."""
        self.server.teams[TOKEN] = OTHER
        self.server.grants["yes"] = {
            "access_token": TOKEN,
            "team": {"id": OTHER, "name": "Abroad"},
            "authed_user": {"id": by},
        }
        async with httpx.AsyncClient(base_url=self.node.url) as browser:
            page = await browser.get("/slack/install")
            link = page.text.partition('class="button" href="')[2].partition('"')[0]
            state = parse_qs(urlsplit(link.replace("&amp;", "&")).query)["state"][0]
            back = {"state": state, "code": "yes"}
            done = await browser.get("/slack/oauth_redirect", params=back)
        assert done.status_code == 200 and "Abroad" in done.text


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    server = await SlackServer().start()
    home = tmp_path / "home"
    oauth = {
        "SLACK_CLIENT_ID": "1.2",
        "SLACK_CLIENT_SECRET": "secret-of-the-app",
        "RATCHET_SECRET_KEY": "k" * 64,
    }
    node = Node(home, {"RATCHET_OWNERS": "slack:U0OWNER", **oauth})
    here, abroad = Workspace(server, node), Abroad(server, node)
    node.set(here.settings())
    await node.start()
    yield Scene(server, node, home, here, abroad)
    await node.stop()
    await server.stop()


async def test_two_workspaces_never_see_each_others_work(scene: Scene) -> None:
    owner = scene.here.person("U0OWNER", "The Owner")
    await scene.install(by="U0INSTALLER")
    installer = scene.abroad.person("U0INSTALLER", "The Installer")
    visitor = scene.abroad.person("U0OWNER", "The Owner")

    # Each teaches its own.
    asked = await owner.says(QUESTION)
    card = await owner.says(f"better {HERE}", thread=asked["thread_ts"])
    await owner.presses(card, "Approve")
    await owner.reads("Approved by The Owner", card)
    asked = await installer.says(QUESTION)
    assert asked["team"] == OTHER and "metres" not in shown(asked)
    card = await installer.says(f"better {ABROAD}", thread=asked["thread_ts"])
    told = await installer.sees(lambda m: m["channel"] == "D0INSTALLER" and "P1" in shown(m))
    assert told["team"] == OTHER, "who installed it is told, in their own workspace"

    # What the settings say of an owner holds for their own workspace.
    await visitor.presses(card, "Approve")
    assert (await visitor.reads("yours is member"))["team"] == OTHER
    await installer.presses(card, "Approve")
    await installer.reads("Approved by The Installer", card)

    assert (await owner.says(QUESTION))["text"].startswith(HERE)
    assert (await installer.says(QUESTION))["text"].startswith(ABROAD)
    for asks in ("!proposals", "!runs", "!agents generalist"):
        assert "feet" not in shown(await owner.says(asks))
        assert "metres" not in shown(await installer.says(asks))

    # Nothing that reads the database finds the token.
    kept = b"".join(path.read_bytes() for path in scene.home.glob("*.sqlite*"))
    assert b"U0INSTALLER" in kept and TOKEN.encode() not in kept
    assert TOKEN not in scene.node.output

    # It ends there and goes on here; and it may begin again.
    await scene.abroad.deliver(event({"type": "app_uninstalled"}, event_id="EvGone"))
    before = len(scene.server.messages)
    await scene.abroad.deliver(
        event({"type": "app_mention", "channel": "C0GENERAL", "user": "U0INSTALLER", "ts": "9.9"})
    )
    assert (await owner.says(QUESTION))["text"].startswith(HERE)
    assert all(message["team"] != OTHER for message in scene.server.messages[before:])
    await scene.install(by="U0INSTALLER")
    assert (await installer.says(QUESTION))["text"].startswith(ABROAD)
