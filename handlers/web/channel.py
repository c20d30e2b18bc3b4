"""The web as a channel: one server for the page, the HTTP APIs and other channels' webhooks."""

import asyncio
import errno
import socket
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial

from bot import notice
from bot.errors import ChannelError, ConfigError, Held
from bot.events import Events
from bot.files.sight import takes_images
from bot.kit import ChannelKit
from bot.model.delivery import Delivery
from bot.model.file import FileRef
from bot.model.message import Reply
from bot.model.run import Run
from bot.ports.channels import Inbox, Route
from bot.ports.clock import Clock, Ids
from bot.ports.stores import Agents, Files, Runs
from handlers.web.app import make_app
from handlers.web.auth import ApiKey, PageDoor
from handlers.web.chat import ChatPage
from handlers.web.parts import Cards, Parts
from handlers.web.server import Server, make_server
from handlers.web.streams import Streams
from handlers.web.uploads import FileRules


async def no_cards(workspace: str, refs: Collection[str]) -> Sequence[Reply]:
    return ()


class WebChannel:
    """Replies are fetched by whoever asked: nothing of it goes through the outbox."""

    name = "web"
    push = False

    def __init__(
        self,
        *,
        host: str,
        port: int,
        api_key: str,
        workspace: str,
        inbox: Inbox,
        runs: Runs,
        agents: Agents,
        events: Events,
        clock: Clock,
        ids: Ids,
        ready: Callable[[], bool],
        routes: Sequence[Route] = (),
        commands: Sequence[tuple[str, str]] = (),
        cards: Cards = no_cards,
        files: Files,
        rules: FileRules | None = None,
        notice: str = "",
    ):
        self._host, self._wanted_port = host, port
        self._streams, self._files = Streams(events), files
        key = ApiKey(api_key)
        parts = Parts(
            workspace=workspace,
            inbox=inbox,
            runs=runs,
            agents=agents,
            streams=self._streams,
            clock=clock,
            ids=ids,
            key=key,
            door=PageDoor(key, host),
            ready=ready,
            cards=cards,
            commands=commands,
            files=files,
            rules=rules or FileRules(),
            notice=notice,
        )
        self._app = make_app(parts, ChatPage(parts), routes)
        self._server: Server | None = None
        self._serving: asyncio.Task[None] | None = None
        self._socket: socket.socket | None = None

    @property
    def port(self) -> int:
        """The port it listens on, which a setting of 0 leaves to the system."""
        return int(self._socket.getsockname()[1]) if self._socket else self._wanted_port

    @property
    def url(self) -> str:
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self.port}"

    @property
    def summary(self) -> str:
        return self.url

    def routes(self) -> Sequence[Route]:
        return ()

    async def start(self) -> None:
        """Raises Held where the port is taken, ConfigError where the address can't be used."""
        self._socket = _listen(self._host, self._wanted_port)
        self._server = make_server(self._app)
        self._serving = asyncio.create_task(self._server.serve([self._socket]))
        listening = asyncio.create_task(self._server.listening.wait())
        await asyncio.wait({self._serving, listening}, return_when=asyncio.FIRST_COMPLETED)
        listening.cancel()
        if self._serving.done():
            self._serving.result()

    async def stop(self) -> None:
        self._streams.stop()
        if self._server and self._serving:
            self._server.leave()
            await self._serving
        if self._socket:
            self._socket.close()
        self._server = self._serving = self._socket = None

    def follow(self, run: Run) -> None:
        """Pages and programs watch for themselves."""

    async def fetch(self, workspace: str, file: FileRef, limit: int) -> bytes:
        """What came in a request's body is kept since."""
        stored = await self._files.get(workspace, str(file.ref.get("file")))
        if stored is None:
            raise ChannelError("no such upload", said="it is gone. Please send it again.")
        return stored.content

    async def send(self, delivery: Delivery) -> Mapping[str, object]:
        raise ChannelError("the web fetches its replies; nothing is sent to it")

    async def find(self, delivery: Delivery) -> Mapping[str, object] | None:
        return None


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        said = f"RATCHET_HOST: {host!r} is not an address of this machine."
        raise ConfigError(str(error), said=said) from error
    made = socket.socket(family, kind, protocol)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(2048)
    except OSError as error:
        made.close()
        raise _unusable(host, port, error) from error
    made.setblocking(False)
    return made


def _unusable(host: str, port: int, error: OSError) -> ConfigError | Held:
    if error.errno == errno.EADDRINUSE:
        said = (
            f"Port {port} on {host} is taken by another program. Stop that program, "
            "or set RATCHET_PORT to another port (0 takes a free one)."
        )
        return Held(str(error), said=said)
    if error.errno == errno.EACCES:
        said = f"This user may not listen on port {port}; set RATCHET_PORT to 1024 or above."
        return ConfigError(str(error), said=said)
    said = f"The web server can't listen on {host}, port {port}; check RATCHET_HOST."
    return ConfigError(str(error), said=said)


def make(kit: ChannelKit) -> WebChannel:
    settings, services = kit.settings, kit.services
    return WebChannel(
        host=settings.host,
        port=settings.port,
        api_key=kit.api_key,
        workspace=kit.workspace,
        inbox=services.inbox,
        runs=services.runs,
        agents=services.agents,
        events=services.events,
        clock=services.clock,
        ids=services.ids,
        ready=kit.ready,
        routes=kit.routes,
        commands=kit.menu(),
        cards=kit.cards,
        files=services.files,
        rules=FileRules(
            size=round(settings.file_max_mb * 1_000_000),
            count=settings.file_max_count,
            sees=partial(takes_images, settings.images),
            model=services.model.default,
        ),
        notice=notice.written(settings.home),
    )
