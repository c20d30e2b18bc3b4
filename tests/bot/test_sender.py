"""Replies on their way out: exactly one is shown, or someone is told."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from dataclasses import replace as changed

import pytest
import structlog

from bot.errors import ChannelError, ChannelUnavailable, DeliveryUnclear
from bot.model.delivery import Delivery, DeliveryStatus
from bot.sender import Sender
from storage.engine import Database
from storage.journal import RunJournal
from storage.outbox import OutboxStore
from tests.conftest import HeldClock
from tests.fakes.recording_channel import RecordingChannel


@dataclass
class Post:
    """A sender over a real outbox and a recording platform."""

    channel: RecordingChannel
    outbox: OutboxStore
    sender: Sender
    failures: list[str] = field(default_factory=list)
    lease: bool = True

    async def send(self, *deliveries: Delivery) -> list[str]:
        """The status of each once nothing is under way."""
        self.sender.put(await self.outbox.add(deliveries, "n1", 1))
        await self.sender.stop(20)
        kept = [await self.outbox.get("local", d.id) for d in deliveries]
        return [k.status.value for k in kept if k]


@pytest.fixture
async def post(db: Database, clock: HeldClock) -> AsyncIterator[Post]:
    journal = RunJournal(db)
    journal.start()
    channel, outbox = RecordingChannel(), OutboxStore(db, journal)

    async def may_send() -> bool:
        return made.lease

    async def on_failed(delivery: Delivery, cause: str) -> None:
        made.failures.append(f"{delivery.id}: {cause}")

    sender = Sender(
        {"slack": channel}, outbox, clock, lambda: "n1", may_send, on_failed, pause=0.005
    )
    made = Post(channel, outbox, sender)
    yield made
    await journal.close()


def _delivery(name: str = "d1", **changes: object) -> Delivery:
    made = Delivery(name, "local", f"run-{name}", "slack", {"channel": "C1"}, {"text": name})
    return changed(made, **changes)  # type: ignore[arg-type]


async def test_replies_to_one_place_keep_their_order(post: Post) -> None:
    post.channel.script.append((ChannelUnavailable("429", retry_after=0.01), False))
    assert await post.send(_delivery("d1"), _delivery("d2")) == ["sent", "sent"]
    assert post.channel.texts == ["d1", "d2"]


async def test_what_goes_on_waiting_becomes_a_warning(post: Post) -> None:
    """As where a token has ended: only warnings are shown on a terminal."""
    post.channel.script += [(ChannelUnavailable("check the token"), False)] * 3
    with structlog.testing.capture_logs() as lines:
        assert await post.send(_delivery()) == ["sent"]
    waits = [line for line in lines if line["event"] == "delivery_waits"]
    assert [line["log_level"] for line in waits] == ["info", "info", "warning"]
    assert [line["seconds"] for line in waits] == [0.01, 0.02, 0.04]


@pytest.mark.parametrize("shown", [True, False])
async def test_an_unclear_send_is_looked_up_before_it_is_repeated(post: Post, shown: bool) -> None:
    post.channel.script.append((DeliveryUnclear("cut off"), shown))
    assert await post.send(_delivery()) == ["sent"]
    assert post.channel.texts == ["d1"]


async def test_where_nobody_can_look_the_person_decides(post: Post) -> None:
    post.channel.can_look = False
    post.channel.script.append((DeliveryUnclear("cut off"), True))
    assert await post.send(_delivery()) == ["failed"]
    answer, question = post.channel.shown
    assert answer.id == "d1" and question.id == "ask:d1"
    assert question.reply["buttons"][0]["command"] == "/resend run-d1"  # type: ignore[index]


async def test_what_is_refused_for_good_is_told(post: Post) -> None:
    post.channel.script.append((ChannelError("channel_not_found"), False))
    assert await post.send(_delivery("d1"), _delivery("d2")) == ["failed", "sent"]
    assert post.failures == ["d1: channel_not_found"]


async def test_a_crash_in_mid_send_is_reconciled(post: Post) -> None:
    """Another process recorded its intent and died: one of its sends was shown, one was not."""
    for name in ("d1", "d2"):
        await post.outbox.add([_delivery(name)], "n1", 1)
        await post.outbox.intend(_delivery(name), "n1")
    post.channel.shown.append(_delivery("d1"))
    post.sender.put(_delivery(n, status=DeliveryStatus.SENDING, attempts=1) for n in ("d1", "d2"))
    await post.sender.stop(20)
    assert post.channel.texts == ["d1", "d2"]


async def test_a_node_without_a_lease_sends_nothing(post: Post) -> None:
    post.lease = False
    assert await post.send(_delivery()) == ["sending"]
    assert post.channel.shown == []


async def test_a_card_is_edited_wherever_it_was_shown(post: Post) -> None:
    card = {"title": "P1", "body": "", "fields": [], "diff": "", "ref": "P1", "status": ""}
    for name, place in (("d1", "C1"), ("d2", "C2")):
        reply = {"text": "a proposal", "card": card}
        await post.send(_delivery(name, card="P1", reply=reply, address={"channel": place}))
    edits = await post.outbox.refresh_card(
        "local", "P1", {"text": "approved"}, ["e1", "e2"], "n1", 2
    )
    post.sender.put(edits)
    await post.sender.stop(20)
    shown = {(d.address["channel"], d.reply["text"]): d.edits for d in post.channel.shown}
    assert shown[("C1", "approved")] == {"ts": 1} and shown[("C2", "approved")] == {"ts": 2}


class Told(ChannelError):
    told = True


async def test_what_the_owner_knows_already_is_recorded_and_not_told_again(post: Post) -> None:
    post.channel.script.append((Told("they have blocked the bot"), False))
    assert await post.send(_delivery()) == ["failed"]
    assert post.failures == []
