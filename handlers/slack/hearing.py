"""What is said in Slack, heard: each listener returns only once the run log has it."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping
from dataclasses import replace
from typing import Any

from bot.errors import BadInput, ChannelError
from bot.model.message import Message
from bot.pace import Pace
from bot.ports.channels import Inbox
from bot.ports.clock import Clock
from handlers.slack.incoming import (
    conversation,
    from_event,
    from_slash,
    from_stop,
    is_direct,
    stranger_among,
    text_of,
)
from handlers.slack.teams import Team, Teams

TakesPart = Callable[[str, str], Awaitable[bool]]
"""(workspace, conversation) → whether the bot was asked or spoke there before."""

PROMPT = 2.0
"""Seconds for a look-up inside a delivery: Slack waits three for the acknowledgement."""

_AT_ONCE = 0.3
"""Seconds that a press of Stop waits for what Slack says about the person."""

_PLACE = ("channel", "user", "thread_ts")

_ENDING = ("/stop", "/rollback", "/jobs pause")
"""Commands that end something: they get through whatever the pace."""


class Hearing:
    """The listeners, by Bolt's argument names. `prefix` is what slash commands begin with."""

    def __init__(
        self,
        *,
        teams: Teams,
        inbox: Inbox,
        clock: Clock,
        commands: Collection[str],
        prefix: str,
        takes_part: TakesPart,
        pace: Pace,
        background: Callable[[Coroutine[Any, Any, None]], None],
        log: Any,
    ) -> None:
        self._teams, self._inbox, self._clock, self._pace = teams, inbox, clock, pace
        self._commands, self._prefix = frozenset(commands), prefix
        self._takes_part, self._background, self._log = takes_part, background, log

    async def on_other(self) -> None:
        """Subscribed to, and only acknowledged."""

    async def on_message(self, body: dict[str, Any]) -> None:
        team = await self._teams.of_body(body)
        if team is None:
            return
        me = await team.who()
        heard = from_event(body, me, self._commands, self._clock.now())
        if heard is None:
            return
        message = heard.message
        if heard.addressed or await self._takes_part(message.workspace, message.conversation):
            await self.accept(team, message, among=stranger_among(body, me))

    async def on_slash(self, ack: Any, body: dict[str, Any], context: Mapping[str, Any]) -> None:
        team = await self._teams.of_body(body)
        if team:
            me, delivery = await team.who(), context["delivery_id"]
            message = from_slash(body, me, self._commands, delivery, self._prefix)
            if message:
                await self.accept(team, message)
        await ack()

    async def on_stop(self, body: dict[str, Any]) -> None:
        team = await self._teams.of_body(body)
        message = from_stop(body, await team.who()) if team else None
        if not (team and message):
            return
        channel, thread = (text_of(message.address.get(k)) for k in ("channel", "thread_ts"))
        # Slack shows each direct message as a thread; what runs may have begun beside it.
        beside = thread and is_direct(channel)
        if beside and not await self._takes_part(message.workspace, message.conversation):
            message = replace(message, conversation=conversation(channel, ""))
        await self.accept(team, message, patience=_AT_ONCE)

    async def accept(
        self, team: Team, message: Message, *, among: str = "", patience: float = PROMPT
    ) -> str:
        """Hands it over with what Slack says about the sender; the run's id, "" where it was not
        taken. `among` is the team whose people alone are no guests where this was said."""
        sender = message.sender
        try:
            async with asyncio.timeout(patience):
                sender = await team.people.complete(sender, among)
        except TimeoutError:
            sender = replace(sender, is_guest=sender.is_guest or bool(among))
        if sender.is_bot or not self._at_pace(team, message):
            return ""
        message = replace(message, sender=sender)
        try:
            accepted = await self._inbox.accept(message)
        except BadInput as error:
            self._log.info("slack_message_refused", error=str(error))
            self._background(self.tell(team, message.address, error.said))
            return ""
        if message.address.get("ts") and not accepted.duplicate:
            team.sign.show(message.address)
        return accepted.run_id

    async def tell(self, team: Team, address: Mapping[str, object], said: str) -> None:
        """Something that only the person sees, and that may fail."""
        to: dict[str, Any] = {k: v for k, v in address.items() if k in _PLACE and v}
        try:
            await team.api.post("chat.postEphemeral", text=said, **to)
        except ChannelError as error:
            self._log.info("slack_not_told", error=str(error))

    def _at_pace(self, team: Team, message: Message) -> bool:
        if message.is_button or message.text.startswith(_ENDING):
            return True
        key = (message.workspace, message.conversation, message.sender.external_id)
        found = self._pace.allow(key, message.event_id)
        if found == "yes":
            return True
        self._log.warning("slack_too_fast", user=key[2], conversation=key[1])
        if found == "notice":
            said = "That is more than I can take in a minute, so I let the rest pass. Please wait."
            self._background(self.tell(team, message.address, said))
        return False
