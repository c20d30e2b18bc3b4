"""What is pressed in Slack: buttons, modals, message shortcuts, emoji; each says a command."""

import asyncio
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bot.errors import ChannelError
from bot.model.message import Message, Reply
from handlers.slack import interactions, modals
from handlers.slack.api import Refused
from handlers.slack.hearing import PROMPT, Hearing
from handlers.slack.incoming import part_of, text_of
from handlers.slack.interactions import DIFFERENT
from handlers.slack.modals import Ask
from handlers.slack.outgoing import Block, mark_of
from handlers.slack.teams import Team, Teams

Cards = Callable[[str, Collection[str]], Awaitable[Sequence[Reply]]]
"""(workspace, refs) → the cards that can be decided, and those of the refs, as they stand."""

Shown = Callable[[str, str], Awaitable[Reply | None]]
"""(workspace, delivery id) → the reply that it shows."""

Changed = Callable[[Team, str, str], Coroutine[Any, Any, None]]
"""(team, user, run id): what somebody pressed in App Home is under way."""

_REMEMBERED = 1_000
_REF = re.compile(r"P\d+")
_NOT_OPENED = "Slack didn't open the window for your words. Please try again, or say"
_NOT_MINE = (
    "That message isn't an answer of mine. Choose *Make this better* on one of my answers, or say "
    "`!better` and a few words in a thread where I answered."
)


async def no_cards(workspace: str, refs: Collection[str]) -> Sequence[Reply]:
    return ()


async def nothing_shown(workspace: str, delivery_id: str) -> Reply | None:
    return None


