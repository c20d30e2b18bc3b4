"""App Home: a person's own page, and the prompts of a new direct message."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any

from bot.errors import ChannelError, NotFound, StorageError
from bot.home import Section
from bot.model.message import Sender
from bot.ports.channels import Inbox
from handlers.slack.api import Refused
from handlers.slack.incoming import part_of, text_of
from handlers.slack.markdown import mrkdwn
from handlers.slack.outgoing import ASK, PRESS, Block
from handlers.slack.teams import Team, Teams

PageOf = Callable[[str, Sender], Awaitable[Sequence[Section]]]
"""(workspace, who) → what that person finds there."""

Once = Callable[[str, str], Awaitable[bool]]
"""(workspace, key) → True for the first to ask."""

PROMPTS = (
    {"title": "What can you do?", "message": "What can you do, and which agents are there?"},
    {"title": "What did you learn?", "message": "What did you learn this week?"},
)
_BLOCKS, _TEXT, _HEADER, _LABEL, _VALUE, _ACTION_ID = 100, 3_000, 150, 75, 2_000, 255
_ROW = 5
_SOON = 20.0
"""Seconds that the page waits for what was pressed on it."""


class HomeTab:
    """The listener of `app_home_opened`, by Bolt's argument names, and the page anew after a
    press."""

    def __init__(self, teams: Teams, page: PageOf, once: Once, inbox: Inbox, log: Any) -> None:
        self._teams, self._page, self._once = teams, page, once
        self._inbox, self._log = inbox, log

    async def on_opened(self, body: dict[str, Any]) -> None:
        team = await self._teams.of_body(body)
        event = part_of(body.get("event"))
        user, tab = text_of(event.get("user")), text_of(event.get("tab"))
        if team is None or not user:
            return
        if tab == "messages":
            await self._suggest(team, text_of(event.get("channel")))
        else:
            await self._show(team, user)

    async def changed(self, team: Team, user: str, run_id: str) -> None:
        """Once what was pressed is done, the page says so too."""
        try:
            await self._inbox.wait(team.workspace, run_id, _SOON)
        except (NotFound, StorageError) as error:
            self._log.info("slack_home_waits_for_nothing", error=str(error))
        await self._show(team, user)

    async def _show(self, team: Team, user: str) -> None:
        """Best effort: Slack asks again whenever the page is opened."""
        sender = await team.people.complete(Sender(user))
        if sender.is_bot:
            return
        try:
            view = rendered(await self._page(team.workspace, sender))
            await team.api.call("views.publish", user_id=user, view=view)
        except (ChannelError, StorageError) as error:
            self._log.warning("slack_home_not_shown", error=str(error))

    async def _suggest(self, team: Team, channel: str) -> None:
        if not channel or not await self._once(team.workspace, f"slack-prompts:{channel}"):
            return
        asked: dict[str, Any] = {"channel_id": channel, "prompts": [*PROMPTS]}
        try:
            await team.api.call("assistant.threads.setSuggestedPrompts", **asked)
        except Refused as error:
            self._log.info("slack_no_prompts", error=str(error))
        except ChannelError as error:
            self._log.warning("slack_prompts_not_shown", error=str(error))


async def no_page(workspace: str, sender: Sender) -> Sequence[Section]:
    return ()


async def never(workspace: str, key: str) -> bool:
    return False


def rendered(sections: Sequence[Section]) -> Mapping[str, object]:
    """The view, within what Slack takes: what doesn't fit is said to be missing."""
    blocks: list[Block] = []
    for number, section in enumerate(sections):
        made = list(_section(section, number))
        if len(blocks) + len(made) > _BLOCKS - 1:
            more = "There is more than fits here: `/help` lists what shows the rest."
            blocks.append(_text(more))
            break
        blocks += made
    return {"type": "home", "blocks": blocks or [_text("Nothing is here yet.")]}


def _section(section: Section, number: int) -> Iterator[Block]:
    if section.title:
        yield {"type": "header", "text": _plain(section.title, _HEADER)}
    text = ""
    for line in map(mrkdwn, section.lines):
        line = line if len(line) <= _TEXT else line[: _TEXT - 1] + "…"
        if text and len(text) + len(line) + 1 > _TEXT:
            yield _text(text)
            text = ""
        text = f"{text}\n{line}" if text else line
    if text:
        yield _text(text)
    for start in range(0, len(section.buttons), _ROW):
        row = section.buttons[start : start + _ROW]
        elements = []
        for at, button in enumerate(row, start):
            unique = f"{number}-{at}"
            name = f"{ASK}{unique}:{button.asks}" if button.asks else f"{PRESS}{unique}"
            element: dict[str, object] = {
                "type": "button",
                "action_id": name[:_ACTION_ID],
                "text": _plain(button.label, _LABEL),
                "value": button.command[:_VALUE],
            }
            if button.style != "default":
                element["style"] = button.style
            elements.append(element)
        yield {"type": "actions", "elements": elements}


def _text(text: str) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def _plain(text: str, limit: int) -> Block:
    text = " ".join(text.split()) or "…"
    return {"type": "plain_text", "text": text if len(text) <= limit else text[: limit - 1] + "…"}
