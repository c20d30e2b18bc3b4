"""Files that people send, brought with the token, which no other host ever sees."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from bot.errors import ChannelError, ChannelUnavailable
from bot.model.file import FileRef
from handlers.slack.incoming import file_of
from handlers.slack.web_api import homes
from tests.handlers.slack.conftest import Slack

LIMIT = 1_000


class Elsewhere:
    """A host that would like to have a token."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        self.asked.append(dict(request.headers))
        return web.Response(body=b"yours")


@pytest.fixture
async def elsewhere() -> AsyncIterator[Elsewhere]:
    host, app = Elsewhere(), web.Application()
    app.router.add_get("/{path:.*}", host.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield host
    await runner.cleanup()


def sent(slack: Slack, content: bytes = b"a,b\n", mime: str = "text/csv") -> FileRef:
    file = file_of(slack.server.store.give("table.csv", content, mime))
    assert file is not None
    return file


async def fetch(slack: Slack, file: FileRef, limit: int = LIMIT) -> bytes:
    return await slack.channel.fetch("local", file, limit)


async def test_a_file_is_brought_with_the_token(slack: Slack) -> None:
    assert await fetch(slack, sent(slack)) == b"a,b\n"
    assert slack.server.store.asked == ["Bearer xoxb-fake"]


async def test_of_another_companys_file_the_address_is_asked_for(slack: Slack) -> None:
    described = slack.server.store.give("plan.txt", b"plan", "text/plain")
    foreign = file_of({"id": described["id"], "file_access": "check_file_info"})
    assert foreign is not None and await fetch(slack, foreign) == b"plan"
    with pytest.raises(ChannelError, match="file_not_found") as caught:
        await fetch(slack, FileRef("gone.txt", ref={"id": "F9"}))
    assert caught.value.said == "I can't open gone.txt: it isn't there any more."


@pytest.mark.parametrize(
    "address",
    ["{}/x", "{}@127.0.0.1/x", "http://files.slack.com/x", "https://files.slack.com.evil.test/x",
     "https://files.slack.com@evil.test/x", "https:\\\\files.slack.com/x", "file:///etc/passwd", "//x"],
)  # fmt: skip
async def test_the_token_is_sent_to_nobody_else(
    slack: Slack, elsewhere: Elsewhere, address: str
) -> None:
    file = FileRef("x.txt", ref={"url": address.format(elsewhere.url), "id": "F1"})
    with pytest.raises(ChannelError, match="not_at_slack") as caught:
        await fetch(slack, file)
    assert not caught.value.retry and elsewhere.asked == []


async def test_no_redirect_leads_elsewhere(slack: Slack, elsewhere: Elsewhere) -> None:
    file = sent(slack)
    slack.server.store.away = f"{elsewhere.url}/signin"
    with pytest.raises(ChannelError, match="not_at_slack") as caught:
        await fetch(slack, file)
    assert elsewhere.asked == [] and "files:read" in caught.value.said
    slack.server.store.away = str(file.ref["url"])
    with pytest.raises(ChannelError, match="redirects"):
        await fetch(slack, file)


async def test_a_login_page_is_not_the_file(slack: Slack) -> None:
    csv, page = sent(slack), sent(slack, b"<p>mine</p>", "text/html")
    assert await fetch(slack, page) == b"<p>mine</p>"
    slack.server.store.login = True
    for file in (csv, page):
        with pytest.raises(ChannelError, match="login") as caught:
            await fetch(slack, file)
        assert "files:read" in caught.value.said


async def test_no_more_than_the_limit_is_read(slack: Slack) -> None:
    file = sent(slack, b"x" * (LIMIT + 1))
    with pytest.raises(ChannelError) as caught:
        await fetch(slack, file)
    assert slack.server.store.asked == []  # its size was known before
    assert caught.value.said == "I can't open table.csv: it is larger than 1 kB."
    lying = FileRef(file.name, file.mime, 5, file.ref)
    with pytest.raises(ChannelError, match="a file of"):
        await fetch(slack, lying)
    assert await fetch(slack, sent(slack, b"x" * LIMIT)) == b"x" * LIMIT


@pytest.mark.parametrize(("kind", "seconds"), [("429", 30.0), ("500", None), ("503", None)])
async def test_what_may_work_later_says_so(slack: Slack, kind: str, seconds: float | None) -> None:
    file = sent(slack)
    slack.server.fail("download", kind, retry_after=30)
    with pytest.raises(ChannelUnavailable) as caught:
        await fetch(slack, file)
    assert caught.value.retry_after == seconds
    assert await fetch(slack, file) == b"a,b\n"


async def test_a_file_that_is_gone_says_so(slack: Slack) -> None:
    file = sent(slack)
    slack.server.store.held.clear()
    with pytest.raises(ChannelError) as caught:
        await fetch(slack, file)
    assert not caught.value.retry and "isn't there any more" in caught.value.said


async def test_slack_gone_means_later(slack: Slack) -> None:
    file = sent(slack)
    await slack.server.stop()
    with pytest.raises(ChannelUnavailable):
        await fetch(slack, file)


def test_where_slacks_files_are() -> None:
    assert homes("https://slack.com/api/") == (
        "https://slack.com/",
        "https://files.slack.com/",
        "https://files.slack.com/",
    )
    assert "https://files.slack-gov.com/" in homes("https://slack-gov.com/api/")
    assert homes("http://127.0.0.1:8999/api/")[0] == "http://127.0.0.1:8999/"
