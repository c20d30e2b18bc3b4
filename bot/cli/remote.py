"""Talks to a running Ratchet through its runs API, with the standard library only."""

import http.client
import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import quote, urlsplit

from bot.errors import ConfigError, NotFound, RatchetError

Watcher = Callable[[str, dict[str, Any]], None]

_SECONDS = 15.0
_QUIET_SECONDS = 120.0
_OPEN = {"queued", "running"}


class Unreachable(RatchetError):
    """The server does not answer at its address."""

    kind = "unreachable"
    retry = True


class Remote:
    """One server. `url` has no path; `key` is its API key."""

    def __init__(self, url: str, key: str, new_key: Callable[[], str]):
        parts = urlsplit(url)
        self._url = url
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._key = key
        self._new_key = new_key

    @property
    def url(self) -> str:
        return self._url

    def say(
        self, text: str, agent: str | None, conversation: str, watch: Watcher | None = None
    ) -> dict[str, Any]:
        """The closed run, as GET /v1/runs/{id} tells it."""
        body = {"message": text, "conversation": conversation}
        if agent:
            body["agent"] = agent
        run_id = str(self._call("POST", "/v1/runs", body)["run_id"])
        self._follow(run_id, watch)
        return self.run(run_id)

    def run(self, ref: str) -> dict[str, Any]:
        try:
            return self._call("GET", f"/v1/runs/{quote(ref, safe='')}")
        except NotFound as error:
            said = f"{error.said} `ratchet runs` lists the last ones."
            raise NotFound(str(error), said=said) from error

    def runs(self, limit: int) -> list[dict[str, Any]]:
        listed = self._call("GET", f"/v1/runs?limit={limit}")
        return list(listed["data"])

    def _follow(self, run_id: str, watch: Watcher | None) -> None:
        """Returns once the run is closed; a stream that breaks is taken up again."""
        while self.run(run_id)["status"] in _OPEN:
            try:
                self._stream(run_id, watch)
            except (OSError, http.client.HTTPException):
                continue

    def _stream(self, run_id: str, watch: Watcher | None) -> None:
        with self._open("GET", f"/v1/runs/{run_id}/events", None, _QUIET_SECONDS) as response:
            for kind, data in _events(response):
                if watch:
                    watch(kind, data)
                if kind == "done":
                    return

    def _call(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        try:
            with self._open(method, path, body, _SECONDS) as response:
                value = json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            said = f"Ratchet at {self.url} does not answer ({error}). Is it still starting?"
            raise Unreachable(str(error), said=said) from error
        if not isinstance(value, dict):
            raise Unreachable(said=f"{self.url} answered, but not as Ratchet does.")
        return value

    @contextmanager
    def _open(
        self, method: str, path: str, body: object, seconds: float
    ) -> Iterator[http.client.HTTPResponse]:
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers |= {"Content-Type": "application/json", "Idempotency-Key": self._new_key()}
        with closing(
            http.client.HTTPConnection(self._host, self._port, timeout=seconds)
        ) as connection:
            connection.request(method, path, data, headers)
            response = connection.getresponse()
            if response.status >= 400:
                raise _refused(response.status, response.read(), self.url)
            yield response


def _events(response: http.client.HTTPResponse) -> Iterator[tuple[str, dict[str, Any]]]:
    kind, lines = "message", list[str]()
    for raw in response:
        line = raw.decode("utf-8", "replace").rstrip("\r\n")
        name, _, value = line.partition(":")
        if not line:
            if lines:
                yield kind, _object("\n".join(lines))
            kind, lines = "message", []
        elif name == "event":
            kind = value.strip()
        elif name == "data":
            lines.append(value.removeprefix(" "))


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _refused(status: int, raw: bytes, url: str) -> RatchetError:
    error = _object(raw.decode("utf-8", "replace")).get("error")
    said = str(error.get("message", "")) if isinstance(error, dict) else ""
    if status == 401:
        return ConfigError(
            said=f"The server at {url} does not take this API key. "
            "Set RATCHET_API_KEY to the one it was started with."
        )
    if status == 404:
        return NotFound(said=said or "The server has nothing by that name.")
    return RatchetError(f"HTTP {status}", said=said or f"{url} answered with HTTP {status}.")
