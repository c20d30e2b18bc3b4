"""A whole Ratchet inside the test's process, with a model server that does what a test scripts."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import cast

import pytest

from bot import config, wiring
from bot.app import App
from bot.ports.channels import Channel
from tests.fakes.model_server import ModelServer
from tests.fakes.recording_channel import RecordingChannel

PRICES = "small: {input: 1.0, output: 2.0}\n"


@pytest.fixture
async def model() -> AsyncIterator[ModelServer]:
    async with ModelServer() as running:
        yield running


@pytest.fixture
def more() -> Mapping[str, str]:
    """Settings on top of the usual ones; parametrize to set them."""
    return {}


@pytest.fixture
async def app(tmp_path: Path, model: ModelServer, more: Mapping[str, str]) -> AsyncIterator[App]:
    prices = tmp_path / "prices.yml"
    prices.write_text(PRICES)
    settings = config.load(
        {
            "RATCHET_HOME": str(tmp_path / "home"),
            "RATCHET_PORT": "0",
            "RATCHET_MODEL": "small",
            "RATCHET_MODEL_RETRIES": "0",
            "RATCHET_PRICES": str(prices),
            "OPENAI_BASE_URL": model.url,
            "OPENAI_API_KEY": "key-of-the-test",
            **more,
        },
        folder=tmp_path,
    )
    settings.home.mkdir(parents=True)
    async with wiring.open_app(settings, serve=False) as running:
        await running.settled()
        yield running


@pytest.fixture
def slack(app: App) -> RecordingChannel:
    """A platform that replies are pushed to."""
    channel = RecordingChannel("slack")
    channels = cast(dict[str, Channel], app.channels)
    channels[channel.name] = channel
    return channel
