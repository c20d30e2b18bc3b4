"""The comparison: the same web server and model client, passing through, recording nothing."""

import argparse

import uvicorn
from fastapi import FastAPI, Request, Response
from openai import AsyncOpenAI


def app(model_url: str) -> FastAPI:
    client = AsyncOpenAI(base_url=model_url, api_key="none", max_retries=0)
    service = FastAPI()

    @service.post("/v1/chat/completions")
    async def complete(request: Request) -> Response:
        asked = await request.json()
        answer = await client.chat.completions.create(
            model="gpt-4o-mini", messages=asked["messages"]
        )
        return Response(answer.model_dump_json(), media_type="application/json")

    @service.get("/readyz")
    async def ready() -> Response:
        return Response("ready")

    return service


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--model-url", required=True)
    asked = parser.parse_args()
    uvicorn.run(
        app(asked.model_url),
        host="127.0.0.1",
        port=asked.port,
        access_log=False,
        log_level="warning",
        loop="uvloop",
        http="httptools",
    )


if __name__ == "__main__":
    main()
