"""Slack's deliveries, heard: each listener returns only once the run log has what was said."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping
from dataclasses import replace
from typing import Any

from bot.errors import BadInput, ChannelError
from bot.model.message import Message
from bot.ports.channels import Inbox
from bot.ports.clock import Clock
from handlers.slack import interactions
from handlers.slack.api import Api, Refused
from handlers.slack.courtesy import Acquaintances, LifeSign
from handlers.slack.incoming import Me, from_event, from_slash, from_stop, part_of, text_of
from handlers.slack.outgoing import modal

TakesPart = Callable[[str, str], Awaitable[bool]]
"""(workspace, conversation) → whether the bot was asked or spoke there before."""

PROMPT = 2.0
"""Seconds for a look-up inside a delivery: Slack waits three for the acknowledgement."""


class Hearing:
    """The listeners, by Bolt's argument names. `who` says who the bot is, or raises."""

    def __init__(
        self,
        *,
        api: Api,
        inbox: Inbox,
        clock: Clock,
        who: Callable[[], Awaitable[Me]],
        commands: Collection[str],
        takes_part: TakesPart,
        people: Acquaintances,
        sign: LifeSign,
        background: Callable[[Coroutine[Any, Any, None]], None],
        log: Any,
    ) -> None:
        self._api, self._inbox, self._clock, self._who = api, inbox, clock, who
        self._commands, self._takes_part = frozenset(commands), takes_part
        self._people, self._sign = people, sign
        self._background, self._log = background, log

    async def on_other(self) -> None:
        """Subscribed to, and only acknowledged."""

    async def on_message(self, body: dict[str, Any]) -> None:
        me = await self._who()
        heard = from_event(body, me, self._commands, self._clock.now())
        if heard is None:
            return
        message = heard.message
        if heard.addressed or await self._takes_part(message.workspace, message.conversation):
            await self._accept(message)

    async def on_slash(self, ack: Any, body: dict[str, Any], context: Mapping[str, Any]) -> None:
        message = from_slash(body, await self._who(), self._commands, context["delivery_id"])
        if message:
            await self._accept(message)
        await ack()

    async def on_actions(self, ack: Any, body: dict[str, Any], context: Mapping[str, Any]) -> None:
        for found in interactions.from_actions(body, await self._who(), context["delivery_id"]):
            await (self._accept(found) if isinstance(found, Message) else self._ask(found))
        await ack()

    async def on_shortcut(self, ack: Any, body: dict[str, Any]) -> None:
        if asks := interactions.from_shortcut(body):
            await self._ask(asks)
        await ack()

    async def on_view(self, ack: Any, body: dict[str, Any]) -> None:
        if answered := interactions.from_view(body, await self._who()):
            message, kept = answered
            run_id = kept.get("run", "")
            if not run_id and kept.get("about"):
                found = await self._message_at(kept.get("channel", ""), kept["about"])
                run_id = interactions.run_of(found)
            await self._accept(interactions.with_run(message, run_id) if run_id else message)
        await ack()

    async def on_reaction(self, body: dict[str, Any]) -> None:
        reacted = interactions.from_reaction(body, await self._who())
        if reacted is None:
            return
        found = await self._message_at(reacted.channel, reacted.ts)
        if run_id := interactions.run_of(found):
            await self._accept(reacted.message(run_id, text_of(found.get("thread_ts"))))

    async def on_stop(self, body: dict[str, Any]) -> None:
        if message := from_stop(body, await self._who()):
            await self._accept(message)

    async def on_removed(self, body: dict[str, Any]) -> None:
        kind = text_of(part_of(body.get("event")).get("type"))
        self._log.error("slack_app_removed", kind=kind, do="Install the app again; restart.")

    async def _accept(self, message: Message) -> None:
        sender = await self._people.complete(message.sender)
        if sender.is_bot:
            return
        message = replace(message, sender=sender)
        try:
            accepted = await self._inbox.accept(message)
        except BadInput as error:
            self._log.info("slack_message_refused", error=str(error))
            self._background(self._tell(message, error.said))
            return
        if message.address.get("ts") and not accepted.duplicate:
            self._sign.show(message.address)

    async def _tell(self, message: Message, said: str) -> None:
        to = {k: v for k, v in message.address.items() if k in ("channel", "user", "thread_ts")}
        try:
            await self._api.post("chat.postEphemeral", text=said, **to)
        except ChannelError as error:
            self._log.info("slack_not_told", error=str(error))

    async def _ask(self, asks: interactions.Ask) -> None:
        """A modal, before anything slow: the trigger id lives three seconds."""
        view = modal(asks.question, asks.kept)
        try:
            async with asyncio.timeout(PROMPT):
                await self._api.post("views.open", trigger_id=asks.trigger_id, view=view)
        except (ChannelError, TimeoutError) as error:
            self._log.warning("slack_modal_not_opened", error=str(error) or "timed out")

    async def _message_at(self, channel: str, ts: str) -> Mapping[str, Any]:
        """The message of a thread or channel at `ts`, with metadata; {} where there is none."""
        around = {"channel": channel, "limit": 1, "inclusive": True, "include_all_metadata": True}
        try:
            async with asyncio.timeout(PROMPT):
                page = await self._api.call("conversations.replies", ts=ts, latest=ts, **around)
        except Refused as error:
            self._log.info("slack_message_not_found", error=str(error))
            return {}
        found = [part_of(message) for message in page.get("messages") or ()]
        return next((message for message in found if message.get("ts") == ts), {})
