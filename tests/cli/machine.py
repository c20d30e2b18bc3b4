"""`ratchet` as a program of its own, in an empty folder."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

Done = subprocess.CompletedProcess[str]

RATCHET = str(Path(sys.executable).with_name("ratchet"))


def environ(home: Path, **more: str) -> dict[str, str]:
    """What a person's shell has, and nothing of ours."""
    foreign = ("RATCHET_", "OPENAI_", "SLACK_", "TELEGRAM_", "WHATSAPP_", "QDRANT_")
    plain = {k: v for k, v in os.environ.items() if not k.startswith(foreign)}
    return {**plain, "RATCHET_HOME": str(home), "RATCHET_PORT": "0", **more}


def ratchet(home: Path, *arguments: str, stdin: str = "", **more: str) -> Done:
    """Runs one command to its end."""
    return subprocess.run(
        [RATCHET, *arguments],
        cwd=home.parent,
        env=environ(home, **more),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


class Server:
    """`ratchet up` in the background. `lines` are the first five it says, the key among them."""

    def __init__(self, home: Path, **more: str):
        self.home = home
        self.process = subprocess.Popen(
            [RATCHET, "up"],
            cwd=home.parent,
            env=environ(home, **more),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.lines = [self.process.stdout.readline().rstrip("\n") for _ in range(5)]

    @property
    def url(self) -> str:
        return str(self.note()["url"])

    def note(self) -> dict[str, Any]:
        note: dict[str, Any] = json.loads((self.home / "running.json").read_text())
        return note

    def end(self, number: int) -> int:
        """Sends the signal; the exit code."""
        self.process.send_signal(number)
        self.process.communicate(timeout=30)
        return self.process.returncode
