"""Which way the arrows point, and where the outside world comes in."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source import PACKAGES, ROOT, imported, product, sources

SDKS = (
    "aiosqlite",
    "anthropic",
    "apscheduler",
    "asyncpg",
    "cryptography",
    "dbos",
    "fastapi",
    "fastembed",
    "filelock",
    "genai_prices",
    "jinja2",
    "matplotlib",
    "openai",
    "psycopg",
    "pypdf",
    "qdrant_client",
    "qdrant_edge",
    "slack_bolt",
    "sklearn",
    "telegram",
    "uvicorn",
)
"""What has one home each. `slack_sdk`, `telegram`'s parts and Starlette's types are a channel's
own words and stay within its folder; the database library and its migrations stay within
storage."""

HOMES = {
    "slack_sdk": ("handlers/slack/",),
    "slack_bolt": ("handlers/slack/",),
    "telegram": ("handlers/telegram/",),
    "aiohttp": ("handlers/slack/",),
    "fastapi": ("handlers/web/",),
    "starlette": ("handlers/",),
    "jinja2": ("handlers/web/",),
    "sqlalchemy": ("storage/",),
    "alembic": ("storage/",),
    "qdrant_client": ("storage/vectors/",),
    "qdrant_edge": ("storage/vectors/",),
    "fastembed": ("bot/llm/fastembed.py",),
    "gepa": ("bot/improve/synthesis/evolving.py",),
    "sklearn": ("bot/llm/grouping.py",),
    "cryptography": ("storage/sealing.py",),
    "dbos": ("storage/durable.py",),
    "openai": ("bot/llm/",),
    "matplotlib": ("commands/", "bot/"),
    "typer": ("bot/cli/",),
}


def test_the_import_contracts_hold() -> None:
    lint_imports = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [lint_imports, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _importers(package: str) -> list[str]:
    def of_package(name: str) -> bool:
        return name == package or name.startswith(f"{package}.")

    return [s.name for s in product() if any(map(of_package, imported(s)))]


@pytest.mark.parametrize("sdk", SDKS)
def test_each_sdk_is_imported_in_one_module(sdk: str) -> None:
    importers = _importers(sdk)
    assert len(importers) <= 1, f"{sdk} is imported in {importers}"


@pytest.mark.parametrize("package", sorted(HOMES))
def test_each_foreign_package_stays_at_home(package: str) -> None:
    strays = [name for name in _importers(package) if not name.startswith(HOMES[package])]
    assert not strays, f"{package} belongs in {HOMES[package]}, not in {strays}"


def test_nobody_imports_the_tests() -> None:
    strays = [s.name for s in product() for name in imported(s) if name.split(".")[0] == "tests"]
    assert not strays


def test_what_reads_pdfs_stays_out_of_the_service() -> None:
    """It is started as a program: reading may hang, and importing it takes a third of a second."""
    assert not _importers("bot.files.pdf_reader")
    assert _importers("pypdf") == ["bot/files/pdf_reader.py"]


def test_there_is_no_sixth_package() -> None:
    found = {p.parent.name for p in ROOT.glob("*/__init__.py")}
    assert found == {*PACKAGES, "tests", "benchmarks"}


def test_nothing_is_imported_inside_a_function() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--select", "PLC0415", "--no-cache", "."],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_no_check_is_switched_off_in_a_line() -> None:
    marks = ("# no" + "qa", "# fmt: " + "off", "pragma: " + "no cover")
    found = [
        f"{s.name}: {mark}"
        for s in (*product(), *sources("tests"))
        for mark in marks
        if mark in s.text
    ]
    assert not found