class Pressing:
    """The listeners, by Bolt's argument names. `reactions` are the emoji that say something."""

    def __init__(
        self,
        *,
        teams: Teams,
        hearing: Hearing,
        cards: Cards,
        shown: Shown,
        reactions: Mapping[str, str],
        background: Callable[[Coroutine[Any, Any, None]], None],
        changed: Changed,
        log: Any,
    ) -> None:
        self._teams, self._hearing = teams, hearing
        self._cards, self._shown = cards, shown
        self._reactions, self._background = reactions, background
        self._changed, self._log = changed, log
        self._asked = OrderedDict[str, None]()

    async def on_actions(self, ack: Any, body: dict[str, Any], context: Mapping[str, Any]) -> None:
        if team := await self._teams.of_body(body):
            me, user = await team.who(), text_of(part_of(body.get("user")).get("id"))
            home = interactions.at_home(body)
            if home:
                body = {**body, "channel": {"id": await self._direct(team, user)}}
            for found in interactions.from_actions(body, me, context["delivery_id"]):
                if isinstance(found, Message):
                    await self._accept(team, found, at_home=home)
                else:
                    await self._ask(team, found, body)
        await ack()

    async def on_shortcut(self, ack: Any, body: dict[str, Any]) -> None:
        team = await self._teams.of_body(body)
        asks = interactions.from_shortcut(body) if team else None
        if team and asks:
            message = part_of(body.get("message"))
            mine = interactions.run_of(message) or interactions.is_ours(message, await team.who())
            if asks.kept.get("about") and not mine:
                await self._open(team, asks.trigger_id, modals.note("Not my answer", _NOT_MINE))
            else:
                await self._ask(team, asks, body)
        await ack()

    async def on_view(self, ack: Any, body: dict[str, Any]) -> None:
        team = await self._teams.of_body(body)
        answered = interactions.from_view(body, await team.who()) if team else None
        wrong: dict[str, str] = {}
        if team and answered:
            message, kept = answered
            if message:
                await self._answered(team, message, kept)
            elif not kept.get("optional"):
                wrong = {modals.FIELD: "Please write a few words."}
        await (ack(response_action="errors", errors=wrong) if wrong else ack())

    async def _answered(self, team: Team, message: Message, kept: Mapping[str, str]) -> None:
        run_id = kept.get("run", "")
        if not run_id and kept.get("about"):
            found = await self._message_at(team, kept.get("channel", ""), kept["about"])
            run_id = interactions.run_of(found)
        if run_id:
            message = interactions.with_run(message, run_id)
        await self._accept(team, message, at_home=bool(kept.get("home")))

    async def on_reaction(self, body: dict[str, Any]) -> None:
        team = await self._teams.of_body(body)
        if team is None:
            return
        me = await team.who()
        reacted = interactions.from_reaction(body, me, self._reactions)
        if reacted is None:
            return
        found = await self._message_at(team, reacted.channel, reacted.ts)
        if command := interactions.command_of(reacted, found, me, self._reactions):
            message = reacted.message(command, text_of(found.get("thread_ts")))
            among = me.team_id if body.get("is_ext_shared_channel") else ""
            await self._hearing.accept(team, message, among=among)

    async def _accept(self, team: Team, message: Message, *, at_home: bool) -> None:
        run_id = await self._hearing.accept(team, message)
        if at_home and run_id:
            self._background(self._changed(team, message.sender.external_id, run_id))

    async def _ask(self, team: Team, asks: Ask, body: Mapping[str, Any]) -> None:
        """Once, however often the press is delivered."""
        if asks.trigger_id and asks.trigger_id in self._asked:
            return
        self._asked[asks.trigger_id] = None
        if len(self._asked) > _REMEMBERED:
            self._asked.popitem(last=False)
        command, user = asks.kept.get("command", ""), part_of(body.get("user")).get("id")
        value = await self._begins_as(team, command, part_of(body.get("message")))
        view = modals.question(replace(asks, value=value))
        # How a rating goes on without it is said beneath the answer.
        if not await self._open(team, asks.trigger_id, view) and asks.question != DIFFERENT:
            said = f"{_NOT_OPENED} `!{command.lstrip('/')} …`."
            self._background(self._hearing.tell(team, {**asks.kept, "user": user}, said))

    async def _begins_as(self, team: Team, command: str, on: Mapping[str, Any]) -> str:
        """The text that the button of this command lets people change: of a proposal as it stands
        now, of anything else as it was shown."""
        refs = [word for word in command.split()[1:] if _REF.fullmatch(word)]
        replies = list(await self._cards(team.workspace, refs)) if refs else []
        mark = mark_of(on)
        if mark and (reply := await self._shown(team.workspace, mark[1])):
            replies.append(reply)
        buttons = (button for reply in replies for button in reply.buttons)
        return next((button.value for button in buttons if button.command == command), "")

    async def _open(self, team: Team, trigger_id: str, view: Block) -> bool:
        """Before anything slow: the trigger id lives three seconds. Whether it worked."""
        try:
            async with asyncio.timeout(PROMPT):
                await team.api.post("views.open", trigger_id=trigger_id, view=view)
                return True
        except (ChannelError, TimeoutError) as error:
            self._log.warning("slack_modal_not_opened", error=str(error) or "timed out")
            return False

    async def _direct(self, team: Team, user: str) -> str:
        """The person's own conversation with the bot; their id will do where Slack won't say."""
        try:
            async with asyncio.timeout(PROMPT):
                opened = await team.api.call("conversations.open", users=user)
            return text_of(part_of(opened.get("channel")).get("id")) or user
        except (ChannelError, TimeoutError) as error:
            self._log.info("slack_direct_not_opened", error=str(error) or "timed out")
            return user

    async def _message_at(self, team: Team, channel: str, ts: str) -> Mapping[str, Any]:
        """The message of a thread or channel at `ts`, with metadata; {} where there is none."""
        around = {"channel": channel, "limit": 1, "inclusive": True, "include_all_metadata": True}
        try:
            async with asyncio.timeout(PROMPT):
                page = await team.api.call("conversations.replies", ts=ts, latest=ts, **around)
        except Refused as error:
            self._log.info("slack_message_not_found", error=str(error))
            return {}
        found = [part_of(message) for message in page.get("messages") or ()]
        return next((message for message in found if message.get("ts") == ts), {})
