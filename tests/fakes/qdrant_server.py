"""A Qdrant server's REST face, small: the real engine behind the paths the client calls."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import qdrant_edge as qdrant
from aiohttp import web


class QdrantServer:
    """Collections in `folder`. `broken` answers 500 to everything while it is true."""

    def __init__(self, folder: Path) -> None:
        self.url = ""
        self.broken = False
        self.requests: list[str] = []
        self._folder = folder
        self._shards: dict[str, Any] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator["QdrantServer"]:
        app = web.Application(middlewares=[self._watched])
        app.router.add_get("/collections/{name}/exists", self._exists)
        app.router.add_put("/collections/{name}", self._create)
        app.router.add_put("/collections/{name}/index", self._index)
        app.router.add_put("/collections/{name}/points", self._upsert)
        app.router.add_post("/collections/{name}/points/delete", self._delete)
        app.router.add_post("/collections/{name}/points/count", self._count)
        app.router.add_post("/collections/{name}/points/query", self._query)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()
            for shard in self._shards.values():
                shard.close()

    @web.middleware
    async def _watched(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.requests.append(f"{request.method} {request.path}")
        if self.broken:
            return _failed(500, "broken on purpose")
        name = request.match_info.get("name", "")
        makes = request.path in (f"/collections/{name}", f"/collections/{name}/exists")
        if name not in self._shards and not makes:
            return _failed(404, f"Not found: Collection `{name}` doesn't exist!")
        try:
            answer: web.StreamResponse = await handler(request)
        except Exception as error:
            return _failed(400, str(error))
        return answer

    async def _exists(self, request: web.Request) -> web.Response:
        return _ok({"exists": request.match_info["name"] in self._shards})

    async def _create(self, request: web.Request) -> web.Response:
        name, vectors = request.match_info["name"], (await request.json())["vectors"]
        if name in self._shards:
            return _failed(409, f"Collection `{name}` already exists!")
        path = self._folder / name
        path.mkdir(parents=True)
        self._shards[name] = qdrant.EdgeShard.create(
            str(path),
            qdrant.EdgeConfig(
                vectors=qdrant.EdgeVectorParams(
                    size=vectors["size"], distance=getattr(qdrant.Distance, vectors["distance"])
                ),
                optimizers=qdrant.EdgeOptimizersConfig(indexing_threshold=10**9),
                max_search_threads=1,
            ),
        )
        return _ok(True)

    async def _index(self, request: web.Request) -> web.Response:
        body = await request.json()
        tenant = qdrant.KeywordIndexParams(is_tenant=body["field_schema"].get("is_tenant"))
        make = qdrant.UpdateOperation.create_field_index(body["field_name"], tenant)
        return self._update(request, make)

    async def _upsert(self, request: web.Request) -> web.Response:
        body = await request.json()
        points = [qdrant.Point(p["id"], p["vector"], p["payload"]) for p in body["points"]]
        return self._update(request, qdrant.UpdateOperation.upsert_points(points))

    async def _delete(self, request: web.Request) -> web.Response:
        body = await request.json()
        if "points" in body:
            return self._update(request, qdrant.UpdateOperation.delete_points(body["points"]))
        chosen = _filter(body["filter"])
        return self._update(request, qdrant.UpdateOperation.delete_points_by_filter(chosen))

    async def _count(self, request: web.Request) -> web.Response:
        body = await request.json()
        asked = qdrant.CountRequest(exact=body["exact"], filter=_filter(body["filter"]))
        return _ok({"count": self._shards[request.match_info["name"]].count(asked)})

    async def _query(self, request: web.Request) -> web.Response:
        body = await request.json()
        asked = qdrant.QueryRequest(
            limit=body["limit"],
            query=qdrant.Query.Nearest(body["query"]["nearest"]),
            filter=_filter(body["filter"]),
            with_payload=True,
        )
        found = self._shards[request.match_info["name"]].query(asked)
        points = [
            {"id": str(f.id), "version": f.version, "score": f.score, "payload": f.payload}
            for f in found
        ]
        return _ok({"points": points})

    def _update(self, request: web.Request, operation: Any) -> web.Response:
        self._shards[request.match_info["name"]].update(operation)
        return _ok({"operation_id": 1, "status": "completed"})


def _filter(body: dict[str, Any]) -> Any:
    return qdrant.Filter(
        must=[
            qdrant.FieldCondition(part["key"], match=qdrant.MatchAny(part["match"]["any"]))
            for part in body["must"]
        ]
    )


def _ok(result: object) -> web.Response:
    return web.Response(
        text=json.dumps({"result": result, "status": "ok", "time": 0.0}),
        content_type="application/json",
    )


def _failed(status: int, says: str) -> web.Response:
    return web.Response(
        status=status,
        text=json.dumps({"status": {"error": says}, "time": 0.0}),
        content_type="application/json",
    )
