"""The agents that a new workspace starts with, one YAML file each."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from bot.errors import ConfigError
from bot.model.agent import AgentVersion, from_spec

_FORM = "name, specialty, instructions; optional: playbook, model, temperature, tools, limits"


def load(folder: Path | None = None) -> list[AgentVersion]:
    """Every `*.yml` as version 1. Raises ConfigError that names the file and the form."""
    return [_read(path) for path in sorted(folder.glob("*.yml"))] if folder else list(_shipped())


@cache
def _shipped() -> tuple[AgentVersion, ...]:
    return tuple(load(Path(__file__).parent))


def _read(path: Path) -> AgentVersion:
    try:
        spec: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        name = spec.pop("name")
        spec["playbook"] = _bullets(spec.get("playbook", ()))
        return from_spec(name, 1, spec)
    except (yaml.YAMLError, TypeError, KeyError, AttributeError) as error:
        raise ConfigError(said=f"{path}: {error}. Expected the keys {_FORM}.") from error


def _bullets(texts: Sequence[str]) -> list[dict[str, str]]:
    return [{"id": f"b{n}", "text": text, "source": "seed"} for n, text in enumerate(texts, 1)]
