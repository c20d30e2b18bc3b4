"""Each platform with each fault: exactly one answer, or a recorded failure that the owner is told."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio

from tests.fakes.model_answers import Answer, Wait
from tests.faults.platform import Json, Platform
from tests.faults.slack import SlackOverHttp, SlackOverSocket
from tests.faults.telegram import TelegramByPolling, TelegramByWebhook
from tests.faults.whatsapp import WhatsApp

PLATFORMS: list[type[Platform]] = [
    SlackOverHttp,
    SlackOverSocket,
    TelegramByPolling,
    TelegramByWebhook,
    WhatsApp,
]
Fault = Callable[[Platform, Json, str], Awaitable[None]]
"""Delivers an event and lets something go wrong with it, or with the answer that ends so."""
_NUMBERS = itertools.count(1)


async def duplicates(platform: Platform, event: Json, word: str) -> None:
    await asyncio.gather(*(platform.deliver(event) for _ in range(3)))
    await platform.deliver(event)


async def lost_acknowledgement(platform: Platform, event: Json, word: str) -> None:
    await platform.deliver_unheard(event)
    if not platform.pulled:
        await platform.deliver(event)


def answered_with(kind: str, times: int = 1) -> Fault:
    """The platform meets the answer like this, so many times."""

    async def fault(platform: Platform, event: Json, word: str) -> None:
        platform.trouble.add(word, kind, times)
        await platform.deliver(event)

    return fault


def killed_while(kind: str) -> Fault:
    """Kill -9 while the platform holds the answer back."""

    async def fault(platform: Platform, event: Json, word: str) -> None:
        platform.trouble.add(word, kind)
        await platform.deliver(event)
        async with asyncio.timeout(20):
            await platform.trouble.holding.wait()
        await platform.node.kill()
        await platform.node.start()

    return fault


ANSWERED: dict[str, Fault] = {
    "duplicate": duplicates,
    "lost-ack": lost_acknowledgement,
    "429": answered_with("429", times=2),
    "500-twice": answered_with("500", times=2),
}
UNCLEAR: dict[str, Fault] = {
    "cut-before": answered_with("cut"),
    "cut-after": answered_with("cut_after"),
    "killed-before": killed_while("hold"),
    "killed-after": killed_while("hold_after"),
}
"""Nobody can know whether it was shown, except by looking."""

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(
    params=PLATFORMS, ids=lambda kind: kind.name, scope="module", loop_scope="module"
)
async def platform(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Platform]:
    made: Platform = request.param()
    await made.open(tmp_path_factory.mktemp(made.name))
    yield made
    await made.close()


@pytest.mark.parametrize("fault", ANSWERED.values(), ids=list(ANSWERED))
async def test_exactly_one_answer(platform: Platform, fault: Fault) -> None:
    said, word = platform.asking(next(_NUMBERS))
    told = len(platform.told())
    await fault(platform, platform.event(said), word)
    found = await platform.settled(said, word, told)
    assert found.answered, found


@pytest.mark.parametrize("fault", UNCLEAR.values(), ids=list(UNCLEAR))
async def test_what_is_unclear_is_looked_for_or_told(platform: Platform, fault: Fault) -> None:
    said, word = platform.asking(next(_NUMBERS))
    told = len(platform.told())
    await fault(platform, platform.event(said), word)
    found = await platform.settled(said, word, told)
    assert found.answered if platform.can_look else found.failed_and_told, found


async def test_a_refusal_is_recorded_and_the_owner_told(platform: Platform) -> None:
    said, word = platform.asking(next(_NUMBERS))
    told = len(platform.told())
    await answered_with("refused", times=99)(platform, platform.event(said), word)
    found = await platform.settled(said, word, told)
    assert found.failed_and_told and not found.seen, found
    platform.trouble.waiting.clear()


@pytest.mark.parametrize("platform", PLATFORMS[:-1], indirect=True, ids=lambda kind: kind.name)
@pytest.mark.parametrize("kind", ["429", "500", "refused", "cut", "cut_after"])
async def test_what_goes_wrong_while_it_grows_leaves_nothing_behind(
    platform: Platform, kind: str
) -> None:
    await _grows_through(platform, answered_with(kind))


@pytest.mark.parametrize(
    "platform", [SlackOverHttp, TelegramByPolling], indirect=True, ids=lambda kind: kind.name
)
async def test_a_kill_while_it_grows_leaves_nothing_behind(platform: Platform) -> None:
    await _grows_through(platform, killed_while("hold_after"))


@pytest.mark.parametrize(
    "platform", [SlackOverSocket, TelegramByPolling], indirect=True, ids=lambda kind: kind.name
)
async def test_a_line_that_breaks_in_mid_answer_is_opened_again(platform: Platform) -> None:
    said, word = platform.asking(next(_NUMBERS))
    told = len(platform.told())
    platform.model.then(Wait(0.5), f"You said: {word}")
    await platform.deliver(platform.event(said))
    await platform.hang_up()
    assert (await platform.settled(said, word, told)).answered
    said, word = platform.asking(next(_NUMBERS))
    await platform.deliver(platform.event(said))
    assert (await platform.settled(said, word, told)).answered


async def _grows_through(platform: Platform, fault: Fault) -> None:
    """Of what was shown on the way nothing is left beside the answer."""
    said, word = platform.asking(next(_NUMBERS))
    told, first = len(platform.told()), f"Let me see {word}first"
    tool = (("calculator", '{"expression": "1 + 1"}'),)
    platform.model.then(Answer(f"{first} and", tool_calls=tool), Wait(1.0), f"You said: {word}")
    await fault(platform, platform.event(said), first)
    found = await platform.settled(said, f"said: {word}", told)
    assert found.answered, found
    assert platform.trouble.met[-1].about == first, "it never grew"
    assert not platform.seen(first)
