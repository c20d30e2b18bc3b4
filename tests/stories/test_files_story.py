"""Files in and out of a real Ratchet, which is killed while it works on them."""

import asyncio
import base64
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import files
from tests.fakes.model_answers import Answer, Wait, asked
from tests.fakes.model_server import ModelServer
from tests.stories.nodes import Node

MAKE = '{"name": "summary.md", "content": "# Refunds\\n\\n27 in all.\\n"}'


def sent(name: str, content: bytes) -> dict[str, str]:
    return {"name": name, "data": base64.b64encode(content).decode()}


@pytest.mark.parametrize("calls", [1, 2])
async def test_what_was_read_and_made_before_a_kill_is_there_after_it(
    calls: int, tmp_path: Path
) -> None:
    """Killed in the first model call, with the files read; or in the second, with one made."""
    async with ModelServer() as model:
        settings = {"OPENAI_BASE_URL": model.url, "OPENAI_API_KEY": "k", "RATCHET_IMAGES": "yes"}
        node = Node(tmp_path / "home", {**settings, "RATCHET_LEASE_SECONDS": "1"})
        making = Answer(tool_calls=(("make_file", MAKE),))
        model.then(*[making] * (calls - 1), Wait(until=asyncio.Event()))
        await node.start()
        try:
            run_id = await node.ask(
                "Sum them up",
                files=[
                    sent("refunds.csv", b"month,refunds\nMay,12\nJune,15\n"),
                    sent("policy.pdf", files.pdf("Refunds within 30 days.")),
                    sent("shelf.png", files.png()),
                ],
            )
            while len(model.chats) < calls:
                await asyncio.sleep(0.01)
            await node.kill()
            model.then(*[making] * (2 - calls), "Here is the summary.")
            await node.start()
            run: dict[str, Any] = await node.until_closed(run_id)
            [made] = run["files"]
            content = await node.download(made["path"])
        finally:
            await node.kill()
    kinds = [step["kind"] for step in run["steps"]]
    assert kinds == ["route", "file", "file", "file", "model", "tool", "model"]
    assert run["attempt"] == 2 and str(run["answer"]).startswith("Here is the summary.")
    assert made["name"] == "summary.md" and content == b"# Refunds\n\n27 in all.\n"
    before, after = model.chats[0]["messages"], model.chats[calls]["messages"]
    assert after[: len(before)] == before
    assert "June,15" in asked(model.chats[-1]) and "within 30 days" in asked(model.chats[-1])
