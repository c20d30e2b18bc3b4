"""Files of answers on this machine's disk, for who reads the answers in a terminal."""

import asyncio
import os
from pathlib import Path

from bot.files import names
from bot.model.file import StoredFile
from bot.ports.stores import Files


class Saving:
    """Into `folder`, one folder for each run."""

    def __init__(self, files: Files, folder: Path) -> None:
        self._files, self._folder = files, folder

    async def save(self, workspace: str, id: str) -> str:
        """The path it has now, "" for a file that isn't kept any more. Raises OSError."""
        file = await self._files.get(workspace, id)
        return "" if file is None else str(await asyncio.to_thread(self._write, file))

    def _write(self, file: StoredFile) -> Path:
        folder = self._folder / file.run_id[-8:]
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / names.safe(file.name)
        # Never through a link that someone put there.
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
        with open(os.open(path, flags, 0o600), "wb") as out:
            out.write(file.content)
        return path
