"""Who holds the data folder: one process at a time, known by name and address."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType

from filelock import FileLock, Timeout

from bot.config import Settings
from bot.errors import ConfigError, Held
from bot.model.words import when
from bot.ports.clock import Clock, Ids

_PRIVATE = 0o600


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that holds a data folder. `url` is "" where it serves nobody; `started` is ms
    since the epoch, UTC."""

    pid: int
    started: int
    url: str = ""


class HomeLock:
    """Holds `home` as long as it is entered; the system lets go of it if the process dies."""

    def __init__(self, home: Path, clock: Clock, *, wait: float = 1.0):
        """`wait` is how many seconds a holder that is about to leave gets to do so."""
        self._home = home
        self._lock = FileLock(home / "lock", mode=_PRIVATE)
        self._clock = clock
        self._wait = wait
        self._started = clock.now()

    def __enter__(self) -> "HomeLock":
        """Raises Held, which says who holds it, or ConfigError where nothing can be written."""
        make_home(self._home)
        try:
            self._lock.acquire(timeout=self._wait, poll_interval=0.05)
        except Timeout as error:
            raise Held(said=_held_by(self._home, read_holder(self._home))) from error
        except OSError as error:
            raise _unusable(self._home, error) from error
        self.announce("")
        return self

    def announce(self, url: str) -> None:
        """Says where this process answers, to whoever looks."""
        holder = Holder(os.getpid(), self._started, url)
        _write_private(self._home / "running.json", json.dumps(asdict(holder)))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        (self._home / "running.json").unlink(missing_ok=True)
        self._lock.release()


def running(home: Path) -> Holder | None:
    """Whoever holds `home` now, or None. What a killed process left behind counts for nothing."""
    holder = read_holder(home)
    if holder is None:
        return None
    probe = FileLock(home / "lock", mode=_PRIVATE)
    try:
        probe.acquire(timeout=0)
    except (Timeout, OSError):
        return holder
    probe.release()
    return None


def read_holder(home: Path) -> Holder | None:
    """What `running.json` says, whether it is still true or not."""
    try:
        said = json.loads((home / "running.json").read_text(encoding="utf-8"))
        return Holder(int(said["pid"]), int(said["started"]), str(said["url"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def api_key(settings: Settings, ids: Ids) -> str:
    """The key of the HTTP API: the setting, or the one made for this folder, kept in `api_key`.

    Off loopback nobody should guess that a key exists: there it must be set (ConfigError).
    """
    if settings.api_key is not None:
        return settings.api_key.get_secret_value()
    if not settings.loopback:
        raise ConfigError(
            said=f"RATCHET_HOST is {settings.host}, which others can reach, so RATCHET_API_KEY "
            "must be set; any long random text will do."
        )
    make_home(settings.home)
    path = settings.home / "api_key"
    if not (key := _read_key(path)):
        key = f"rk-{ids.token(32)}"
        _write_private(path, key)
    return key


def known_api_key(settings: Settings) -> str:
    """The key a running server was given or made, or "" if neither is to be found."""
    if settings.api_key is not None:
        return settings.api_key.get_secret_value()
    return _read_key(settings.home / "api_key")


def make_home(home: Path) -> None:
    """Makes the data folder, for its owner only. Raises ConfigError where that fails."""
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(home, error) from error


def _read_key(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            said=f"{path} can't be read ({error}); remove it or repair it."
        ) from error


def _write_private(path: Path, text: str) -> None:
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        fresh.replace(path)
    except OSError as error:
        raise _unusable(path.parent, error) from error


def _unusable(home: Path, error: OSError) -> ConfigError:
    return ConfigError(
        str(error),
        said=f"The data folder {home} can't be used: {error.strerror or error}. "
        "Set RATCHET_HOME to a folder that you may write to.",
    )


def _held_by(home: Path, holder: Holder | None) -> str:
    if holder is None:
        return f"Another process holds {home}. Stop it, or set RATCHET_HOME to another folder."
    since = when(holder.started)
    where = f", at {holder.url}" if holder.url else ""
    return (
        f"Ratchet is already running on {home}: process {holder.pid}, since {since}{where}.\n"
        f"Talk to it with `ratchet chat`, stop it with `kill {holder.pid}`, "
        "or set RATCHET_HOME and RATCHET_PORT to start another one."
    )
