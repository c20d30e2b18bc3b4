"""Routing by a model, switched on: only where words don't decide, recorded, never repeated."""

from pathlib import Path

from bot.config import load
from bot.model.run import Run, StepKind
from bot.wiring import open_app
from tests.fakes.model_server import Answer, Body, ModelServer, asked


def _reply(body: Body) -> Answer:
    order = str(body["messages"][0]["content"])
    return Answer("Writer." if order.startswith("Which of these") else f"You said: {asked(body)}")


async def _ask(tmp_path: Path, text: str, switch: str) -> tuple[Run, list[tuple[str, str]], int]:
    async with ModelServer(reply=_reply) as model:
        settings = load(
            {
                "RATCHET_HOME": str(tmp_path),
                "OPENAI_BASE_URL": model.url,
                "RATCHET_ROUTE_WITH_MODEL": switch,
            },
            folder=tmp_path,
        )
        async with open_app(settings, serve=False) as app:
            run = await app.ask(text)
            steps = await app.services.runs.steps("local", run.id)
            return run, [(step.kind.value, step.name) for step in steps], len(model.chats)


async def test_a_model_decides_where_words_do_not(tmp_path: Path) -> None:
    run, steps, calls = await _ask(tmp_path, "ping", "true")
    assert run.agent == "writer" and calls == 2
    kinds = [kind for kind, _ in steps]
    assert kinds == [StepKind.ROUTE, StepKind.ROUTE, StepKind.MODEL]


async def test_clear_words_cost_no_call(tmp_path: Path) -> None:
    run, _, calls = await _ask(tmp_path, "The server is down, restart the deploy", "true")
    assert run.agent == "ops" and calls == 1


async def test_it_is_off_unless_switched_on(tmp_path: Path) -> None:
    run, _, calls = await _ask(tmp_path, "ping", "false")
    assert run.agent == "generalist" and calls == 1
