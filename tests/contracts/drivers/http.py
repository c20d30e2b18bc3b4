"""Calls to the routes of a channel, without a server in between."""

import httpx
from starlette.applications import Starlette
from starlette.routing import Route

from bot.ports.channels import Channel


def caller(channel: Channel) -> httpx.AsyncClient:
    routes = [Route(r.path, r.endpoint, methods=list(r.methods)) for r in channel.routes()]
    transport = httpx.ASGITransport(Starlette(routes=routes))
    return httpx.AsyncClient(transport=transport, base_url="http://bot")
