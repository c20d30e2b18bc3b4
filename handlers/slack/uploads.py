"""Files of a reply on their way into Slack."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from bot.errors import ChannelError
from bot.model.delivery import Delivery
from bot.model.message import Reply
from handlers.slack.api import Api, Refused
from handlers.slack.outgoing import Part, notice

Content = Callable[[str, str], Awaitable[bytes | None]]
"""(workspace, id of a stored file) → its bytes, None where it isn't kept any more."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file by its name, with its bytes or the id it is stored under. `alt` describes it."""

    name: str
    workspace: str
    id: str = ""
    content: bytes = b""
    alt: str = ""

    @property
    def is_picture(self) -> bool:
        return not self.id


class Uploads:
    """Without `content`, stored files can't be shown."""

    def __init__(self, api: Api, content: Content | None) -> None:
        self._api, self._content = api, content

    def of(self, delivery: Delivery, reply: Reply) -> list[Upload]:
        """What is to follow the text. A name stays the same however often it is sent."""
        found = [Upload(file.name, delivery.workspace, file.id) for file in reply.files]
        if picture := reply.picture:
            name = f"picture-{delivery.id[-8:]}.png"
            found.insert(0, Upload(name, delivery.workspace, "", picture.png, picture.alt))
        return found

    async def share(self, upload: Upload, channel: str, thread_ts: str) -> None:
        """Shows it in a channel, a thread, or (by a person's id) a direct message."""
        if channel.startswith(("U", "W")):
            channel = await self.direct(channel)
        file_id = await self.store(upload)
        await self._api.post(
            "files.completeUploadExternal",
            files=[{"id": file_id, "title": _title(upload)}],
            channel_id=channel,
            thread_ts=thread_ts or None,
        )

    async def hide(self, upload: Upload) -> str:
        """The id of a file that is in Slack and that nobody sees until a message shows it."""
        file_id = await self.store(upload)
        files = [{"id": file_id, "title": _title(upload)}]
        await self._api.call("files.completeUploadExternal", files=files)
        return file_id

    async def store(self, upload: Upload) -> str:
        content = upload.content or await self._stored(upload)
        return await self._api.store(upload.name, content, upload.alt)

    async def direct(self, person: str) -> str:
        """The conversation with one person."""
        opened = await self._api.call("conversations.open", users=person)
        found = opened.get("channel")
        if not isinstance(found, dict) or not found.get("id"):
            raise Refused("conversations.open", "no_channel")
        return str(found["id"])

    def excuse(self, missing: Sequence[Upload]) -> Part:
        """Says what isn't shown."""
        names = ", ".join(u.alt or "the picture" if u.is_picture else u.name for u in missing)
        return notice(f"I couldn't show this here: {names}.")

    async def _stored(self, upload: Upload) -> bytes:
        found = await self._content(upload.workspace, upload.id) if self._content else None
        if found is None:
            raise ChannelError(f"the file {upload.id} is not kept any more")
        return found


def _title(upload: Upload) -> str:
    return (upload.alt or upload.name)[:200]
