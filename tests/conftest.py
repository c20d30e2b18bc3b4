"""What every test may ask for: a database of each kind, a clock to hold, ids."""

from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.sql import SQL, Identifier
from sqlalchemy import make_url

from bot.clock import SystemIds
from storage.engine import Database, url_of
from storage.tables import metadata
from tests import leaks, netguard, postgres


class HeldClock:
    """A clock that stands until a test moves it. Times in ms since the epoch, UTC."""

    def __init__(self, now: int = 1_780_000_000_000) -> None:
        self._now = now

    def now(self) -> int:
        return self._now

    def monotonic(self) -> float:
        return self._now / 1000

    def advance(self, seconds: float) -> None:
        self._now += round(seconds * 1000)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None]:
    yield
    leaks.blame(item, nextitem)


@pytest.fixture(autouse=True, scope="session")
def _stay_on_this_machine() -> Iterator[None]:
    with netguard.loopback_only():
        yield


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


@pytest.fixture
def ids() -> SystemIds:
    return SystemIds()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    with postgres.server() as url:
        yield url


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """A new, empty database on the session's server."""
    name = f"t{SystemIds().token(6)}"
    with psycopg.connect(f"{postgres_server}/postgres", autocommit=True) as conn:
        conn.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
    yield f"{postgres_server}/{name}"
    with psycopg.connect(f"{postgres_server}/postgres", autocommit=True) as conn:
        conn.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


@pytest.fixture(params=["sqlite", "postgres"])
async def db(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """A database with every table, once on SQLite and once on PostgreSQL."""
    setting = ""
    if request.param == "postgres":
        setting = request.getfixturevalue("postgres_url")
    database = Database(make_url(url_of(setting, tmp_path)))
    async with database.write() as conn:
        await conn.run_sync(metadata.create_all)
    yield database
    await database.close()
