"""The simulated server, asked by the product's own model client."""

from collections.abc import AsyncIterator, Mapping

import pytest

from bot.clock import SystemClock, SystemIds
from bot.llm.openai import OpenAIModel
from bot.llm.pricing import Price, Prices
from bot.llm.simulated import answers
from bot.llm.simulated.server import SimulatedServer
from bot.llm.simulated.world import Cluster, World
from bot.model.chat import ModelReply, ModelRequest, ToolSpec

_CALCULATOR = ToolSpec("calculator", "works it out", {"type": "object", "properties": {}})


class Asking:
    """A client of one world, and the ms that its answers would have taken."""

    def __init__(self, world: World) -> None:
        self.passed: list[float] = []
        self.server = SimulatedServer(world, 7, passes=self.passed.append)

    async def connect(self) -> None:
        await self.server.__aenter__()
        self.model = OpenAIModel(
            base_url=self.server.url,
            api_key=None,
            model="simulated",
            fallbacks=(),
            timeout=5.0,
            retries=0,
            prices=Prices({"simulated": Price(0.15, 0.15, 0.60)}),
            clock=SystemClock(),
            ids=SystemIds(),
        )

    async def close(self) -> None:
        await self.model.close()
        await self.server.__aexit__()

    async def ask(
        self,
        text: str,
        system: str = "Be helpful.",
        *messages: Mapping[str, object],
        **more: object,
    ) -> ModelReply:
        said = ({"role": "system", "content": system}, {"role": "user", "content": text}, *messages)
        request = ModelRequest("simulated", said, **more)  # type: ignore[arg-type]
        return await self.model.complete(request)


@pytest.fixture
async def asking() -> AsyncIterator[Asking]:
    made = Asking(World(clusters=(Cluster("refunds", tools=("calculator",)),)))
    await made.connect()
    yield made
    await made.close()


async def test_an_answer_has_a_cost_a_latency_and_a_mark(asking: Asking) -> None:
    truth = asking.server.truth

    reply = await asking.ask(truth.asked(0).text)

    served = asking.server.mind.served[0]
    assert reply.usage.tokens_in == served.tokens_in
    assert (reply.usage.cost_usd or 0) > 0
    assert asking.passed == [served.latency_ms]
    assert [good for _, good in answers.marks(7, reply.text)] == [served.good]


async def test_a_mark_says_nothing_to_who_does_not_know_the_seed(asking: Asking) -> None:
    reply = await asking.ask(asking.server.truth.asked(0).text)

    assert list(answers.marks(8, reply.text)) == []


async def test_it_reads_the_lessons_in_the_prompt(asking: Asking) -> None:
    truth = asking.server.truth
    lesson = truth.change(3).text

    await asking.ask(truth.asked(1).text, f"Be helpful.\n- [b1] {lesson}\n- [b2] Be short.")

    prompt = asking.server.mind.served[1].prompt
    assert (prompt.changes, prompt.lessons) == (frozenset({3}), 2)


async def test_what_was_asked_before_is_a_replay_and_changes_no_truth(asking: Asking) -> None:
    truth = asking.server.truth
    first = await asking.ask(truth.asked(2).text)
    was = asking.server.mind.served[2]

    again = await asking.ask(truth.asked(2).text)

    assert again.text == first.text
    assert asking.server.mind.served[2] is was


async def test_streamed_it_says_the_same(asking: Asking) -> None:
    text = asking.server.truth.asked(3).text
    whole = await asking.ask(text)
    pieces: list[str] = []
    request = ModelRequest("simulated", ({"role": "user", "content": text},))

    streamed = await asking.model.complete(request, pieces.append)

    assert "".join(pieces) == streamed.text == whole.text
    assert streamed.usage.tokens_in > 0


async def test_a_cluster_calls_its_tools_before_it_answers(asking: Asking) -> None:
    text = asking.server.truth.asked(4).text
    first = await asking.ask(text, tools=(_CALCULATOR,))
    (call,) = first.tool_calls
    function = {"name": call.name, "arguments": call.arguments}
    said = {
        "role": "assistant",
        "tool_calls": [{"id": call.id, "type": "function", "function": function}],
    }
    result = {"role": "tool", "tool_call_id": call.id, "content": "84"}

    then = await asking.ask(text, "Be helpful.", said, result, tools=(_CALCULATOR,))

    assert call.name == "calculator"
    assert then.text and not then.tool_calls


async def test_words_of_no_world_get_an_answer_that_says_so(asking: Asking) -> None:
    reply = await asking.ask("Good morning!")

    assert "simulated" in reply.text
    assert asking.server.mind.served == {}
