"""A real Chromium without a window: it opens pages, does what a test says, and is photographed."""

import asyncio
import itertools
import json
import shutil
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
from PIL import Image

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_PATIENCE = 30.0


class Tab:
    """One page of the browser, by the DevTools protocol."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket, self._number = socket, itertools.count(1)

    async def open(self, url: str, width: int, height: int = 200) -> None:
        size = {"width": width, "height": height, "deviceScaleFactor": 1.5, "mobile": False}
        await self._do("Emulation.setDeviceMetricsOverride", **size)
        await self._do("Page.navigate", url=url)
        await self.until("document.readyState == 'complete'")

    async def show(self, page: str, width: int) -> None:
        await self.open("about:blank", width)
        frame = (await self._do("Page.getFrameTree"))["frameTree"]["frame"]["id"]
        await self._do("Page.setDocumentContent", frameId=frame, html=page)
        await self.until("[...document.images].every(image => image.complete)")

    async def run(self, script: str) -> Any:
        """The value of a piece of JavaScript."""
        found = await self._do("Runtime.evaluate", expression=script, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    async def until(self, truth: str) -> None:
        async with asyncio.timeout(_PATIENCE):
            while not await self.run(truth):
                await asyncio.sleep(0.05)

    async def types(self, words: str) -> None:
        """Into what has the focus."""
        await self._do("Input.insertText", text=words)

    async def photograph(self, path: Path, *, whole: bool = True) -> None:
        """The whole page, or what fits the window; in few colours."""
        more: dict[str, Any] = {}
        if whole:
            size = (await self._do("Page.getLayoutMetrics"))["cssContentSize"]
            clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
            more = {"captureBeyondViewport": True, "clip": clip}
        taken = await self._do("Page.captureScreenshot", **more)
        image = Image.open(BytesIO(b64decode(taken["data"]))).convert("RGB")
        image.quantize(128).save(path, "PNG", optimize=True)

    async def _do(self, method: str, **params: Any) -> dict[str, Any]:
        number = next(self._number)
        await self._socket.send_json({"id": number, "method": method, "params": params})
        async with asyncio.timeout(_PATIENCE):
            while (answer := json.loads(await self._socket.receive_str())).get("id") != number:
                pass
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        result: dict[str, Any] = answer["result"]
        return result


@asynccontextmanager
async def chromium(folder: Path) -> AsyncIterator[Tab]:
    """Raises LookupError where none is installed."""
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        raise LookupError("no Chromium: apt-get install chromium fonts-noto-color-emoji")
    profile = folder / "profile"
    process = await asyncio.create_subprocess_exec(
        found,
        *("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"),
        *("--remote-debugging-port=0", f"--user-data-dir={profile}", "about:blank"),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        port = await _port(profile / "DevToolsActivePort")
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
            async with session.get("/json/list") as answer:
                pages = [page for page in await answer.json() if page["type"] == "page"]
            address = pages[0]["webSocketDebuggerUrl"]
            async with session.ws_connect(address, max_msg_size=0) as socket:
                yield Tab(socket)
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def _port(file: Path) -> int:
    async with asyncio.timeout(_PATIENCE):
        while not file.exists() or not file.read_text().strip():
            await asyncio.sleep(0.05)
    return int(file.read_text().splitlines()[0])
