"""What is done already: one file for each seed under each policy, so that a long run can go on."""

import hashlib
import json
import os
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.loop.tally import Tally, from_json
from bot.llm.simulated.world import World


@dataclass(frozen=True, slots=True)
class State:
    """`folder` may hold the results of several worlds: each has its own part, by what is in it."""

    folder: Path
    world: World

    def load(self, policy: str, seed: int) -> Tally | None:
        try:
            return from_json(json.loads(self._file(policy, seed).read_text("utf-8")))
        except (OSError, ValueError, KeyError, TypeError):
            return None  # not there, cut off half-way, or of another version: it is run again

    def keep(self, tally: Tally) -> None:
        """Whole or not at all."""
        path = self._file(tally.policy, tally.seed)
        path.parent.mkdir(parents=True, exist_ok=True)
        half = path.with_suffix(f".{os.getpid()}")
        half.write_text(json.dumps(tally.json()), "utf-8")
        half.replace(path)

    def _file(self, policy: str, seed: int) -> Path:
        digest = hashlib.sha256(json.dumps(asdict(self.world), sort_keys=True).encode())
        name = re.sub(r"[^\w-]+", "-", self.world.name)
        return self.folder / f"{name}-{digest.hexdigest()[:12]}" / f"{policy}-{seed}.json"
