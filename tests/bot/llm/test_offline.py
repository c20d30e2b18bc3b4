"""The offline model: quotes with their source, tools, and the plain truth otherwise."""

import json

import pytest

from bot.llm.offline import INTRODUCTION, NEAREST, NO_MODEL, NO_READER, OfflineModel
from bot.model.agent import Bullet
from bot.model.chat import Context, ModelReply, ModelRequest, ToolSpec
from bot.model.file import Taken
from bot.model.memory import ORG, Memory, Recalled

TOOLS = tuple(
    ToolSpec(name, name, {"type": "object"})
    for name in ("calculator", "date_and_time", "run_history", "recall", "remember")
)

REFUND = Bullet("b2", "The refund window is 30 days.", "P1")


def memory(number: int, text: str, source: str = "") -> Recalled:
    return Recalled(Memory(f"m{number}", "w", number, ORG, text, number, source=source), 0.1)


async def ask(
    question: str,
    *,
    bullets: tuple[Bullet, ...] = (),
    memories: tuple[Recalled, ...] = (),
    tools: tuple[ToolSpec, ...] = TOOLS,
    files: tuple[Taken, ...] = (),
) -> ModelReply:
    context = Context(question, "generalist", bullets, memories, files)
    messages = ({"role": "system", "content": "x"}, {"role": "user", "content": question})
    return await OfflineModel().complete(ModelRequest("", messages, tools, context=context))


async def test_quotes_a_bullet_word_for_word_with_who_taught_it() -> None:
    reply = await ask("What is our refund window?", bullets=(REFUND,))
    assert reply.text == (
        "The refund window is 30 days.\n(from playbook b2 of generalist, taught by P1)"
    )
    assert (reply.model, reply.usage.cost_usd) == ("offline", 0.0)
    assert reply.usage.estimated and reply.usage.tokens_out > 0


async def test_says_which_files_it_got_and_that_it_can_t_work_with_them() -> None:
    table = Taken("text", "r.csv", size=1234, what="CSV, 2 rows, 1 column: a", text="a\n1\n2\n")
    reply = await ask("Sum it up", files=(table, Taken("refused", "x.zip", said="no")))
    assert reply.text == f"- I got `r.csv`: CSV, 2 rows, 1 column: a, 1,234 bytes.\n\n{NO_READER}"
    assert (await ask("What is 17 * 23?", files=(table,))).tool_calls


async def test_quotes_an_answer_without_the_question_it_was_kept_with() -> None:
    kept = Bullet("b2", 'Asked "How long is our refund window?": it is 30 days', "P1")
    reply = await ask("Our refund window, how long is it?", bullets=(kept,))
    assert reply.text.startswith("it is 30 days\n(from playbook b2")


@pytest.mark.parametrize(
    ("source", "said"),
    [("P1", "(from memory M3, P1)"), ("", "(from memory M3)"), ("0192-run", "(from memory M3)")],
)
async def test_quotes_a_memory_with_its_number(source: str, said: str) -> None:
    reply = await ask("refund window?", memories=(memory(3, "The refund window: 30", source),))
    assert reply.text == f"The refund window: 30\n{said}"


async def test_a_seeded_bullet_names_no_teacher() -> None:
    reply = await ask("What is the refund window?", bullets=(Bullet("b1", REFUND.text, "seed"),))
    assert reply.text.endswith("\n(from playbook b1 of generalist)")


@pytest.mark.parametrize(
    ("question", "begins"),
    [
        ("What is our refund window?", REFUND.text),
        ("refund window", REFUND.text),
        ("And the REFUND windows??", REFUND.text),
        ("What's the refnud window?", REFUND.text),
        ("How long is the refund window for online orders, please?", f"{NEAREST}\n{REFUND.text}"),
        ("How long do customers have for a refund?", f"{NEAREST}\n{REFUND.text}"),
    ],
)
async def test_finds_it_however_it_is_asked(question: str, begins: str) -> None:
    other = Bullet("b1", "Deployments happen on Tuesdays at ten.", "seed")
    reply = await ask(question, bullets=(other, REFUND))
    assert reply.text.startswith(begins)


