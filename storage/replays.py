"""Replays: the requests chosen, each pair once, and what they came to."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from bot.model.run import RunKind, RunStatus
from bot.model.terms import SILENT
from bot.model.trial import Replayed
from bot.ports.stores import Material, Pair, Replay, Scored
from storage.constant import Row
from storage.engine import Database
from storage.tables import replay_pairs, replays, runs
from storage.upsert import insert

_OPEN = ("planned", "running")
_ENDED = (RunStatus.SUCCEEDED.value, RunStatus.FAILED.value)


class ReplayStore:
    def __init__(self, db: Database) -> None:
        self._db = db
        self._putting = insert(db, replay_pairs).on_conflict_do_nothing()

    async def material(
        self, workspace: str, agents: Sequence[str], since: int, limit: int
    ) -> Sequence[Material]:
        it = runs.c
        query = select(
            it.id,
            it.conversation,
            it.agent,
            it.created_at,
            it.message,
            it.outcome,
            it.outcome_source,
        ).where(
            it.workspace == workspace,
            it.kind == RunKind.REQUEST.value,
            it.channel.not_in(SILENT),
            it.status.in_(_ENDED),
            it.created_at >= since,
            it.agent != "",
            it.message != "",
        )
        if agents:
            query = query.where(it.agent.in_(agents))
        query = query.order_by(it.created_at.desc(), it.id.desc()).limit(limit)
        async with self._db.read() as conn:
            return [Material(*row) for row in await conn.execute(query)]

    async def add(self, replay: Replay) -> tuple[Replay, bool]:
        adding = insert(self._db, replays).values(
            id=replay.id,
            workspace=replay.workspace,
            proposal=replay.proposal,
            fingerprint=replay.fingerprint,
            status=replay.status,
            tasks=list(replay.tasks),
            created_at=replay.created_at,
            **_result(replay),
        )
        async with self._db.write() as conn:
            await conn.execute(adding.on_conflict_do_nothing())
        kept = await self.of(replay.workspace, replay.proposal, replay.fingerprint)
        if kept is None:
            raise RuntimeError(f"replay {replay.id} was not kept")
        return kept, kept.id == replay.id

    async def of(self, workspace: str, proposal: str, fingerprint: str) -> Replay | None:
        found = await self._select(
            select(replays).where(
                replays.c.workspace == workspace,
                replays.c.proposal == proposal,
                replays.c.fingerprint == fingerprint,
            )
        )
        return found[0] if found else None

    async def unfinished(self, workspace: str) -> Sequence[Replay]:
        return await self._select(
            select(replays)
            .where(replays.c.workspace == workspace, replays.c.status.in_(_OPEN))
            .order_by(replays.c.created_at, replays.c.id)
        )

    async def ended(self, workspace: str, limit: int) -> Sequence[Replay]:
        return await self._select(
            select(replays)
            .where(replays.c.workspace == workspace, replays.c.status.not_in(_OPEN))
            .order_by(replays.c.ended_at.desc(), replays.c.id.desc())
            .limit(limit)
        )

    async def put_pair(self, workspace: str, replay: str, pair: Pair, cost_usd: float) -> bool:
        row = {
            "replay": replay,
            "run_id": pair.run_id,
            "workspace": workspace,
            "incumbent": _side(pair.incumbent, pair.why),
            "candidate": _side(pair.candidate, pair.why),
        }
        paid = {"of": workspace, "called": replay, "more": cost_usd}

        def work(conn: Connection) -> bool:
            new = bool(conn.execute(self._putting, row).rowcount)
            if new:
                conn.execute(_PAY, paid)
            return new

        return await self._db.transact(work)

    async def pairs(self, workspace: str, replay: str) -> Sequence[Pair]:
        query = (
            select(replay_pairs)
            .where(replay_pairs.c.workspace == workspace, replay_pairs.c.replay == replay)
            .order_by(replay_pairs.c.run_id)
        )
        return [_pair(row) for row in await self._db.rows(query)]

    async def update(self, replay: Replay) -> None:
        changing = (
            update(replays)
            .where(replays.c.workspace == replay.workspace, replays.c.id == replay.id)
            .values(status=replay.status, **_result(replay))
        )
        await self._db.change(changing)

    async def _select(self, query: Any) -> Sequence[Replay]:
        return [_replay(row) for row in await self._db.rows(query)]


_PAY = (
    update(replays)
    .where(replays.c.workspace == bindparam("of"), replays.c.id == bindparam("called"))
    .values(cost_usd=replays.c.cost_usd + bindparam("more"))
)


def _result(replay: Replay) -> dict[str, Any]:
    return {
        "result": asdict(replay.result) if replay.result else None,
        "reason": replay.reason,
        "ended_at": replay.ended_at,
    }


def _replay(row: Row) -> Replay:
    return Replay(
        id=row["id"],
        workspace=row["workspace"],
        proposal=row["proposal"],
        fingerprint=row["fingerprint"],
        status=row["status"],
        tasks=tuple(row["tasks"] or ()),
        created_at=row["created_at"],
        result=Replayed(**row["result"]) if row["result"] else None,
        reason=row["reason"],
        cost_usd=row["cost_usd"],
        ended_at=row["ended_at"],
    )


def _side(side: Scored | None, why: str) -> dict[str, Any]:
    return asdict(side) if side else {"why": why}


def _pair(row: Row) -> Pair:
    sides = [row["incumbent"] or {}, row["candidate"] or {}]
    why = next((str(side["why"]) for side in sides if "why" in side), "")
    incumbent, candidate = (None if "why" in side else Scored(**side) for side in sides)
    return Pair(row["run_id"], incumbent, candidate, why)
