"""A world from its YAML file, read strictly: each fault by its place, what is unknown by the nearest."""

import difflib
from collections.abc import Mapping
from dataclasses import Field, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

import yaml

from bot.errors import BadInput
from bot.llm.simulated.world import World, bounds

T = TypeVar("T")

_LARGEST = 200_000
_MOST_FAULTS = 10
_MOST_ITEMS = 200


def load(path: Path) -> World:
    """Raises BadInput that names the file and each fault."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(said=f"The world file {path} can't be read: {error}") from error
    return parse(text, str(path))


def parse(text: str, where: str = "") -> World:
    """Raises BadInput that names each fault."""
    reader = _Reader()
    world = reader.group(World, _content(text, where), "")
    faults = reader.faults or _together(world)
    if faults:
        listed = "\n".join(f"  {fault}" for fault in faults[:_MOST_FAULTS])
        raise BadInput(said=f"The world file {where} is not right:\n{listed}")
    return world


def _content(text: str, where: str) -> object:
    try:
        if len(text) > _LARGEST:
            raise yaml.YAMLError(f"it has more than {_LARGEST:,} characters")
        content = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise BadInput(said=f"The world file {where} is not YAML: {error}") from error
    return {} if content is None else content


class _Reader:
    """Goes on after a fault, so that all of them are told at once."""

    def __init__(self) -> None:
        self.faults: list[str] = []

    def group(self, kind: type[T], content: object, at: str, given: T | None = None) -> T:
        """`given` is what holds where the file says nothing."""
        known = {one.name: one for one in fields(kind)}  # type: ignore[arg-type]
        if not isinstance(content, Mapping):
            return self._wrong(at, content, f"a table of {', '.join(known)}", given or kind())
        hints = get_type_hints(kind)
        values: dict[str, Any] = {}
        for key, value in content.items():
            place = f"{at}.{key}" if at else str(key)
            if key not in known:
                self.faults.append(f"{place}: unknown{_nearest(str(key), known)}")
                continue
            before = getattr(given or kind(), key)
            values[key] = self._value(hints[key], known[key], value, place, before)
        kept = {name: getattr(given, name) for name in known} if given is not None else {}
        return kind(**(kept | values))

    def _value(self, hint: Any, of: "Field[Any]", value: object, at: str, before: Any) -> Any:
        if is_dataclass(hint):
            return self.group(cast(type[Any], hint), value, at, before)
        if get_origin(hint) is tuple:
            return self._several(get_args(hint)[0], value, at, before)
        if hint is bool:
            right = isinstance(value, bool)
            return value if right else self._wrong(at, value, "true or false", before)
        if hint is str:
            return self._word(of, value, at, before)
        return self._number(hint, of, value, at, before)

    def _several(self, hint: Any, value: object, at: str, before: Any) -> Any:
        if not isinstance(value, list) or len(value) > _MOST_ITEMS:
            return self._wrong(at, value, f"a list of at most {_MOST_ITEMS}", before)
        if is_dataclass(hint):
            if not value:
                return before  # none named: as where nothing is said
            kind = cast(type[Any], hint)
            return tuple(self.group(kind, one, f"{at}[{n}]") for n, one in enumerate(value))
        return tuple(str(one) for one in value)

    def _word(self, of: "Field[Any]", value: object, at: str, before: Any) -> Any:
        among = of.metadata.get("among", ())
        if among and value not in among:
            return self._wrong(at, value, f"one of {', '.join(among)}", before)
        right = isinstance(value, str) and 0 < len(value) <= 100
        return value if right else self._wrong(at, value, "a few words", before)

    def _number(self, hint: Any, of: "Field[Any]", value: object, at: str, before: Any) -> Any:
        low, high = bounds(of)
        whole = hint is int
        form = f"a {'whole ' if whole else ''}number from {low:g} to {high:g}"
        if isinstance(value, bool) or not isinstance(value, int | float):
            return self._wrong(at, value, form, before)
        if not low <= value <= high or (whole and value != int(value)):
            return self._wrong(at, value, form, before)
        return int(value) if whole else float(value)

    def _wrong(self, at: str, value: object, expected: str, instead: T) -> T:
        shown = repr(value)
        shown = shown if len(shown) <= 60 else f"{shown[:59]}…"
        self.faults.append(f"{at or 'the file'}: expected {expected}, not {shown}")
        return instead


def _nearest(key: str, known: Mapping[str, object]) -> str:
    near = difflib.get_close_matches(key, known, 1)
    return f"; did you mean {near[0]}?" if near else f"; there are {', '.join(known)}"


def _together(world: World) -> list[str]:
    """What each value allows alone, but not beside the others."""
    changes, faults = world.changes, []
    shares = [kind.share for kind in (changes.placebo, changes.harmful, changes.good)]
    if abs(sum(shares) - 1) > 1e-6:
        faults.append(f"changes: the shares of placebo, harmful and good add up to {sum(shares):g}")
    if changes.good.success.mean < 0 or changes.harmful.success.mean > 0:
        faults.append("changes: the good must not harm and the harmful not do good on average")
    if world.floor > world.ceiling:
        faults.append(f"floor: {world.floor:g} is above the ceiling, {world.ceiling:g}")
    if not any(cluster.share for cluster in world.clusters):
        faults.append("clusters: one of them needs a share")
    if not world.models:
        faults.append("models: at least one is needed")
    drift = world.drift
    if drift.kind == "linear" and drift.until <= drift.at:
        faults.append("drift.until: a linear drift ends after it begins (drift.at)")
    for name, among in (("clusters", world.clusters), ("models", world.models)):
        names = [one.name for one in among]
        if len(set(names)) < len(names) or not all(names):
            faults.append(f"{name}: each needs a name of its own")
    return faults