async def test_what_lacks_a_word_of_the_question_is_only_the_nearest() -> None:
    closes = memory(1, "The office closes at 18:00")
    opens = await ask("When does the office open?", memories=(closes,))
    assert opens.text == f"{NEAREST}\nThe office closes at 18:00\n(from memory M1)"
    assert (await ask("When does the office close?", memories=(closes,))).text.startswith("The of")


@pytest.mark.parametrize(
    "question",
    ["Hello!", "hi team", "Hey Ratchet, what can you do?", "Who are you?", "help", "Good morning"],
)
async def test_introduces_itself(question: str) -> None:
    reply = await ask(question, bullets=(REFUND,))
    assert reply.text == INTRODUCTION
    assert "No language model is connected" in reply.text and "OPENAI_API_KEY" in reply.text


@pytest.mark.parametrize("question", ["Help me write a poem", "hello world program", "there"])
async def test_introduces_itself_to_no_other_question(question: str) -> None:
    assert (await ask(question)).text == NO_MODEL


@pytest.mark.parametrize(
    "question",
    ["What is the capital of France?", "Write a poem about the sea", "ping", "???", "", "🦀 \0"],
)
async def test_says_plainly_that_no_model_is_connected(question: str) -> None:
    reply = await ask(question, bullets=(REFUND,), memories=(memory(1, "The door code is 42"),))
    assert reply.text == NO_MODEL
    assert "OPENAI_API_KEY" in reply.text and "OPENAI_BASE_URL" in reply.text


async def test_a_question_about_something_else_is_not_answered_with_a_shared_word() -> None:
    reply = await ask("What is our parental leave window?", bullets=(REFUND,))
    assert reply.text == NO_MODEL


async def test_the_better_match_wins() -> None:
    near = memory(9, "Ask finance about the refund of travel costs")
    reply = await ask("What is our refund window?", bullets=(REFUND,), memories=(near,))
    assert reply.text.startswith(REFUND.text)


async def test_of_two_that_fit_the_newer_wins() -> None:
    old, new = memory(1, "The refund window is 14 days"), memory(2, "The refund window is 30 days")
    for memories in ((old, new), (new, old)):
        assert "30 days" in (await ask("What is the refund window?", memories=memories)).text


async def test_a_later_proposal_outdoes_an_earlier_one() -> None:
    bullet = Bullet("b1", "The refund window is 14 days", "P2")
    taught = memory(1, "The refund window is 30 days", "P7")
    reply = await ask("What is the refund window?", bullets=(bullet,), memories=(taught,))
    assert "30 days" in reply.text


@pytest.mark.parametrize(
    ("question", "tool", "arguments"),
    [
        ("What is 6 * 7?", "calculator", {"expression": "6 * 7"}),
        ("what's 15% of 80", "calculator", {"expression": "15% of 80"}),
        ("How much is 20 percent of 150?", "calculator", {"expression": "20% of 150"}),
        ("what is 12 times 12?", "calculator", {"expression": "12 * 12"}),
        ("(3+4)*2 =", "calculator", {"expression": "(3+4)*2"}),
        ("the square root of 16", "calculator", {"expression": "sqrt(16)"}),
        ("What time is it?", "date_and_time", {}),
        ("what time is it in Berlin?", "date_and_time", {"timezone": "Europe/Berlin"}),
        ("What's today's date?", "date_and_time", {}),
        ("What day was it 10 days ago?", "date_and_time", {"add_days": -10}),
        ("What did you learn yesterday?", "run_history", {"period": "yesterday"}),
        ("How many runs today?", "run_history", {"period": "today"}),
        ("How many runs failed today?", "run_history", {"period": "today"}),
        ("Which runs failed this week?", "run_history", {"period": "7d"}),
        ("Any failed runs yesterday?", "run_history", {"period": "yesterday"}),
        ("what did the team learn last week", "run_history", {"period": "7d"}),
        ("metrics for the last 3 days", "run_history", {"period": "3d"}),
        ("how much did you spend this month?", "run_history", {"period": "30d"}),
        ("Remember that the code is 42.", "remember", {"text": "the code is 42."}),
        ("what do you remember about Ada?", "recall", {"question": "Ada"}),
    ],
)
async def test_asks_for_the_tool_that_knows(
    question: str, tool: str, arguments: dict[str, object]
) -> None:
    (call,) = (await ask(question)).tool_calls
    assert (call.name, json.loads(call.arguments)) == (tool, arguments)


