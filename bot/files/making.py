"""Files that an agent makes: text formats only, small, each kept once."""

import csv
import hashlib
import io
import json

from bot.errors import BadInput
from bot.files import names
from bot.model.file import Attached, StoredFile
from bot.ports.clock import Clock
from bot.ports.stores import Files
from bot.redaction import Redactor

FORMATS = {
    "txt": "text/plain",
    "md": "text/markdown",
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
    "json": "application/json",
    "yaml": "application/yaml",
    "yml": "application/yaml",
    "toml": "application/toml",
    "log": "text/plain",
    "sql": "text/plain",
    "py": "text/plain",
    "diff": "text/plain",
    "ics": "text/calendar",
}
_MOST_BYTES = 1_000_000
_MOST_NAMES, _MOST_FILES = 5, 15


class Making:
    def __init__(self, files: Files, redactor: Redactor, clock: Clock) -> None:
        self._files, self._redactor, self._clock = files, redactor, clock

    async def make(self, workspace: str, run_id: str, name: str, content: str) -> Attached:
        """Keeps it for the run's answer; the same name again replaces it there, and the same file
        again is no other one. Raises BadInput with words for the model."""
        name = names.safe(name)
        mime = FORMATS.get(names.extension(name), "")
        if not mime:
            said = f"{name!r} ends in no format I make. Use one of: {', '.join(FORMATS)}."
            raise BadInput(f"no format: {name!r}", said=said)
        content = self._redactor.text(content)
        data = content.encode()
        if len(data) > _MOST_BYTES:
            said = f"It is larger than {names.size(_MOST_BYTES)}. Make it shorter, or several."
            raise BadInput("file too large", said=said)
        _check(content, mime)
        digest = hashlib.sha256(f"{name}\x1f{content}".encode()).hexdigest()[:16]
        file = f"{run_id}-{digest}"
        made = await self._files.of_run(workspace, run_id, "out")
        if file not in {known.id for known in made}:
            if len({known.name for known in made} | {name}) > _MOST_NAMES:
                said = f"An answer has at most {_MOST_NAMES} files, and it has them."
                raise BadInput("too many files", said=said)
            if len(made) >= _MOST_FILES:
                raise BadInput("too many versions", said="That is enough: leave it as it is.")
        now = self._clock.now()
        await self._files.put(StoredFile(file, workspace, run_id, name, mime, data, "out", now))
        return Attached(file, name, mime, len(data))


def _check(content: str, mime: str) -> None:
    """Raises BadInput for what isn't the format it says it is."""
    if not content.strip():
        raise BadInput("empty file", said="The content is empty.")
    try:
        if mime == "application/json":
            json.loads(content)
        elif mime == "text/csv":
            list(csv.reader(io.StringIO(content, newline=""), strict=True))
    except (ValueError, RecursionError, csv.Error) as error:
        said = f"The content is not valid {mime.rpartition('/')[2].upper()}: {error}."
        raise BadInput(f"not {mime}", said=said) from error
