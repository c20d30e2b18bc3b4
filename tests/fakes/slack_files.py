"""Files in the fake Slack: sent up in two steps, shared or hidden, brought down with the token."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.fakes.slack_blocks import Invalid

Args = Mapping[str, Any]


@dataclass
class File:
    id: str
    name: str
    length: int
    content: bytes | None = None
    title: str = ""
    mime: str = ""
    shared: str = ""
    """The channel; "" while nobody but its owner sees it."""


@dataclass
class SlackFiles:
    """`token` opens them. `processing` is how often an upload isn't ready to be shown yet;
    `away` is where a download redirects to, `login` shows a page in place of every file."""

    token: str
    held: dict[str, File] = field(default_factory=dict)
    processing: int = 0
    away: str = ""
    login: bool = False
    asked: list[str] = field(default_factory=list)
    base: str = ""

    def give(self, name: str, content: bytes, mime: str, **more: Any) -> dict[str, Any]:
        """A file that a person has sent, as an event describes it."""
        file = File(f"F0{len(self.held):08}", name, len(content), content, name, mime, "C")
        self.held[file.id] = file
        return {**self.info(file.id), **more}

    def info(self, file_id: str) -> dict[str, Any]:
        file = self._of(file_id)
        url = f"{self.base}/files-pri/T0HOME-{file.id}"
        return {
            "id": file.id,
            "name": file.name,
            "title": file.title,
            "mimetype": file.mime,
            "size": file.length,
            "mode": "hosted",
            "url_private": f"{url}/{file.name}",
            "url_private_download": f"{url}/download/{file.name}",
        }

    def begin(self, args: Args) -> dict[str, Any]:
        if not args.get("filename") or int(args.get("length") or 0) <= 0:
            raise Invalid("invalid_arguments")
        file = File(f"F1{len(self.held):08}", args["filename"], int(args["length"]))
        self.held[file.id] = file
        return {"file_id": file.id, "upload_url": f"{self.base}/upload/{file.id}"}

    def complete(self, args: Args) -> list[File]:
        found = [self._of(item["id"]) for item in args["files"]]
        if any(file.content is None for file in found):
            raise Invalid("file_not_found", "nothing was uploaded")
        for file, item in zip(found, args["files"], strict=True):
            file.title, file.shared = item.get("title", ""), args.get("channel_id") or ""
        return found

    def show(self, file_id: str) -> None:
        """Raises Invalid for a picture that can't be shown (yet)."""
        file = self.held.get(file_id)
        if file is None or file.content is None:
            raise Invalid("invalid_blocks", "invalid slack file")
        if self.processing:
            self.processing -= 1
            raise Invalid("invalid_blocks", "invalid slack file")

    async def uploaded(self, request: web.Request) -> web.Response:
        file, body = self._of(request.match_info["file"]), await request.read()
        if len(body) != file.length:
            return web.Response(status=400, text="length")
        file.content = body
        return web.Response(text=f"OK - {len(body)}")

    async def downloaded(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.headers.get("Authorization", ""))
        if self.away:
            raise web.HTTPFound(self.away)
        if self.login or self.asked[-1] != f"Bearer {self.token}":
            return web.Response(text="<html>Sign in to Slack</html>", content_type="text/html")
        name = request.match_info["file"].partition("-")[2]
        file = self.held.get(name)
        if file is None or file.content is None:
            raise web.HTTPNotFound
        return web.Response(body=file.content, content_type=file.mime or "text/plain")

    def _of(self, file_id: str) -> File:
        if file_id not in self.held:
            raise Invalid("file_not_found")
        return self.held[file_id]
