"""The runs API: start, look at, watch, rate and cancel runs."""

from collections.abc import AsyncIterator, Mapping

from starlette.requests import Request
from starlette.responses import Response

from bot.model.message import Message, Sender
from bot.model.run import BEGUN_BY_SOMEONE, CLOSED, Run, RunStatus
from handlers.web import incoming, outgoing
from handlers.web.body import json_object
from handlers.web.faults import HttpFault, fault_of_run, json_response
from handlers.web.parts import Parts
from handlers.web.streams import HEARTBEAT, STOPPING, next_event, sse, sse_response

_BEAT = 10.0
_RATING_SECONDS = 30.0


class RunsApi:
    def __init__(self, parts: Parts):
        self._parts = parts

    async def start(self, request: Request) -> Response:
        """POST /v1/runs {"message", "agent"?, "conversation"?, "files"?} → 202 {"run_id", "status"}."""
        parts = self._parts
        body = await json_object(request, parts.rules.body)
        said = incoming.labels(request.headers)
        message, files = incoming.run_request(body, said, parts.workspace, parts.ids.token())
        if message.agent and not await parts.has_agent(message.agent):
            said_text = f"There is no agent {message.agent[:100]!r}; /agents lists them."
            raise HttpFault(404, "agent_not_found", said_text, param="agent")
        accepted = await parts.accept(await parts.keep(message, files))
        status = RunStatus.QUEUED
        if accepted.duplicate:
            status = (await parts.find(accepted.run_id)).status
        answer = {"run_id": accepted.run_id, "status": status.value}
        return json_response(answer, 202, {"x-ratchet-run-id": accepted.run_id})

    async def list(self, request: Request) -> Response:
        """GET /v1/runs?limit=20&conversation=: the newest first."""
        limit = request.query_params.get("limit", "20")
        if not (limit.isascii() and limit.isdigit() and 1 <= int(limit[:9]) <= 100):
            raise HttpFault(400, "bad_limit", "limit must be 1 to 100.", param="limit")
        name = incoming.checked(request.query_params.get("conversation", ""), "conversation")
        conversation = f"{incoming.API}:{name}" if name else ""
        runs = await self._parts.runs.recent(
            self._parts.workspace,
            conversation=conversation,
            kinds=BEGUN_BY_SOMEONE,
            limit=int(limit),
        )
        return json_response({"object": "list", "data": [outgoing.run_json(r) for r in runs]})

    async def show(self, request: Request) -> Response:
        """GET /v1/runs/{id}: by id or by its last 8 characters, with its steps."""
        run = await self._parts.find(request.path_params["run_id"])
        steps = await self._parts.runs.steps(self._parts.workspace, run.id)
        return json_response({**outgoing.run_json(run), "steps": outgoing.steps_json(steps)})

    async def events(self, request: Request) -> Response:
        """GET /v1/runs/{id}/events: what happened and happens, until the run is done."""
        run = await self._parts.find(request.path_params["run_id"])
        return sse_response(self._watch(run), {"x-ratchet-run-id": run.id})

    async def feedback(self, request: Request) -> Response:
        """POST /v1/runs/{id}/feedback {"rating", "text"?}: what /rate does."""
        parts = self._parts
        body = await json_object(request)
        said = incoming.labels(request.headers)
        run = await parts.find(request.path_params["run_id"])
        event_id = f"key:{said.key}" if said.key else f"call:{parts.ids.token()}"
        command = incoming.feedback_command(body, run.id)
        rating = await self._say(command, event_id)
        text = outgoing.reply_of(rating).text
        if rating.status is not RunStatus.SUCCEEDED:
            raise fault_of_run(rating, text)
        return json_response({"run_id": run.id, "feedback_run_id": rating.id, "message": text})

    async def cancel(self, request: Request) -> Response:
        """POST /v1/runs/{id}/cancel: `cancelled` is false where it was over already."""
        parts = self._parts
        run = await parts.find(request.path_params["run_id"])
        cancelled = await parts.inbox.cancel(parts.workspace, run.id)
        run = await parts.inbox.wait(parts.workspace, run.id, 2.0)
        answer = {"run_id": run.id, "cancelled": cancelled, "status": run.status.value}
        return json_response(answer)

    async def _say(self, command: str, event_id: str) -> Run:
        parts = self._parts
        message = Message(
            workspace=parts.workspace,
            channel=incoming.API,
            event_id=event_id,
            conversation=f"{incoming.API}:{event_id}",
            sender=Sender(incoming.API),
            text=command,
            address={"digest": command},
            is_button=True,
        )
        accepted = await parts.accept(message)
        return await parts.inbox.wait(parts.workspace, accepted.run_id, _RATING_SECONDS)

    async def _watch(self, run: Run) -> AsyncIterator[str]:
        """Every step once: those in the log, those that come, and those missed in between."""
        parts = self._parts
        with parts.streams.watch(run.id) as queue:
            last = -1
            for step in await parts.runs.steps(parts.workspace, run.id):
                last = step.seq
                yield _step(outgoing.step_json(step))
            run = await parts.find(run.id)
            while run.status not in CLOSED:
                event = await next_event(queue, _BEAT)
                if event is None or event.kind == "done":
                    run = await parts.inbox.wait(parts.workspace, run.id, 1.0)
                    yield HEARTBEAT
                elif event.kind == STOPPING:
                    return
                elif event.kind not in ("step", "doing"):
                    yield sse(dict(event.data), event.kind)
                elif (seq := int(str(event.data["seq"]))) > last:
                    last = seq
                    yield _step(event.data)
            for step in await parts.runs.steps(parts.workspace, run.id):
                if step.seq > last:
                    yield _step(outgoing.step_json(step))
            yield sse(outgoing.run_json(run), "done")


def _step(data: Mapping[str, object]) -> str:
    return sse(dict(data), "step", str(data["seq"]))
