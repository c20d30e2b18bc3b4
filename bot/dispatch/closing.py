"""The commit that ends a run: its last steps, its answer, its outbox row, its costs."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import structlog

from bot.errors import Conflict, Fenced, RatchetError, StorageError
from bot.model.codec import reply_to_json
from bot.model.delivery import Delivery
from bot.model.message import Reply
from bot.model.run import Outcome, Run, RunStatus, Usage
from bot.ports.clock import Clock
from bot.ports.stores import Closing, Journal
from bot.recorder import RunLog
from bot.redaction import Redactor

log = structlog.get_logger()

_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 5.0


class Closer:
    """Closes runs; a database that can't take it right now is waited for, not given up on."""

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        redactor: Redactor,
        push: Callable[[str], bool],
        leaving: Callable[[Sequence[Delivery]], None],
        recorded: Callable[[str], None],
    ) -> None:
        """`recorded` hears of each run whose costs are all in the database."""
        self._journal, self._clock, self._redactor = journal, clock, redactor
        self._push, self._leaving, self._recorded = push, leaving, recorded

    async def close(self, runlog: RunLog, reply: Reply, closing: Closing) -> Run:
        """The run as it was closed. Raises Fenced or Conflict where it isn't ours to close."""
        closing = self._whole(runlog, reply, closing)
        run = runlog.run
        writing = asyncio.ensure_future(self._write(run, closing))
        # A stop that comes now is too late: the end is being written.
        while not writing.done():
            try:
                await asyncio.shield(writing)
            except asyncio.CancelledError:
                if writing.cancelled():
                    raise
        run, closing = writing.result()
        self._recorded(run.id)
        self._leaving(closing.deliveries)
        log.info(
            "run_closed",
            run_id=run.id,
            kind=run.kind.value,
            status=closing.status.value,
            agent=run.agent,
            ms=closing.finished_at - run.created_at,
            error_type=closing.error_type,
            cause=closing.error_message,
        )
        return replace(
            run,
            status=closing.status,
            answer=closing.answer,
            reply=closing.reply,
            outcome=closing.outcome,
            error_type=closing.error_type,
            error_message=closing.error_message,
            finished_at=closing.finished_at,
        )

    def _whole(self, runlog: RunLog, reply: Reply, closing: Closing) -> Closing:
        steps, spend = runlog.take_pending()
        body = reply_to_json(reply)
        return replace(
            closing,
            finished_at=self._clock.now(),
            reply=body,
            error_message=self._redactor.text(closing.error_message),
            steps=steps,
            spend=spend,
            deliveries=self._deliveries(runlog.run, reply, body),
        )

    def _deliveries(
        self, run: Run, reply: Reply, body: Mapping[str, object]
    ) -> tuple[Delivery, ...]:
        if not self._push(run.channel):
            return ()
        card = reply.card.ref if reply.card else ""
        return (Delivery(run.id, run.workspace, run.id, run.channel, run.address, body, card=card),)

    async def _write(self, run: Run, closing: Closing) -> tuple[Run, Closing]:
        """What was written in the end."""
        pause, bare = _FIRST_PAUSE, False
        while True:
            try:
                await self._journal.close_run(run, closing)
                return run, closing
            except (Fenced, Conflict):
                raise
            except StorageError as error:
                log.warning("close_waits", run_id=run.id, cause=str(error))
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
            except RatchetError as error:
                if bare:
                    raise
                log.error("close_refused", run_id=run.id, cause=str(error))
                bare = True
                run, closing = self._bare(run, closing, error)

    def _bare(self, run: Run, closing: Closing, error: RatchetError) -> tuple[Run, Closing]:
        """An end that can be stored for a run whose own can't be."""
        reply = Reply(error.said, run.id)
        body = reply_to_json(reply)
        run = replace(run, usage=Usage(cost_usd=run.usage.cost_usd))
        return run, Closing(
            RunStatus.FAILED,
            closing.finished_at,
            reply=body,
            outcome=Outcome(0.0, "error"),
            error_type=error.kind,
            error_message=self._redactor.text(str(error)),
            spend=closing.spend,
            deliveries=self._deliveries(run, reply, body),
        )
