"""The files of a request: fetched from their channel and read, each as a step of the run."""

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

import structlog

from bot.errors import ChannelError, ChannelUnavailable, RatchetError
from bot.files import names
from bot.files.reading import Reader
from bot.files.room import Room
from bot.files.sight import takes_images
from bot.model.file import FileRef, StoredFile, Taken
from bot.model.run import Run, Step, StepKind
from bot.ports.clock import Clock
from bot.ports.stores import Files
from bot.recorder import Done, RunLog

log = structlog.get_logger()

Fetch = Callable[[Run, FileRef, int], Awaitable[bytes]]
"""(run, file, most bytes) → its bytes, from the channel that the run came by."""

_TRIES = 3
_LONGEST_PAUSE = 10.0
_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class FileLimits:
    """`size` is the most bytes of one file, `count` the most files of a message, `images` the
    setting that says whether models take images."""

    size: int
    count: int
    images: str


class Intake:
    """`room` bounds what is in memory, over all runs."""

    def __init__(
        self,
        fetch: Fetch,
        files: Files,
        reader: Reader,
        clock: Clock,
        limits: FileLimits,
        room: Room,
    ) -> None:
        self._fetch, self._files, self._reader = fetch, files, reader
        self._clock, self._limits, self._room = clock, limits, room

    async def take(self, runlog: RunLog) -> list[Taken]:
        """In the order they were sent. What a former attempt had read is not fetched again."""
        run, count = runlog.run, self._limits.count
        taken = [await self._one(runlog, ref, n) for n, ref in enumerate(run.files[:count])]
        for ref in run.files[count:]:
            said = f"`{names.safe(ref.name)}` was left out: I take up to {count} files a message."
            taken.append(Taken("refused", names.safe(ref.name), said=said))
        return taken

    @asynccontextmanager
    async def images(
        self, workspace: str, files: Sequence[Taken], model: str
    ) -> AsyncIterator[Mapping[str, str]]:
        """The images that `model` can be shown, as data URLs by file id."""
        wanted = [f for f in files if f.kind == "image" and self.sees(model)]
        async with self._room.holding(sum(file.size for file in wanted)):
            urls = {}
            for file in wanted:
                if stored := await self._files.get(workspace, file.file):
                    urls[file.file] = await asyncio.to_thread(_data_url, stored)
            yield urls

    def sees(self, model: str) -> bool:
        return takes_images(self._limits.images, model)

    async def _one(self, runlog: RunLog, ref: FileRef, place: int) -> Taken:
        name = names.safe(ref.name)

        async def work() -> Done:
            fault = ""
            try:
                taken = await self._read(runlog.run, ref, name, place)
            except ChannelError as error:
                fault = f"{type(error).__name__}: {error}"
                said = f"`{name}` did not reach me: {error.said}"
                taken = Taken("refused", name, ref.mime, ref.size, said=said)
            kind = "channel" if fault else ""
            # Names are clean since the message was accepted, texts since they were read.
            return Done(_record(taken), error_type=kind, error_message=fault, clean=not fault)

        asked = {"mime": ref.mime, "size": ref.size}
        return Taken(**await runlog.step(StepKind.FILE, name, asked, work))

    async def _read(self, run: Run, ref: FileRef, name: str, place: int) -> Taken:
        limit = self._limits.size
        if ref.size > limit:
            return _too_large(Taken("refused", name, ref.mime, ref.size), limit)
        async with self._room.holding(ref.size or limit):
            content = await self._fetched(run, ref, limit)
            if len(content) > limit:
                return _too_large(Taken("refused", name, ref.mime, len(content)), limit)
            taken = await self._reader.read(content, name, ref.mime)
            if taken.kind != "image":
                return taken
            digest = hashlib.sha256(content).hexdigest()[:12]
            file = f"{run.id}-in{place}-{digest}"
            await self._files.put(
                StoredFile(
                    file, run.workspace, run.id, name, taken.mime, content, "in", self._clock.now()
                )
            )
            return replace(taken, file=file)

    async def _fetched(self, run: Run, ref: FileRef, limit: int) -> bytes:
        """Raises ChannelError, with words for the person."""
        pause = 1.0
        for left in reversed(range(_TRIES)):
            try:
                async with asyncio.timeout(_SECONDS):
                    return await self._fetch(run, ref, limit)
            except ChannelUnavailable as error:
                if not left:
                    raise
                await asyncio.sleep(min(error.retry_after or pause, _LONGEST_PAUSE))
                pause *= 2
            except TimeoutError as error:
                said = "it took too long to come. Please send it again."
                raise ChannelError(f"no file after {_SECONDS:.0f} s", said=said) from error
            except RatchetError:
                raise
            except Exception as error:
                # One file that a platform hands over oddly must not cost the whole answer.
                log.exception("file_not_fetched", run_id=run.id, channel=run.channel)
                said = "something went wrong on the way. Please send it again."
                raise ChannelError(f"{type(error).__name__}: {error}", said=said) from error
        raise AssertionError("the last try returns or raises")


def of_steps(steps: Sequence[Step]) -> list[Taken]:
    """What an earlier run got of its files and still has."""
    found = [step.output for step in steps if step.kind is StepKind.FILE]
    taken = [Taken(**output) for output in found if isinstance(output, Mapping)]
    return [replace(file, said="", earlier=True) for file in taken if file.kind != "refused"]


def _record(taken: Taken) -> dict[str, Any]:
    """JSON values; what is at its default is left out."""
    return {k: v for k, v in asdict(taken).items() if v or k in ("kind", "name")}


def _too_large(taken: Taken, limit: int) -> Taken:
    most, size = names.size(limit), names.size(taken.size)
    said = f"`{taken.name}` is too large ({size}): I take files up to {most}. Send a smaller part."
    return replace(taken, said=said)


def _data_url(file: StoredFile) -> str:
    return f"data:{file.mime};base64,{base64.b64encode(file.content).decode()}"
