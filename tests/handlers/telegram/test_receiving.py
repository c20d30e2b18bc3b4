"""Updates become messages, once each, and Telegram forgets them only when they are recorded."""

import asyncio

from bot.errors import BadInput, StorageError
from bot.model.message import Button, Reply
from bot.model.run import Run, RunKind, RunStatus
from handlers.telegram.channel import TelegramChannel
from tests.conftest import HeldClock
from tests.fakes.inbox import RecordingInbox
from tests.fakes.telegram_server import Fault, TelegramServer
from tests.handlers.telegram.conftest import MakeChannel, delivery


def confirmed(server: TelegramServer) -> bool:
    """Whether the bot asks for what comes next, having nothing left to take."""
    return not server.pending and server.listened_to


async def test_polling_takes_messages_in_order_and_confirms_them(
    server: TelegramServer, inbox: RecordingInbox, channel: TelegramChannel
) -> None:
    for text in ("one", "two", "three"):
        await server.say(text)
    await channel.start()
    await inbox.until(lambda: len(inbox.messages) == 3)
    await server.until(lambda: confirmed(server))
    assert inbox.texts == ["one", "two", "three"]
    first = [call.method for call in server.calls if call.method != "setMyCommands"]
    assert first[:2] == ["getMe", "deleteWebhook"]
    assert channel.summary == "@ratchet_bot, polling"


async def test_what_could_not_be_recorded_is_not_confirmed(
    server: TelegramServer, inbox: RecordingInbox, channel: TelegramChannel
) -> None:
    inbox.refusals = [StorageError("locked")] * 3
    await server.say("keep me")
    await channel.start()
    await inbox.until(lambda: bool(inbox.messages))
    await server.until(lambda: confirmed(server))
    assert inbox.texts == ["keep me"] and inbox.deliveries == 4


async def test_a_message_of_a_batch_that_fails_holds_the_batch_and_doubles_none(
    server: TelegramServer, inbox: RecordingInbox, channel: TelegramChannel
) -> None:
    inbox.refusals = [StorageError("locked")]
    for text in ("one", "two"):
        await server.say(text)
    await channel.start()
    await server.until(lambda: confirmed(server))
    assert sorted(inbox.texts) == ["one", "two"] and inbox.deliveries == 4


async def test_a_message_that_can_never_be_taken_does_not_block_the_rest(
    server: TelegramServer, inbox: RecordingInbox, channel: TelegramChannel
) -> None:
    inbox.refusals = [BadInput("no")]
    await server.say("bad")
    await server.deliver({"message": {"nonsense": 1}})
    await server.deliver({"business_connection": {}})
    await server.say("good")
    await channel.start()
    await server.until(lambda: confirmed(server))
    assert inbox.texts == ["good"]


async def test_a_new_start_gets_again_what_was_fetched_but_not_recorded(
    server: TelegramServer, inbox: RecordingInbox, make: MakeChannel
) -> None:
    inbox.refusals = [StorageError("the process dies here")]
    await server.say("precious")
    first = make(pause=60.0)
    await first.start()
    await server.until(lambda: bool(server.sent("getUpdates")))
    await first.stop()
    inbox.refusals = []
    await make().start()
    await inbox.until(lambda: inbox.texts == ["precious"])


async def test_the_same_update_twice_is_one_message(
    server: TelegramServer, inbox: RecordingInbox, channel: TelegramChannel
) -> None:
    message = await server.say("once")
    number = server.pending[0]["update_id"]
    await server.deliver({"message": message, "update_id": number})
    await channel.start()
    await server.until(lambda: confirmed(server))
    assert inbox.texts == ["once"]


async def test_a_telegram_that_is_down_is_waited_for(
    server: TelegramServer, inbox: RecordingInbox, channel: TelegramChannel
) -> None:
    server.faults = [
        Fault("getMe", 401, "Unauthorized", times=2),
        Fault("getMe", 0),
        Fault("getMe", 502, "Bad Gateway"),
        Fault("setMyCommands", 400, "Bad Request"),
        Fault("deleteWebhook", 500),
        Fault("getUpdates", 409, "Conflict: terminated by other getUpdates request"),
        Fault("getUpdates", 429, "Too Many Requests", retry_after=0),
        Fault("getUpdates", 0),
    ]
    await server.say("still there?")
    await channel.start()
    await inbox.until(lambda: inbox.texts == ["still there?"])