@pytest.mark.parametrize(
    "question",
    [
        "What is the date of the launch?",
        "When was 2026-11-20 special?",
        "Call 555-12345 please",
        "What did you learn about refunds?",
        "Do you remember me?",
        "What is version 1.2.3?",
    ],
)
async def test_takes_nothing_else_for_a_tool(question: str) -> None:
    assert (await ask(question)).tool_calls == ()


async def test_calls_only_what_is_granted() -> None:
    assert (await ask("What is 6 * 7?", tools=())).text == NO_MODEL


@pytest.mark.parametrize(
    ("tool", "result", "said"),
    [
        ("calculator", "6 * 7 = 42", "6 * 7 = 42"),
        ("calculator", "Error: That divides by zero.", "That didn't work: That divides by zero."),
        (
            "date_and_time",
            '{"iso": "2026-11-20T22:45:01+00:00", "weekday": "Friday", "iso_week": "2026-W47",'
            ' "timezone": "UTC"}',
            "Friday, 20 November 2026, 22:45 (UTC), week 47.",
        ),
        ("recall", '[{"ref": "M1", "text": "Ada is on call"}]', "Ada is on call\n(from memory M1)"),
        ("recall", "Nothing about that is remembered.", "Nothing about that is remembered."),
        ("remember", "Remembered as M4.", "Remembered as M4."),
        ("run_history", '{"cut off', '{"cut off'),
    ],
)
async def test_answers_with_what_the_tool_gave(tool: str, result: str, said: str) -> None:
    assert (await after_tool(tool, result)).text == said


async def after_tool(tool: str, result: str) -> ModelReply:
    call = {"id": "c1", "type": "function", "function": {"name": tool, "arguments": "{}"}}
    messages = (
        {"role": "user", "content": "What is 6 * 7?"},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": result},
    )
    return await OfflineModel().complete(ModelRequest("", messages, TOOLS))


async def test_tells_what_was_learned_in_words() -> None:
    runs = {"count": 5, "scored": 2, "success": 0.5, "cost_usd": 0.01, "cost_unknown": 1}
    history = {
        "from": "2026-11-19T00:00:00+00:00",
        "until": "2026-11-20T00:00:00+00:00",
        "lessons": [{"ref": "P1", "title": "Refunds", "agent": "writer", "status": "kept"}],
        "memories": [{"ref": "M2", "text": "Ada is on call"}],
        "runs": runs,
        "by_agent": [
            {"agent": "writer", "version": 2, **runs, "p50_ms": 9, "errors": {"model": 1}}
        ],
    }
    text = (await after_tool("run_history", json.dumps(history))).text
    for words in (
        "- Learned: Refunds (P1, kept)",
        "- Remembered: Ada is on call (M2)",
        "Runs: 5, 50% successful of the 2 that were rated; cost $0.0100, and 1 of unknown cost",
        "- Failed: 1.",
        "writer v2: 5; errors: model (1)",
    ):
        assert words in text


async def test_an_old_tool_result_is_not_the_answer_to_a_new_question() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "calculator", "arguments": "{}"}}
    messages = (
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "6 * 7 = 42"},
        {"role": "user", "content": "ping"},
    )
    assert (await OfflineModel().complete(ModelRequest("", messages, TOOLS))).text == NO_MODEL


async def test_streams_what_it_says() -> None:
    heard: list[str] = []
    request = ModelRequest("", ({"role": "user", "content": "ping"},))
    reply = await OfflineModel().complete(request, heard.append)
    assert "".join(heard) == reply.text
    assert OfflineModel().estimate(request).cost_usd == 0.0
