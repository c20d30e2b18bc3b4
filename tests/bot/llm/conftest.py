"""A model server on loopback and the model that talks to it; waits are written down, not waited."""

from collections.abc import AsyncIterator, Callable

import pytest

from bot.clock import SystemIds
from bot.llm.openai import OpenAIModel
from bot.llm.pricing import Price, Prices
from tests.conftest import HeldClock
from tests.fakes.model_server import ModelServer

Connect = Callable[..., OpenAIModel]


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with ModelServer() as running:
        yield running


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
async def connect(
    server: ModelServer, clock: HeldClock, waits: list[float]
) -> AsyncIterator[Connect]:
    """Makes models connected to the server; keyword arguments replace the usual ones."""
    made: list[OpenAIModel] = []

    async def write_down(seconds: float) -> None:
        waits.append(seconds)

    def make(
        *,
        base_url: str = server.url,
        api_key: str | None = "sk-test",
        fallbacks: tuple[str, ...] = (),
        timeout: float = 30.0,
        retries: int = 2,
    ) -> OpenAIModel:
        model = OpenAIModel(
            base_url=base_url,
            api_key=api_key,
            model="small",
            fallbacks=fallbacks,
            timeout=timeout,
            retries=retries,
            prices=Prices({"small": Price(1.0, 0.5, 2.0), "large": Price(10.0, 5.0, 20.0)}),
            clock=clock,
            ids=SystemIds(),
            sleep=write_down,
        )
        made.append(model)
        return model

    yield make
    for model in made:
        await model.close()
