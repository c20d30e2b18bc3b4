"""The text of a PDF, read by a process that may not take long nor grow large."""

import asyncio
import json
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_READER = Path(__file__).with_name("pdf_reader.py")
_REFUSALS = {
    "locked": "is locked with a password. Send a copy without one",
    "empty": "holds no text, only pictures of it perhaps. Send the pages as images, or the text",
    "broken": "is damaged: I can't find its pages. Save it again, or send it as text",
    "heavy": "takes too much work to read. Send the pages that matter, or the text",
}


class Refused(Exception):
    """What is wrong with it, as the end of a sentence that begins with its name."""


@dataclass(frozen=True, slots=True)
class PdfText:
    """`read` of its `pages` are in the text."""

    pages: int
    read: int
    text: str


class PdfReading:
    """Reads a few at once."""

    def __init__(self, seconds: float = 20.0, pages: int = 200, at_once: int = 2) -> None:
        self._seconds, self._pages = seconds, pages
        self._turns = asyncio.Semaphore(at_once)

    async def read(self, content: bytes, characters: int) -> PdfText:
        """Raises Refused."""
        async with self._turns:
            answer = await self._ask(content, characters)
        if refused := answer.get("refused"):
            raise Refused(_REFUSALS[refused])
        return PdfText(answer["pages"], answer["read"], answer["text"])

    async def _ask(self, content: bytes, characters: int) -> dict[str, Any]:
        limits = (max(1, round(self._seconds)), self._pages, characters)
        # Isolated and without an environment: it has no business with our settings.
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            str(_READER),
            *map(str, limits),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={},
        )
        try:
            async with asyncio.timeout(self._seconds):
                out, _ = await process.communicate(content)
            answer: dict[str, Any] = json.loads(out)
            return answer
        except (TimeoutError, ValueError):
            return {"refused": "heavy"}
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
