"""What every test may ask for: a database of each kind, a clock to hold, ids."""

import os
import signal
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bot.clock import SystemIds
from storage.engine import Database, url_of
from tests import databases, leaks, netguard, postgres


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
    # No test speaks TLS, but each HTTP client, here and in the processes that tests start, reads
    # every authority that the machine trusts: a fifteenth of a second. This file holds one, of nobody.
    os.environ["SSL_CERT_FILE"] = str(Path(__file__).with_name("nobody.pem"))
    with netguard.loopback_only():
        yield


@pytest.fixture(autouse=True, scope="session")
def _ctrl_c_is_heard() -> None:
    """Also where the tests run in the background: what they start would ignore it as they do."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


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
    with databases.on_postgres(postgres_server, tables=False) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
async def db(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """A database with every table, once on SQLite and once on PostgreSQL."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            database = databases.on_sqlite(tmp_path)
        else:
            server = request.getfixturevalue("postgres_server")
            url = stack.enter_context(databases.on_postgres(server, tables=True))
            database = Database(url_of(url, tmp_path))
        yield database
        await database.close()
