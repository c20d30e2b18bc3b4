"""Files that come with a message or go out with an answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class FileRef:
    """A file that a platform holds: what `Channel.fetch` needs to bring its bytes.

    `size` is bytes, 0 where the platform doesn't say. `ref` holds JSON values only, in the
    channel's own words.
    """

    name: str
    mime: str = ""
    size: int = 0
    ref: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file with its bytes, kept with the run it came with ("in") or was made by ("out")."""

    id: str
    workspace: str
    run_id: str
    name: str
    mime: str
    content: bytes
    direction: str
    created_at: int


@dataclass(frozen=True, slots=True)
class Attached:
    """A file of an answer, by the id it is stored under."""

    id: str
    name: str
    mime: str = ""
    size: int = 0


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a file that a person sent, and what an agent gets of it.

    `what` describes it in a few words ("CSV, 12 rows, 2 columns: a, b"). `text` is what stands in
    it where kind is "text"; `file` is the id that its bytes are stored under where kind is "image".
    `said` tells the person what was not possible, "" where all was. `earlier` says that it came
    with an earlier message of the conversation.
    """

    kind: Literal["text", "image", "refused"]
    name: str
    mime: str = ""
    size: int = 0
    what: str = ""
    text: str = ""
    file: str = ""
    said: str = ""
    earlier: bool = False
