"""The whole loop in a browser: ask, wrong, better, card, approve, right, rolled back."""

import html
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from openai import AsyncOpenAI

from bot.app import App
from bot.config import Settings, load
from bot.wiring import open_app

QUESTION = "When do we send invoices?"
LESSON = "On the first Monday of the month."
HX = {"hx-request": "true"}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    environ = {"RATCHET_HOME": str(tmp_path), "RATCHET_PORT": "0", "RATCHET_API_KEY": "k-1"}
    return load(environ, tmp_path)


@pytest.fixture
async def app(settings: Settings) -> AsyncIterator[App]:
    async with open_app(settings) as app:
        yield app


class Owner:
    """Someone at the page of their own machine, seeing what it shows and pressing what is there."""

    def __init__(self, app: App, client: httpx.AsyncClient) -> None:
        self._app, self._client = app, client
        self._said = 0

    async def page(self) -> str:
        return html.unescape((await self._client.get("/")).text)

    async def say(self, text: str, **more: str) -> str:
        """What the answer shows once it is there."""
        token = re.findall(r'id="token" name="token" value="(\w+)"', await self.page())[0]
        self._said += 1
        fields = {"token": token, "id": f"said-{self._said:08}", "text": text, **more}
        placed = await self._client.post("/chat/say", data=fields, headers=HX)
        run_id = re.findall(r'id="run-([0-9a-f-]+)"', placed.text)[0]
        await self._app.inbox.wait("local", run_id, 20)
        return html.unescape((await self._client.get(f"/chat/runs/{run_id}")).text)

    async def press(self, label: str, shown: str) -> str:
        command = re.findall(rf'name="text" value="([^"]+)">{label}<', shown)[0]
        return await self.say(command, button="1")


@pytest.fixture
async def owner(app: App) -> AsyncIterator[Owner]:
    url = app.channels["web"].summary
    async with httpx.AsyncClient(base_url=url, timeout=20) as client:
        yield Owner(app, client)


async def test_an_answer_gets_better_and_back(owner: Owner) -> None:
    wrong = await owner.say(QUESTION)
    assert LESSON not in wrong
    run_id = re.findall(r"/rate ([0-9a-f-]+) up", wrong)[0]
    card = await owner.say(f"/better {run_id}", extra=LESSON, button="1")
    assert 'data-card="P1"' in card and LESSON in card
    approved = await owner.press("Approve", card)
    assert "approved" in approved
    assert "Approved by owner, 20" in await owner.page()
    assert LESSON in await owner.say(QUESTION)
    await owner.press("Roll back", approved)
    assert LESSON not in await owner.say(QUESTION)


async def test_the_official_client_talks_to_the_whole_product(app: App) -> None:
    url = app.channels["web"].summary
    async with AsyncOpenAI(base_url=f"{url}/v1", api_key="k-1", timeout=20) as client:
        names = [model.id async for model in client.models.list()]
        assert "ratchet" in names and "ratchet/researcher" in names
        answer = await client.chat.completions.create(
            model="ratchet", messages=[{"role": "user", "content": "What is 12*7?"}]
        )
        assert "84" in (answer.choices[0].message.content or "")
        stream = await client.chat.completions.create(
            model="ratchet", messages=[{"role": "user", "content": "What is 12*7?"}], stream=True
        )
        assert "84" in "".join([c.choices[0].delta.content or "" async for c in stream])


async def test_feedback_by_http_is_heard(app: App) -> None:
    url = app.channels["web"].summary
    key = {"authorization": "Bearer k-1"}
    async with httpx.AsyncClient(base_url=url, headers=key, timeout=20) as client:
        started = await client.post("/v1/runs", json={"message": "What is 2+2?"})
        run_id = started.json()["run_id"]
        await app.inbox.wait("local", run_id, 20)
        rated = await client.post(f"/v1/runs/{run_id}/feedback", json={"rating": "up"})
        assert rated.status_code == 200
        run = (await client.get(f"/v1/runs/{run_id}")).json()
        assert run["outcome"]["y"] == 1.0
