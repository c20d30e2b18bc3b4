"""Files come from Telegram's own place only, and go out once; albums are one message."""

from typing import Any

import pytest
from aiohttp import web

from bot.errors import ChannelError, ChannelUnavailable, DeliveryUnclear
from bot.model.file import Attached, FileRef, StoredFile
from bot.model.message import Reply
from handlers.telegram.channel import TelegramChannel
from tests.conftest import HeldClock
from tests.fakes.inbox import RecordingInbox
from tests.fakes.telegram_server import Fault, TelegramServer
from tests.handlers.telegram.conftest import MakeChannel, delivery

CSV = b"month,amount\n11,4\n"
REPORT = Reply("Here it is.", "run-1", files=(Attached("f1", "report.csv", "text/csv", 17),))


class Shelf:
    """The files that agents made."""

    def __init__(self) -> None:
        self.files = {"f1": CSV}

    async def get(self, workspace: str, id: str) -> StoredFile | None:
        content = self.files.get(id)
        if content is None or workspace != "local":
            return None
        return StoredFile(id, workspace, "run-1", "report.csv", "text/csv", content, "out", 0)


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def channel(make: MakeChannel, shelf: Shelf) -> TelegramChannel:
    return make(content=shelf.get)


async def sent(server: TelegramServer, inbox: RecordingInbox, channel: TelegramChannel) -> FileRef:
    await server.attach("sales.csv", CSV, caption="sum it")
    await channel.start()
    await inbox.until(lambda: bool(inbox.messages))
    (file,) = inbox.messages[0].files
    return file


async def test_a_document_comes_with_its_caption_and_can_be_fetched(
    server: TelegramServer, inbox: RecordingInbox, channel: TelegramChannel
) -> None:
    file = await sent(server, inbox, channel)
    assert inbox.texts == ["sum it"]
    assert (file.name, file.size) == ("sales.csv", len(CSV))
    assert await channel.fetch("local", file, 1_000_000) == CSV


async def test_a_file_is_never_longer_than_asked_for(
    server: TelegramServer, inbox: RecordingInbox, channel: TelegramChannel
) -> None:
    file = await sent(server, inbox, channel)
    for known in (file, FileRef(file.name, ref=file.ref)):
        with pytest.raises(ChannelError) as raised:
            await channel.fetch("local", known, 10)
        assert "too large" in raised.value.said and not raised.value.retry


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault("getFile", 400, "Bad Request: file is too big"), ChannelError),
        (Fault("getFile", 400, "Bad Request: wrong file_id"), ChannelError),
        (Fault("getFile", 429, "Too Many Requests", retry_after=2), ChannelUnavailable),
        (Fault("getFile", 502), ChannelUnavailable),
        (Fault("getFile", 0), ChannelUnavailable),
        (Fault("file", 404), ChannelError),
        (Fault("file", 500), ChannelUnavailable),
        (Fault("file", 0), ChannelUnavailable),
    ],
)
async def test_a_file_that_does_not_come(
    server: TelegramServer,
    inbox: RecordingInbox,
    channel: TelegramChannel,
    fault: Fault,
    error: type[ChannelError],
) -> None:
    file = await sent(server, inbox, channel)
    server.faults = [fault]
    with pytest.raises(ChannelError) as raised:
        await channel.fetch("local", file, 1_000_000)
    assert raised.value.retry is (error is ChannelUnavailable)
    assert "fake-token" not in str(raised.value) + raised.value.said


@pytest.mark.parametrize(
    "path", ["../../../etc/passwd", "/etc/passwd", "a/../../x", "//evil.example/x", "", "a//b"]
)
async def test_a_file_elsewhere_is_not_followed(
    server: TelegramServer, inbox: RecordingInbox, channel: TelegramChannel, path: str
) -> None:
    file = await sent(server, inbox, channel)
    server.files[str(file.ref["file_id"])] = (path or "/", CSV)
    with pytest.raises(ChannelError) as raised:
        await channel.fetch("local", file, 1_000_000)
    assert not raised.value.retry
    assert not server.sent("file")


async def test_a_redirect_to_another_host_is_not_followed(
    server: TelegramServer, inbox: RecordingInbox, make: MakeChannel
) -> None:
    async def elsewhere(request: web.Request) -> web.Response:
        raise web.HTTPFound(f"{server.url}/file/bot123456:fake-token/documents/sales.csv")

    app = web.Application()
    app.router.add_get("/{path:.*}", elsewhere)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    channel = make(file_base=f"http://127.0.0.1:{runner.addresses[0][1]}/files")
    file = await sent(server, inbox, channel)
    with pytest.raises(ChannelError):
        await channel.fetch("local", file, 1_000_000)
    assert not server.sent("file")
    await runner.cleanup()


async def test_a_file_follows_its_answer_and_the_keyboard_stays_with_the_words(
    server: TelegramServer, channel: TelegramChannel
) -> None:
    server.chat(7)
    ref = await channel.send(delivery(REPORT))
    text, file = server.shown()
    assert text["text"] == "Here it is." and ref["message_id"] == text["message_id"]
    assert file["document"]["file_name"] == "report.csv"
    assert server.sent("sendDocument")[0]["document"] == f"{len(CSV)} bytes"


