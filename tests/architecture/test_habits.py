"""What every module keeps to: time and settings from one place, a line that says what it is."""

import ast
from functools import cache

import pytest

from tests.architecture.source import Source, dotted, product, sources, uses

CHANCE_AND_TIME = (
    "time.time",
    "time.time_ns",
    "time.monotonic",
    "datetime.now",
    "datetime.utcnow",
    "datetime.datetime.now",
    "datetime.today",
    "date.today",
    "uuid.uuid4",
    "uuid.uuid1",
    "uuid.uuid7",
    "os.urandom",
    "os.getrandom",
)
CHANCE_MODULES = ("secrets", "random", "uuid")


def test_the_environment_is_read_in_one_place() -> None:
    readers = [
        s.name
        for s in product()
        if any(uses(s, name) for name in ("os.environ", "os.getenv", "os.putenv"))
    ]
    assert readers == ["bot/config.py"]


def test_time_and_chance_come_from_the_clock() -> None:
    askers = [
        f"{s.name}: {name}"
        for s in product()
        for name in CHANCE_AND_TIME
        if s.name != "bot/clock.py" and uses(s, name)
    ]
    askers += [
        f"{s.name}: {module}"
        for s in product()
        if s.name != "bot/clock.py"
        for module in CHANCE_MODULES
        if _imports_module(s, module)
    ]
    assert not askers


def _imports_module(source: Source, module: str) -> bool:
    return module in _modules(source)


@cache
def _modules(source: Source) -> frozenset[str]:
    walked = list(ast.walk(source.tree))
    plain = {a.name for node in walked if isinstance(node, ast.Import) for a in node.names}
    return frozenset(plain | {n.module or "" for n in walked if isinstance(n, ast.ImportFrom)})


def test_every_module_says_in_one_line_what_it_is() -> None:
    silent = [
        s.name
        for s in (*product(), *sources("tests"), *sources("benchmarks"))
        if s.text.strip() and not _one_line(ast.get_docstring(s.tree, clean=True))
    ]
    assert not silent


def _one_line(docstring: str | None) -> bool:
    return bool(docstring) and "\n" not in (docstring or "").split("\n\n")[0]


@pytest.mark.parametrize("name", ["unittest.mock", "mock", "pytest_mock"])
def test_there_are_no_mocks(name: str) -> None:
    users = [s.name for s in sources("tests") if uses(s, name) or _imports_module(s, name)]
    assert not users


def test_tests_do_not_replace_the_product_while_it_runs() -> None:
    patchers = [
        s.name
        for s in sources("tests")
        for node in ast.walk(s.tree)
        if isinstance(node, ast.Call) and dotted(node.func) == "monkeypatch.setattr"
    ]
    assert not patchers


def test_no_test_is_skipped() -> None:
    skips = [
        f"{s.name}: {name}"
        for s in sources("tests")
        for name in ("pytest.skip", "pytest.mark.skip", "pytest.mark.skipif", "pytest.importorskip")
        if uses(s, name)
    ]
    assert not skips


def test_nothing_blocks_the_loop_by_sleeping() -> None:
    sleepers = [s.name for s in product() if uses(s, "time.sleep")]
    assert not sleepers
