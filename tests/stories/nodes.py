"""Real Ratchet processes, to be started, killed, paused and started again."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import httpx

from tests.ports import free_port

_READY_WITHIN = 60.0


def clean_environment() -> dict[str, str]:
    """This process's environment without anything that would configure a Ratchet, or its output:
    elsewhere Python gathers what is printed into a file."""
    ours = (
        "PYTHONUNBUFFERED",
        "RATCHET_",
        "SLACK_",
        "TELEGRAM_",
        "WHATSAPP_",
        "OPENAI_",
        "QDRANT_",
    )
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


class Node:
    """One `ratchet up`, on its own port, with its output in a file."""

    def __init__(self, home: Path, settings: Mapping[str, str]) -> None:
        self.port = free_port()
        self._home = home
        self._settings = {
            **clean_environment(),
            "RATCHET_HOME": str(home),
            "RATCHET_PORT": str(self.port),
            "RATCHET_API_KEY": "key-of-the-test",
            # Platforms and crashes are told of a change that is in use at once, to everyone.
            "RATCHET_TRIALS": "off",
            **settings,
        }
        self._process: Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def set(self, settings: Mapping[str, str]) -> None:
        """Settings of the next start, over those it had."""
        self._settings.update(settings)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def output(self) -> str:
        return (self._home / f"output-{self.port}.txt").read_text(errors="replace")

    async def start(self) -> None:
        """Returns once it takes messages."""
        await self.launch()
        await self.until_ready()

    async def launch(self) -> None:
        self._home.mkdir(parents=True, exist_ok=True)
        with (self._home / f"output-{self.port}.txt").open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "bot",
                "up",
                env=self._settings,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    async def until_ready(self) -> None:
        async with asyncio.timeout(_READY_WITHIN), httpx.AsyncClient() as client:
            while True:
                assert self._process is not None
                if self._process.returncode is not None:
                    raise RuntimeError(f"it ended by itself:\n{self.output[-4000:]}")
                with suppress(httpx.TransportError):
                    if (await client.get(f"{self.url}/readyz")).status_code == 200:
                        return
                await asyncio.sleep(0.02)

    async def ask(self, text: str, **more: object) -> str:
        """Starts a run over the HTTP API; its id."""
        async with self._client() as client:
            answer = await client.post("/v1/runs", json={"message": text, **more})
            assert answer.status_code == 202, answer.text
            return str(answer.json()["run_id"])

    async def until_closed(self, run_id: str, within: float = 30.0) -> dict[str, object]:
        async with asyncio.timeout(within), self._client() as client:
            while True:
                run: dict[str, object] = (await client.get(f"/v1/runs/{run_id}")).json()
                if run["status"] not in ("queued", "running"):
                    return run
                await asyncio.sleep(0.05)

    async def download(self, path: str) -> bytes:
        async with self._client() as client:
            return (await client.get(path)).raise_for_status().content

    def _client(self) -> httpx.AsyncClient:
        key = self._settings["RATCHET_API_KEY"]
        return httpx.AsyncClient(base_url=self.url, headers={"Authorization": f"Bearer {key}"})

    async def kill(self) -> None:
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """A clean stop; its exit code."""
        return await self._end(signal.SIGTERM)

    def pause(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    async def _end(self, how: signal.Signals) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.send_signal(how)
        return await process.wait()
