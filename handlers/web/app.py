"""The web application: every path, and what becomes of errors."""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response

from bot.errors import RatchetError
from bot.ports.channels import Route
from handlers.web.auth import KeyGuard
from handlers.web.chat import ChatPage
from handlers.web.described import described
from handlers.web.downloads import Downloads
from handlers.web.faults import HttpFault, fault_of, fault_response
from handlers.web.health import Health
from handlers.web.openai_api import OpenAiApi
from handlers.web.parts import Parts
from handlers.web.runs_api import RunsApi
from handlers.web.static import StaticFiles

Endpoint = Callable[[Request], Awaitable[Response]]


def make_app(parts: Parts, page: ChatPage, routes: Sequence[Route]) -> FastAPI:
    """`routes` are those of other channels; they check their callers themselves."""
    app = FastAPI(
        title="Ratchet",
        docs_url=None,
        redoc_url=None,
        middleware=[Middleware(KeyGuard, key=parts.key)],
        exception_handlers=_handlers(page),
    )
    openai, runs, health = OpenAiApi(parts), RunsApi(parts), Health(parts)
    downloads = Downloads(parts)
    # The busiest first, as plain routes: routes are tried in order.
    app.router.add_route("/v1/chat/completions", openai.completions, ["POST"])
    app.router.add_route("/v1/runs", runs.start, ["POST"])
    # Plain routes answer HEAD too, which load balancers ask.
    app.router.add_route("/healthz", health.lives, ["GET"])
    app.router.add_route("/readyz", health.takes_messages, ["GET"])
    for method, path, endpoint in _documented(openai, runs, health, downloads):
        app.add_api_route(path, endpoint, methods=[method], **described(method, path))
    _add_page(app, page)
    for route in routes:
        app.router.add_route(route.path, _plain(route), list(route.methods))
    return app


def _documented(
    openai: OpenAiApi, runs: RunsApi, health: Health, downloads: Downloads
) -> Sequence[tuple[str, str, Endpoint]]:
    return [
        ("POST", "/v1/chat/completions", openai.completions),
        ("GET", "/v1/models", openai.models),
        ("GET", "/v1/models/{model:path}", openai.model),
        ("POST", "/v1/runs", runs.start),
        ("GET", "/v1/runs", runs.list),
        ("GET", "/v1/runs/{run_id}", runs.show),
        ("GET", "/v1/runs/{run_id}/events", runs.events),
        ("POST", "/v1/runs/{run_id}/feedback", runs.feedback),
        ("POST", "/v1/runs/{run_id}/cancel", runs.cancel),
        ("GET", "/v1/files/{file_id}", downloads.describe),
        ("GET", "/v1/files/{file_id}/content", downloads.content),
        ("GET", "/healthz", health.lives),
        ("GET", "/readyz", health.takes_messages),
    ]


def _add_page(app: FastAPI, page: ChatPage) -> None:
    add = app.router.add_route
    add("/", page.home, ["GET"])
    add("/login", page.login, ["POST"])
    add("/chat/new", page.new, ["POST"])
    add("/chat/say", page.say, ["POST"])
    add("/chat/rate", page.rate, ["POST"])
    add("/chat/cards", page.card_events, ["GET"])
    add("/chat/runs/{run_id}", page.answer, ["GET"])
    add("/chat/runs/{run_id}/events", page.answer_events, ["GET"])
    add("/chat/files/{file_id}", page.file, ["GET"])
    add("/chat/runs/{run_id}/stop", page.stop, ["POST"])
    static = StaticFiles()
    add("/static/{name}", static.serve, ["GET"])


def _plain(route: Route) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        answer = await route.endpoint(request)
        if not isinstance(answer, Response):
            raise TypeError(f"{route.path} answered with {type(answer).__name__}")
        return answer

    return endpoint


def _handlers(
    page: ChatPage,
) -> dict[int | type[Exception], Callable[[Request, Any], Coroutine[Any, Any, Response]]]:
    def shown(request: Request, error: RatchetError) -> Response:
        if request.url.path == "/" or request.url.path.startswith(("/chat/", "/login")):
            return page.fault(request, error)
        return fault_response(fault_of(error))

    async def known(request: Request, error: Exception) -> Response:
        return shown(request, error if isinstance(error, RatchetError) else RatchetError())

    async def refused(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        said = {404: "There is nothing here.", 405: "This path takes another method."}
        headers = dict(getattr(error, "headers", None) or {})
        text = said.get(status, "That can't be served.")
        return shown(request, HttpFault(status, f"http_{status}", text, headers=headers))

    return {RatchetError: known, HTTPException: refused, Exception: known}
