"""The run log's writer: what arrived during the last commit goes into the next one."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, bindparam, select, tuple_, update

from bot.budget import spend_rows
from bot.errors import BadInput, Conflict, Fenced, RatchetError, StorageError
from bot.model.run import OPEN, Run, RunStatus, Step
from bot.ports.channels import Accepted
from bot.ports.stores import Closing, Spend
from storage.constant import Constant, Written
from storage.engine import Database
from storage.rows import delivery_row, run_row, step_row, usage_columns
from storage.tables import outbox, runs, spend, steps

T = TypeVar("T")

_BATCH = 256


@dataclass(slots=True, eq=False)
class _Op:
    """One caller's wish; `run` is None for a free write."""

    done: "asyncio.Future[Any]"
    run: Run | None = None
    opens: bool = False
    begins: bool = False
    steps: Sequence[Step] = ()
    spend: Sequence[Spend] = ()
    closing: Closing | None = None
    free: Callable[[Connection], Any] | None = None
    result: Any = None
    refused: RatchetError | None = None


class RunJournal:
    """One writer per process. `may_write` is asked before each batch: a node that lost its lease
    must not write, and gets Fenced (its messages StorageError: the platform shall try again)."""

    def __init__(
        self, db: Database, may_write: Callable[[], Awaitable[bool]] | None = None
    ) -> None:
        self._db, self._may_write = db, may_write
        self._waiting: list[_Op] = []
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._write_forever(), name="journal")

    async def close(self) -> None:
        """Writes what is waiting, then stops."""
        if self._task is None:
            return
        while self._waiting:
            await asyncio.sleep(0)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._task = None

    async def accept(self, run: Run, steps: Sequence[Step] = ()) -> Accepted:
        accepted: Accepted = await self._submit(run=run, opens=True, steps=steps)
        return accepted

    async def begin(self, run: Run) -> None:
        await self._submit(run=run, begins=True)

    async def steps(self, run: Run, steps: Sequence[Step], spend: Sequence[Spend] = ()) -> None:
        await self._submit(run=run, steps=steps, spend=spend)

    async def close_run(self, run: Run, closing: Closing) -> None:
        await self._submit(run=run, steps=closing.steps, spend=closing.spend, closing=closing)

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Any other small write, in the same group commit."""
        result: T = await self._submit(free=work)
        return result

    async def _submit(self, **parts: Any) -> Any:
        op = _Op(asyncio.get_running_loop().create_future(), **parts)
        self._waiting.append(op)
        self._wake.set()
        return await op.done

    async def _write_forever(self) -> None:
        while True:
            await self._wake.wait()
            batch, self._waiting = self._waiting[:_BATCH], self._waiting[_BATCH:]
            if not self._waiting:
                self._wake.clear()
            await self._write(batch)

    async def _write(self, batch: Sequence[_Op]) -> None:
        if self._may_write and not await self._may_write():
            for op in batch:
                lost = "this node's lease is over"
                _settle(op, StorageError(lost) if op.opens or op.free else Fenced(lost))
            return
        try:
            await self._db.transact(lambda conn: _apply(conn, batch))
        except Exception as error:  # whatever it is: the writer itself must go on
            if len(batch) == 1:
                _settle(batch[0], _ours(batch[0], error))
                return
            # One bad wish must not harm the others: each gets a transaction of its own.
            for op in batch:
                op.refused = op.result = None
                await self._write([op])
            return
        for op in batch:
            _settle(op, op.refused)


def _ours(op: _Op, error: Exception) -> RatchetError:
    """A value that no database takes is refused: trying again would never end."""
    if isinstance(error, RatchetError):
        return error
    cause = f"can't be stored: {type(error).__name__}: {error}"
    if op.opens:
        said = "Something in that message can't be stored. Please write it another way."
        return BadInput(cause, said=said)
    return RatchetError(cause)


def _settle(op: _Op, error: Exception | None) -> None:
    if op.done.done():
        return
    if error is None:
        op.done.set_result(op.result)
    else:
        op.done.set_exception(error)


def _apply(conn: Connection, batch: Sequence[_Op]) -> None:
    _open(conn, [op for op in batch if op.opens])
    _fence(conn, [op for op in batch if op.run and not op.opens])
    going = [op for op in batch if not op.refused]
    _begin(conn, [op.run for op in going if op.begins and op.run])
    _steps(conn, [(op.run, step) for op in going if op.run for step in op.steps])
    _close(conn, [(op.run, op.closing) for op in going if op.run and op.closing])
    _spend(conn, [spent for op in going for spent in op.spend])
    for op in going:
        if op.free:
            op.result = op.free(conn)


def _adding(adding: Any) -> Any:
    return adding.on_conflict_do_update(
        index_elements=["workspace", "scope", "key", "period"],
        set_={"usd": spend.c.usd + adding.excluded.usd},
    )


# Made once: to build a statement anew takes three times as long as what the database does with it.
_OPEN = Written(lambda insert: insert(runs).on_conflict_do_nothing())
_SPEND = Written(lambda insert: _adding(insert(spend)))
_STEPS = Written(lambda insert: insert(steps))
_LEAVE = Written(lambda insert: insert(outbox))
_IDS = runs.c.id.in_(bindparam("ids", expanding=True))
_PRESENT = select(runs.c.id).where(_IDS)
_STANDING = Constant(select(runs.c.id, runs.c.attempt, runs.c.status).where(_IDS))


def _open(conn: Connection, ops: Sequence[_Op]) -> None:
    """The insert is the dedupe: an event id that is known leaves its first run as it is."""
    if not ops:
        return
    wished = {op.run.id: op for op in ops if op.run}
    rows = [run_row(op.run) for op in ops if op.run]
    if _OPEN.write(conn, rows) == len(ops):
        present = set(wished)
    else:
        known = conn.execute(_PRESENT, {"ids": list(wished)})
        present = {row.id for row in known}
    for run_id, op in wished.items():
        op.result = Accepted(run_id)
        if run_id not in present:
            op.steps = ()
    _point_to_first(conn, [op for run_id, op in wished.items() if run_id not in present])


def _point_to_first(conn: Connection, repeated: Sequence[_Op]) -> None:
    if not repeated:
        return
    key = tuple_(runs.c.workspace, runs.c.channel, runs.c.event_id)
    keys = {(op.run.workspace, op.run.channel, op.run.event_id): op for op in repeated if op.run}
    found = conn.execute(
        select(runs.c.id, runs.c.workspace, runs.c.channel, runs.c.event_id).where(key.in_(keys))
    )
    first = {(row.workspace, row.channel, row.event_id): row.id for row in found}
    for op in repeated:
        if op.run:
            event = (op.run.workspace, op.run.channel, op.run.event_id)
            op.result = Accepted(first[event], duplicate=True)


def _fence(conn: Connection, ops: Sequence[_Op]) -> None:
    """Refuses what an overtaken or finished run still wants to write."""
    if not ops:
        return
    wanted = list({op.run.id for op in ops if op.run})
    if conn.dialect.name == "sqlite":
        found = _STANDING.read(conn, {"ids": wanted})
    else:
        locked = _STANDING.query.order_by(runs.c.id).with_for_update()
        found = conn.execute(locked, {"ids": wanted}).mappings().all()
    now = {row["id"]: (row["attempt"], RunStatus(row["status"])) for row in found}
    for op in ops:
        if op.run is None:
            continue
        attempt, status = now.get(op.run.id, (0, RunStatus.FAILED))
        if attempt != op.run.attempt:
            op.refused = Fenced(f"run {op.run.id} is at attempt {attempt}, not {op.run.attempt}")
        elif status not in OPEN:
            op.refused = Conflict(f"run {op.run.id} is {status} already")


_BEGIN = (
    update(runs)
    .where(runs.c.id == bindparam("at_id"))
    .values(
        {
            name: bindparam(f"to_{name}")
            for name in (
                "status",
                "started_at",
                "agent",
                "agent_version",
                "trial",
                "arm",
                "propensity",
            )
        }
    )
)


def _begin(conn: Connection, begun: Sequence[Run]) -> None:
    if begun:
        conn.execute(
            _BEGIN,
            [
                {
                    "at_id": run.id,
                    "to_status": run.status.value,
                    "to_started_at": run.started_at,
                    "to_agent": run.agent,
                    "to_agent_version": run.agent_version,
                    "to_trial": run.trial,
                    "to_arm": run.arm,
                    "to_propensity": run.propensity,
                }
                for run in begun
            ],
        )


def _steps(conn: Connection, done: Sequence[tuple[Run, Step]]) -> None:
    if done:
        _STEPS.write(conn, [step_row(run, step) for run, step in done])


_CLOSED_COLUMNS = (
    "status",
    "finished_at",
    "latency_ms",
    "answer",
    "reply",
    "outcome",
    "outcome_source",
    "scored_at",
    "error_type",
    "error_message",
    "agent",
    "agent_version",
    "started_at",
    "tokens_in",
    "tokens_out",
    "tokens_cached",
    "cost_usd",
    "cost_known",
)

_CLOSING = (
    update(runs)
    .where(runs.c.id == bindparam("at_id"))
    .values({name: bindparam(f"to_{name}", type_=runs.c[name].type) for name in _CLOSED_COLUMNS})
)
_CLOSE = Written(lambda _: _CLOSING)


def _close(conn: Connection, closed: Sequence[tuple[Run, Closing]]) -> None:
    if not closed:
        return
    _CLOSE.write(conn, [_closed_values(run, closing) for run, closing in closed])
    leaving = [
        delivery_row(delivery, run.node, closing.finished_at)
        for run, closing in closed
        for delivery in closing.deliveries
    ]
    if leaving:
        _LEAVE.write(conn, leaving)


def _closed_values(run: Run, closing: Closing) -> dict[str, Any]:
    values = {
        "status": closing.status.value,
        "finished_at": closing.finished_at,
        "latency_ms": closing.finished_at - run.created_at,
        "answer": closing.answer,
        "reply": dict(closing.reply),
        "outcome": closing.outcome.y,
        "outcome_source": closing.outcome.source,
        "scored_at": 0 if closing.outcome.y is None else closing.finished_at,
        "error_type": closing.error_type,
        "error_message": closing.error_message,
        "agent": run.agent,
        "agent_version": run.agent_version,
        "started_at": run.started_at,
        **usage_columns(run.usage),
    }
    return {"at_id": run.id, **{f"to_{name}": value for name, value in values.items()}}


def _spend(conn: Connection, spent: Sequence[Spend]) -> None:
    """Adds to the counters; in one order everywhere, so that two nodes can't deadlock."""
    sums: dict[tuple[str, str, str, str], float] = defaultdict(float)
    for one in spent:
        for scope, key, period, usd in spend_rows(one):
            sums[one.workspace, scope, key, period] += usd
    if not sums:
        return
    _SPEND.write(
        conn,
        [
            {"workspace": w, "scope": s, "key": k, "period": p, "usd": usd}
            for (w, s, k, p), usd in sorted(sums.items())
        ],
    )