async def test_a_file_is_not_sent_twice_because_the_next_could_not_be(
    server: TelegramServer, channel: TelegramChannel, shelf: Shelf, clock: HeldClock
) -> None:
    server.chat(7)
    shelf.files["f2"] = b"more"
    two = Reply("Two.", "run-1", files=(*REPORT.files, Attached("f2", "more.txt")))
    server.faults = [Fault("sendDocument", 429, "Too Many Requests", retry_after=1, skip=1)]
    with pytest.raises(ChannelUnavailable):
        await channel.send(delivery(two))
    clock.advance(1)
    await channel.send(delivery(two))
    names = [m["document"]["file_name"] for m in server.shown()[1:]]
    assert names == ["report.csv", "more.txt"]


@pytest.mark.parametrize("arrived", [True, False])
async def test_after_a_crash_a_file_is_looked_for(
    server: TelegramServer, channel: TelegramChannel, make: MakeChannel, arrived: bool, shelf: Shelf
) -> None:
    after = (await server.say("report, please"))["message_id"]
    one = delivery(REPORT, after=after)
    server.faults = [Fault("sendDocument", 0, after=arrived)]
    with pytest.raises(DeliveryUnclear):
        await channel.send(one)
    restarted = make(content=shelf.get)
    ref = await restarted.find(one)
    if ref is None:
        await restarted.send(one)
    assert (ref is not None) is arrived
    assert [m["document"]["file_name"] for m in server.shown()[1:]] == ["report.csv"]


async def test_a_file_that_can_not_be_sent_is_told_of(
    server: TelegramServer, channel: TelegramChannel, shelf: Shelf
) -> None:
    server.chat(7)
    server.faults = [Fault("sendDocument", 400, "Bad Request: wrong file")]
    await channel.send(delivery(REPORT))
    shelf.files.clear()
    await channel.send(delivery(REPORT))
    told = [m["text"] for m in server.shown() if m["text"].startswith("📎")]
    assert told == [
        "📎 report.csv: Telegram didn't take it.",
        "📎 report.csv: it isn't kept any more.",
    ]


def piece(server: TelegramServer, number: int, album: str = "a1", **more: Any) -> dict[str, Any]:
    photo = [{"file_id": f"p{number}", "width": 9, "height": 9}]
    return server.new(7, 7, {"photo": photo, "media_group_id": album, **more})


async def test_an_album_is_one_message_in_its_order(
    server: TelegramServer, inbox: RecordingInbox, channel: TelegramChannel
) -> None:
    await channel.start()
    await server.deliver({"message": piece(server, 1, caption="which is best?")})
    for number in (2, 3):
        await server.deliver({"message": piece(server, number)})
    await server.say("and why?")
    await inbox.until(lambda: len(inbox.messages) == 2)
    assert inbox.texts == ["which is best?", "and why?"]
    assert [f.ref["file_id"] for f in inbox.messages[0].files] == ["p1", "p2", "p3"]


async def test_in_a_group_one_mention_is_for_the_whole_album(
    server: TelegramServer, inbox: RecordingInbox, channel: TelegramChannel
) -> None:
    team = -1_000_000_000_042
    for album, caption in (("a1", "look"), ("a2", "@ratchet_bot which is best?")):
        for number in (1, 2, 3):
            said = {"caption": caption} if number == 2 else {}
            photo = [{"file_id": f"{album}p{number}", "width": 9, "height": 9}]
            message = {"photo": photo, "media_group_id": album, **said}
            await server.deliver({"message": server.new(team, 7, message)})
    await channel.start()
    await inbox.until(lambda: bool(inbox.messages))
    assert inbox.texts == ["which is best?"]
    assert [f.ref["file_id"] for f in inbox.messages[0].files] == ["a2p1", "a2p2", "a2p3"]


async def test_an_album_delivered_again_is_still_one(
    server: TelegramServer, inbox: RecordingInbox, make: MakeChannel
) -> None:
    updates = [
        {"update_id": 900 + n, "message": piece(server, n, caption="x" * (n == 2))} for n in (1, 2)
    ]
    for _ in range(2):
        channel = make()
        for update in updates:
            await server.deliver(update)
        await channel.start()
        await server.until(lambda: not server.pending)
        await channel.stop()
    assert inbox.texts == ["x"] and len(inbox.messages[0].files) == 2


async def test_of_an_album_that_can_not_be_read_is_told_once(
    server: TelegramServer, inbox: RecordingInbox, channel: TelegramChannel
) -> None:
    for number in (1, 2, 3):
        video = {"video": {"file_id": f"v{number}"}, "media_group_id": "a2"}
        await server.deliver({"message": server.new(7, 7, video)})
    await channel.start()
    await server.say("end")
    await inbox.until(lambda: inbox.texts == ["end"])
    await server.until(lambda: bool(server.shown()))
    assert ["a video" in m["text"] for m in server.shown()] == [True]
