"""The project's own files as syntax trees, for the tests that read them."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("bot", "commands", "handlers", "storage", "jobs")


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """One Python file. `name` is its path below the root, "bot/config.py"."""

    name: str
    text: str
    tree: ast.Module


@cache
def sources(*folders: str) -> tuple[Source, ...]:
    """Every Python file below these folders."""
    return tuple(
        Source(str(path.relative_to(ROOT)), text := path.read_text("utf-8"), ast.parse(text))
        for folder in folders
        for path in sorted((ROOT / folder).rglob("*.py"))
    )


def product() -> tuple[Source, ...]:
    return sources(*PACKAGES)


@cache
def imported(source: Source) -> frozenset[str]:
    """Dotted names the file imports, those handed to `import_module` as text included."""
    return frozenset(_imported(source))


def _imported(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
            yield node.module
        elif isinstance(node, ast.Call) and dotted(node.func).endswith("import_module"):
            yield from (str(a.value) for a in node.args if isinstance(a, ast.Constant))


def dotted(node: ast.AST) -> str:
    """ "time.time" of the expression `time.time`; "" of what is no plain name."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return f"{before}.{node.attr}" if before else ""
    return ""


@cache
def _attributes(source: Source) -> frozenset[str]:
    walked = ast.walk(source.tree)
    return frozenset(dotted(node) for node in walked if isinstance(node, ast.Attribute))


def uses(source: Source, name: str) -> bool:
    """Whether the file names `module.thing`, however it was imported."""
    return name in imported(source) or name in _attributes(source)