async def test_a_server_that_numbers_anew_after_a_failure_is_heard(
    server: TelegramServer, inbox: RecordingInbox, channel: TelegramChannel
) -> None:
    await channel.start()
    await server.say("before")
    await server.until(lambda: bool(inbox.messages) and confirmed(server))
    server.faults = [Fault("getUpdates", 0)]
    message = await server.say("meanwhile")
    await server.until(lambda: not server.faults)
    await server.deliver({"message": message | {"text": "after"}, "update_id": 5})
    await inbox.until(lambda: inbox.texts[-1:] == ["after"])


async def test_a_press_is_answered_and_taken(
    server: TelegramServer, inbox: RecordingInbox, channel: TelegramChannel
) -> None:
    await channel.start()
    server.chat(7)
    buttons = (Button("Approve", "/approve P1"), Button("Decline", "/decline P1", asks="Why?"))
    await channel.send(delivery(Reply("A card", buttons=buttons)))
    (card,) = server.shown()
    server.faults = [Fault("answerCallbackQuery", 400, "Bad Request: query is too old")]
    await server.press(card, "Approve")
    await inbox.until(lambda: inbox.texts == ["/approve P1"])
    await server.press(card, "Decline")
    await server.until(lambda: len(server.shown()) == 2)
    assert inbox.texts == ["/approve P1"]
    assert server.sent()[-1]["reply_markup"]["force_reply"] is True
    await server.say("too vague", to=server.shown()[-1])
    await inbox.until(lambda: inbox.texts[1:] == ["/decline P1 too vague"])
    await server.until(lambda: len(server.sent("answerCallbackQuery")) == 2)


async def test_a_thumb_put_on_an_answer_is_about_its_run(
    server: TelegramServer, inbox: RecordingInbox, make: MakeChannel
) -> None:
    async def run_of(workspace: str, channel: str, ref: object) -> str | None:
        return "old-run" if ref == {"chat_id": 7, "message_id": 55} else None

    channel = make(run_of=run_of)
    await channel.start()
    server.chat(7)
    await channel.send(delivery(Reply("4", "new-run", rateable=True)))
    (answer,) = server.shown()
    await server.react(answer, "👍")
    await server.react({**answer, "message_id": 55}, "👎")
    await server.react({**answer, "message_id": 56}, "👎")
    await server.say("end")
    await inbox.until(lambda: "end" in inbox.texts)
    assert inbox.texts == ["/rate new-run up", "/rate old-run down", "end"]


class SlowInbox(RecordingInbox):
    """Its runs last until `closed` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.closed = asyncio.Event()

    async def wait(self, workspace: str, run_id: str, timeout: float) -> Run:
        if self.deliveries and timeout > 1:
            await self.closed.wait()
        status = RunStatus.SUCCEEDED if self.closed.is_set() else RunStatus.RUNNING
        return Run(run_id, workspace, RunKind.REQUEST, status, "telegram", "", "", "", "", 0)


async def test_while_a_run_lasts_the_person_sees_typing(
    server: TelegramServer, make: MakeChannel
) -> None:
    inbox = SlowInbox()
    channel = make(inbox=inbox)
    await server.say("think hard")
    await channel.start()
    await server.until(lambda: bool(server.sent("sendChatAction")))
    assert server.sent("sendChatAction")[0] == {"chat_id": "7", "action": "typing"}
    inbox.closed.set()


async def test_a_voice_message_is_told_that_words_are_needed(
    server: TelegramServer, inbox: RecordingInbox, channel: TelegramChannel
) -> None:
    await channel.start()
    await server.say("", voice={"file_id": "f"})
    await server.until(lambda: bool(server.shown()))
    assert "write it in words" in server.shown()[0]["text"]
    assert inbox.messages == []


async def test_who_writes_too_fast_is_told_so_once(
    server: TelegramServer, inbox: RecordingInbox, make: MakeChannel, clock: HeldClock
) -> None:
    await make(per_minute=3).start()
    for number in range(9):
        await server.say(f"message {number}")
    await server.say("another", chat=8, user=8)
    await inbox.until(lambda: "another" in inbox.texts)
    await server.until(lambda: bool(server.shown()))
    assert inbox.texts == ["message 0", "message 1", "message 2", "another"]
    assert ["within a minute" in m["text"] for m in server.shown()] == [True]
    clock.advance(60)
    await server.say("calm again")
    await inbox.until(lambda: "calm again" in inbox.texts)


async def test_what_could_not_be_recorded_does_not_count_as_fast(
    server: TelegramServer, inbox: RecordingInbox, make: MakeChannel
) -> None:
    inbox.refusals = [StorageError("locked")] * 8
    await server.say("one")
    await server.say("two")
    await make(per_minute=2).start()
    await inbox.until(lambda: len(inbox.messages) == 2)
    assert server.shown() == []
