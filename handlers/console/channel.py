"""The terminal as a channel: whoever sits at it is the owner."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, TextIO, cast

from rich.text import Text

from bot.errors import ChannelError, RatchetError
from bot.events import CARDS, Events
from bot.model.codec import reply_from_json
from bot.model.delivery import Delivery
from bot.model.file import Attached, FileRef
from bot.model.message import Card, Reply
from bot.model.run import CLOSED, Run
from bot.ports.channels import Event, Inbox, Route
from bot.ports.clock import Ids
from handlers.console import outgoing
from handlers.console.incoming import Situation, message, understood
from handlers.console.reading import lines
from handlers.console.screen import Growing, Screen

Save = Callable[[str, str], Awaitable[str]]
"""(workspace, id of a stored file) → where it was written to, "" where it is gone."""

_FRAME = 0.1
_LOOK_AGAIN = 50
"""Quiet frames after which the log is asked: another node may have answered."""
_SECONDS = 5.0


class ConsoleChannel:
    """Reads lines, shows answers in the order of the questions. `over` is set once the input has
    ended and everything asked is answered."""

    name = "console"
    push = False
    summary = "this terminal"

    def __init__(
        self,
        *,
        inbox: Inbox,
        events: Events,
        ids: Ids,
        workspace: str,
        stdin: int,
        output: TextIO,
        save: Save | None = None,
    ):
        """`save` brings a file of an answer into a folder and says where it is."""
        self._inbox, self._events, self._ids = inbox, events, ids
        self._workspace, self._stdin = workspace, stdin
        self._screen, self._save = Screen(output), save
        self._session = ids.token(4)
        self._situation = Situation()
        self._cards: dict[str, Card] = {}
        """By reference: each card as it was shown last."""
        self._to_show: asyncio.Queue[Asked | Reply | None] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []
        self.over = asyncio.Event()

    def routes(self) -> Sequence[Route]:
        return ()

    async def start(self) -> None:
        self._screen.prompt()
        work = (self._read(), self._show_all(), self._watch_cards())
        self._tasks = [asyncio.create_task(part) for part in work]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def follow(self, run: Run) -> None:
        """Watches its runs from the moment they are accepted."""

    async def fetch(self, workspace: str, file: FileRef, limit: int) -> bytes:
        raise ChannelError("the console holds no files", said="I can't open files from here.")

    async def send(self, delivery: Delivery) -> Mapping[str, object]:
        raise ChannelError("the console shows its replies itself; nothing is sent to it")

    async def find(self, delivery: Delivery) -> Mapping[str, object] | None:
        return None

    async def _read(self) -> None:
        async for line in lines(self._stdin):
            await self._take(line)
        self._to_show.put_nowait(None)

    async def _take(self, line: str) -> None:
        self._screen.entered()
        said = understood(line, self._situation)
        self._situation = said.situation
        if said.hint:
            self._screen.show(Text(said.hint, "dim"))
        if not said.text:
            return self._screen.prompt()
        event_id = self._ids.token()
        try:
            accepted = await self._inbox.accept(
                message(said, self._workspace, self._session, event_id)
            )
        except RatchetError as error:
            self._screen.show(Text(error.said, "red"))
            return self._screen.prompt()
        # Nothing may be awaited before this: what isn't watched from its start isn't streamed.
        self._to_show.put_nowait(Asked(accepted.run_id, self._events))

    async def _show_all(self) -> None:
        while (what := await self._to_show.get()) is not None:
            if isinstance(what, Asked):
                await self._show_answer(what)
            elif self._is_news(what):
                self._show(what)
            if self._to_show.empty():
                self._screen.prompt()
        self.over.set()

    async def _show_answer(self, asked: "Asked") -> None:
        with asked, self._screen.growing() as growing:
            run = await self._until_closed(asked, growing)
        reply = reply_from_json(run.reply) if run.reply else Reply(run.answer, run.id)
        if run.status not in CLOSED:
            reply = Reply(f"No answer yet; `/run {run.short}` shows how it goes.")
        self._situation = replace(
            self._situation,
            buttons=outgoing.shown_buttons(reply),
            rateable=run.id if reply.rateable else self._situation.rateable,
        )
        self._show(reply)
        for file in reply.files:
            self._screen.show(outgoing.attached(file, await self._saved(file)))

    async def _saved(self, file: Attached) -> str:
        """Where it is, or ""."""
        try:
            return await self._save(self._workspace, file.id) if self._save else ""
        except (OSError, RatchetError) as error:
            self._screen.show(Text(f"{file.name} can't be saved: {error}", "red"))
            return ""

    async def _until_closed(self, asked: "Asked", growing: Growing) -> Run:
        text = doing = ""
        for quiet in itertools.count():
            growing.show(text, doing)
            event = await asked.event(_FRAME)
            if event is None and quiet % _LOOK_AGAIN == _LOOK_AGAIN - 1:
                run = await self._inbox.wait(self._workspace, asked.run_id, 0)
                if run.status in CLOSED:
                    return run
            elif event is not None and event.kind == "done":
                break
            elif event is not None and event.kind == "delta":
                text += str(event.data.get("text", ""))
            elif event is not None and event.kind == "step":
                doing = str(event.data.get("name", ""))
        return await self._inbox.wait(self._workspace, asked.run_id, _SECONDS)

    async def _watch_cards(self) -> None:
        """Cards wait for their turn, so that none breaks into an answer."""
        with self._events.watch(CARDS) as queue:
            while True:
                event = await queue.get()
                if event.data.get("workspace", self._workspace) == self._workspace:
                    body = cast(Mapping[str, Any], event.data["reply"])
                    self._to_show.put_nowait(reply_from_json(body))

    def _is_news(self, reply: Reply) -> bool:
        card = reply.card
        return not (card and card.ref) or self._cards.get(card.ref) != card

    def _show(self, reply: Reply) -> None:
        card = reply.card
        known = bool(card and card.ref in self._cards)
        if card and card.ref:
            self._cards[card.ref] = card
        if card and card.status and known:
            return self._screen.show(outgoing.decided(card))
        if card and not card.status:
            self._situation = replace(self._situation, buttons=outgoing.shown_buttons(reply))
        self._screen.show(outgoing.rendered(reply))


class Asked:
    """A question whose answer is watched from its first word on."""

    def __init__(self, run_id: str, events: Events):
        self.run_id = run_id
        self._watching = ExitStack()
        self._queue = self._watching.enter_context(events.watch(run_id))

    def __enter__(self) -> "Asked":
        return self

    def __exit__(self, *_: object) -> None:
        self._watching.close()

    async def event(self, seconds: float) -> Event | None:
        """The next event, or None after `seconds` without one."""
        try:
            async with asyncio.timeout(seconds):
                return await self._queue.get()
        except TimeoutError:
            return None
