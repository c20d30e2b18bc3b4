"""The OpenAI-compatible endpoints: every agent is a model, every call is a run."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from bot.model.run import CLOSED, Run
from bot.ports.channels import Accepted, Event
from handlers.web import incoming, outgoing
from handlers.web.body import json_object
from handlers.web.faults import HttpFault, fault_of_run, json_response
from handlers.web.incoming import Completion
from handlers.web.parts import Parts
from handlers.web.streams import HEARTBEAT, STOPPING, next_event, sse, sse_response

_BEAT = 10.0


class OpenAiApi:
    def __init__(self, parts: Parts):
        self._parts = parts

    async def completions(self, request: Request) -> Response:
        """POST /v1/chat/completions. The run goes on if the client leaves."""
        parts = self._parts
        body = await json_object(request, parts.rules.body)
        said = incoming.labels(request.headers)
        asked = incoming.completion(body, said, parts.workspace, parts.ids.token())
        if asked.message.agent and not await parts.has_agent(asked.message.agent):
            raise incoming.unknown_model(asked.model)
        asked = replace(asked, message=await parts.keep(asked.message, asked.files))
        if asked.stream:
            return await self._stream(asked)
        accepted = await parts.accept(asked.message)
        run = await parts.inbox.wait(parts.workspace, accepted.run_id, parts.patience)
        answer = outgoing.completion_json(_checked(run), asked.model)
        return json_response(answer, headers={"x-ratchet-run-id": run.id})

    async def models(self, request: Request) -> Response:
        return json_response({"object": "list", "data": await self._all()})

    async def model(self, request: Request) -> Response:
        wanted = request.path_params["model"]
        for model in await self._all():
            if model["id"] == wanted:
                return json_response(model)
        raise incoming.unknown_model(wanted)

    async def _all(self) -> list[dict[str, object]]:
        agents = await self._parts.agents.current(self._parts.workspace)
        names = ["ratchet", *(f"ratchet/{agent.name}" for agent in agents)]
        return [{"id": n, "object": "model", "created": 0, "owned_by": "ratchet"} for n in names]

    async def _stream(self, asked: Completion) -> Response:
        """Waits for the first sign, so that a run that fails at once gets an HTTP status."""
        accepted = await self._parts.accept(asked.message)
        chunks = self._chunks(asked, accepted)
        first = await anext(chunks)
        return sse_response(_chain(first, chunks), {"x-ratchet-run-id": accepted.run_id})

    async def _chunks(self, asked: Completion, accepted: Accepted) -> AsyncGenerator[str, None]:
        parts, run_id = self._parts, accepted.run_id
        created, sent = parts.clock.now(), ""
        with parts.streams.watch(run_id) as queue:
            run = await parts.runs.get(parts.workspace, run_id) if accepted.duplicate else None
            started = False
            while run is None or run.status not in CLOSED:
                event = await next_event(queue, _BEAT)
                if event is not None and event.kind == "delta":
                    text = str(event.data["text"])
                    delta = _delta(text, sent)
                    sent += text
                    yield sse(outgoing.chunk_json(run_id, created, asked.model, delta))
                    started = True
                elif _says_look(event):
                    run = await parts.inbox.wait(parts.workspace, run_id, 1.0)
                    if event is None:
                        yield HEARTBEAT
                        started = True
                    elif event.kind == STOPPING:
                        break
        if not started:
            _checked(run)
        for chunk_text in _ending(asked, run, run_id, created, sent):
            yield chunk_text


def _says_look(event: Event | None) -> bool:
    return event is None or event.kind in ("done", STOPPING)


def _checked(run: Run | None) -> Run:
    """The run, if it has an answer; raises HttpFault otherwise."""
    if run is None or run.status not in CLOSED:
        headers = {"x-ratchet-run-id": run.id if run else "", "x-should-retry": "false"}
        said = "No answer yet. The run goes on: GET /v1/runs/{id} shows it."
        raise HttpFault(504, "still_running", said, type="server_error", headers=headers)
    if not outgoing.answered(run):
        raise fault_of_run(run, outgoing.reply_of(run).text)
    return run


def _ending(asked: Completion, run: Run | None, run_id: str, created: int, sent: str) -> list[str]:
    """The rest of the answer, or the error that ended it, and the end of the stream."""
    try:
        closed = _checked(run)
    except HttpFault as fault:
        return [sse(fault.body()), sse("[DONE]")]
    chunks: list[dict[str, object]] = []
    rest = outgoing.rest_of(outgoing.said_by(closed), sent)
    if rest or not sent:
        chunks.append(outgoing.chunk_json(run_id, created, asked.model, _delta(rest, sent)))
    chunks.append(outgoing.chunk_json(run_id, created, asked.model, {}, "stop"))
    if asked.include_usage:
        chunks.append(outgoing.usage_chunk_json(closed, asked.model))
    return [*map(sse, chunks), sse("[DONE]")]


def _delta(text: str, sent: str) -> dict[str, str]:
    """The first delta names the role."""
    return {"content": text} if sent else {"role": "assistant", "content": text}


async def _chain(first: str, rest: AsyncGenerator[str, None]) -> AsyncIterator[str]:
    async with aclosing(rest):
        yield first
        async for chunk in rest:
            yield chunk
