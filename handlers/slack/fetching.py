"""The bytes of a file that came with a message."""

from bot.errors import ChannelError, ChannelUnavailable, DeliveryUnclear
from bot.model.file import FileRef
from handlers.slack.api import Api, Refused, TooLong
from handlers.slack.incoming import file_of, part_of, text_of

_SAID = {
    "not_at_slack": "Slack doesn't let me open it: I need the permission files:read.",
    "login": "Slack doesn't let me open it: I need the permission files:read.",
    "missing_scope": "Slack doesn't let me open it: I need the permission files:read.",
    "file_not_found": "it isn't there any more.",
    "file_deleted": "it isn't there any more.",
    "http_404": "it isn't there any more.",
    "http_410": "it isn't there any more.",
}


async def fetch(api: Api, file: FileRef, limit: int) -> bytes:
    """As `Channel.fetch`. The token goes to Slack's own hosts only."""
    try:
        if file.size > limit:
            raise TooLong(f"{file.name} has {file.size} bytes")
        url = text_of(file.ref.get("url")) or await _address(api, file)
        found = await api.download(url, limit)
        if _is_login(found.kind, len(found.content), file):
            raise Refused("download", "login")
        return found.content
    except DeliveryUnclear as error:
        raise ChannelUnavailable(str(error), retry_after=error.retry_after) from error
    except TooLong as error:
        said = f"I can't open {file.name}: it is larger than {_size(limit)}."
        raise ChannelError(str(error), said=said) from error
    except Refused as error:
        why = _SAID.get(error.code, f"Slack says {error.code.replace('_', ' ')}.")
        raise ChannelError(str(error), said=f"I can't open {file.name}: {why}") from error


async def _address(api: Api, file: FileRef) -> str:
    """Of a file from another company, Slack first tells no more than its id."""
    answer = await api.call("files.info", file=text_of(file.ref.get("id")))
    found = file_of(part_of(answer.get("file")))
    url = text_of(found.ref.get("url")) if found else ""
    if not url:
        raise Refused("files.info", "file_not_found")
    return url


def _is_login(kind: str, size: int, file: FileRef) -> bool:
    """Whether a page came in place of the file: Slack shows one to who may not see it."""
    if kind != "text/html":
        return False
    return not file.mime.startswith("text/html") or bool(file.size and size != file.size)


def _size(limit: int) -> str:
    return f"{limit / 1_000_000:.0f} MB" if limit >= 1_000_000 else f"{limit / 1_000:.0f} kB"
