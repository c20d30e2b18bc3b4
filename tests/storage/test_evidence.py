"""The run log as detectors read it: in pages, each run once, in two orders."""

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from sqlalchemy import bindparam, insert, make_url, text

from bot.model.agent import AgentVersion
from bot.model.run import Outcome, Run, RunKind, RunStatus, Step, StepKind
from bot.model.trial import SITTING_MS, Arm, Assignment
from bot.ports.stores import Closed, Closing
from storage import evidence
from storage.agents import AgentStore
from storage.engine import Database, url_of
from storage.evidence import EvidenceStore
from storage.journal import RunJournal
from storage.rows import run_row
from storage.runs import RunStore
from storage.tables import metadata, runs
from tests import databases, samples
from tests.conftest import HeldClock

W, T = "local", 1_780_000_000_000


async def keep(
    db: Database,
    run: Run,
    status: RunStatus | None = RunStatus.SUCCEEDED,
    steps: Sequence[Step] = (),
    outcome: Outcome = Outcome(),
) -> None:
    """Through the run log's own writer; `status` None leaves it open."""
    journal = RunJournal(db)
    journal.start()
    await journal.accept(run, steps)
    if status:
        await journal.close_run(run, Closing(status, run.created_at + 500, outcome=outcome))
    await journal.close()


async def test_closed_requests_come_in_pages_and_open_ones_are_named(db: Database) -> None:
    made = [samples.run(created_at=T + n) for n in range(4)]
    for run in made[:2]:
        await keep(db, run)
    await keep(db, made[2], None)
    await keep(db, made[3])
    await keep(db, samples.run(kind=RunKind.COMMAND, created_at=T))
    await keep(db, samples.run(channel="whatsapp", created_at=T))
    await keep(db, samples.run(workspace="other", created_at=T))
    store = EvidenceStore(db)
    page, waiting = await store.closed(W, Closed, "", "g", (T + 4, T + 9), 3)
    assert ([run.id for run in page], waiting) == ([made[0].id, made[1].id], [made[2].id])
    page, waiting = await store.closed(W, Closed, made[2].id, "g", (T + 4, T + 9), 3)
    assert ([run.id for run in page], waiting) == ([made[3].id], [])
    first = page[0]._replace(id=made[0].id, created_at=T, finished_at=T + 500)
    for before, young in (("g", (T + 1, T + 9)), (made[1].id, (0, 0))):
        assert await store.closed(W, Closed, "", before, young, 3) == ([first], [])
    found = await store.of_ids(W, Closed, [made[2].id, made[0].id])
    assert [run.id for run in found] == [made[0].id]


async def test_scored_runs_come_in_the_order_of_their_first_outcome(db: Database) -> None:
    one, two, three = (samples.run(created_at=T + n) for n in range(3))
    await keep(db, one)
    await keep(db, two, RunStatus.FAILED, outcome=Outcome(0.0, "error"))
    await keep(db, three)
    runs, store = RunStore(db), EvidenceStore(db)
    await runs.set_outcome(W, one.id, Outcome(1.0, "rating"), T + 9_000)
    page = await store.scored(W, Closed, (0, ""), T + 100_000, 10)
    assert [(run.id, run.y) for run in page] == [(two.id, 0.0), (one.id, 1.0)]
    after = (page[0].scored_at, page[0].id)
    assert [run.id for run in await store.scored(W, Closed, after, T + 100_000, 10)] == [one.id]
    assert await store.scored(W, Closed, after, T + 9_000, 10) == []
    # A second word changes the outcome, not when there first was one
    await runs.set_outcome(W, one.id, Outcome(0.0, "rating"), T + 50_000)
    last = (await store.scored(W, Closed, after, T + 100_000, 10))[0]
    assert (last.y, last.scored_at) == (0.0, T + 9_000)


async def test_a_path_is_the_tools_and_files_in_order(db: Database) -> None:
    one, two = samples.run(), samples.run()
    broke = Step(2, StepKind.TOOL, "http_fetch", error_type="tool", error_message="gone")
    route, file = Step(0, StepKind.ROUTE, "writer"), Step(1, StepKind.FILE, "notes.pdf")
    model, last = Step(3, StepKind.MODEL, "m"), Step(4, StepKind.TOOL, "recall")
    await keep(db, one, steps=[route, file, broke, model, last])
    await keep(db, two, steps=[route])
    store = EvidenceStore(db)
    assert await store.paths(W, one.id, two.id) == {
        one.id: "file:notes.pdf|tool:http_fetch!|tool:recall"
    }
    assert await store.paths(W, two.id, two.id) == {}
    assert await store.paths("other", one.id, two.id) == {}
    assert await store.messages(W, [one.id]) == {one.id: one.message}


async def test_a_trial_sees_its_runs_by_sitting(db: Database) -> None:
    def run(at: int, conversation: str = "chat", **changes: object) -> Run:
        given = {"trial": "t", "arm": "candidate", "propensity": 0.5, **changes}
        return samples.run(created_at=at, conversation=conversation, **given)

    early, same, later = run(T), run(T + 1_000), run(T + 1_000 + SITTING_MS, arm="incumbent")
    other = run(T, "another", person="owner")
    for one in (early, same, later, other, run(T, trial="u")):
        await keep(db, one)
    store = EvidenceStore(db)
    seen = await store.of_trial(W, "t")
    units = [one.unit for one in seen]
    assert units[0] == units[1] and len(set(units)) == 3
    assert [one.arm for one in seen] == [Arm.CANDIDATE, Arm.CANDIDATE, Arm.INCUMBENT, Arm.CANDIDATE]
    assert (seen[3].person, seen[0].latency_ms, seen[0].y) == ("owner", 500.0, None)
    assert await store.sitting(W, "chat", "t", T) == Assignment(Arm.INCUMBENT, 0.5)
    assert await store.sitting(W, "chat", "t", T + 2_000 + SITTING_MS) is None
    assert await store.sitting(W, "chat", "v", T) is None


async def test_paths_and_texts_of_some_runs_alone(db: Database) -> None:
    long = samples.run(message="m" * 900, answer="a" * 900)
    forgotten, other = samples.run(message=""), samples.run(workspace="other")
    odd = Step(1, StepKind.TOOL, "x|tool:remember", error_type="tool")
    await keep(db, long, steps=[Step(0, StepKind.TOOL, "recall"), odd])
    for run in (forgotten, other):
        await keep(db, run, steps=[Step(0, StepKind.TOOL, "recall")])
    store, ids = EvidenceStore(db), [long.id, forgotten.id, other.id]
    # No name passes for two steps
    assert await store.paths_of(W, ids) == {
        long.id: "tool:recall|tool:x/tool:remember!",
        forgotten.id: "tool:recall",
    }
    said = await store.said(W, ids)
    assert list(said) == [long.id] and said[long.id][0] == "m" * 600


async def test_some_runs_are_found_by_their_ids(tmp_path: Path) -> None:
    """SQLite would rather read the whole workspace by an index of its own choice."""
    database = Database(make_url(url_of("", tmp_path)))
    async with database.write() as conn:
        await conn.run_sync(metadata.create_all)
    of_ids = evidence._sql(evidence._OF_IDS, Closed)
    for query in (of_ids, evidence._SAID, evidence._MESSAGES):
        explain = text(f"EXPLAIN QUERY PLAN {query.text}").bindparams(
            bindparam("ids", expanding=True)
        )
        async with database.read() as conn:
            plan = (await conn.execute(explain, {"w": W, "ids": ["a", "b"]})).all()
        assert [row[-1] for row in plan] == [
            "SEARCH runs USING INDEX sqlite_autoindex_runs_1 (id=?)"
        ]
    await database.close()


async def test_the_last_answers_of_some_agents_are_found_newest_first(db: Database) -> None:
    made = [samples.run(created_at=T + n, agent="ab"[n % 2]) for n in range(4)]
    for run in made:
        await keep(db, run)
    await keep(db, samples.run(created_at=T, agent="a"), RunStatus.FAILED)
    store = EvidenceStore(db)
    found = await store.lately(W, ["b"], 9)
    assert [run.id for run in found] == [made[3].id, made[1].id]
    assert [run.id for run in await store.lately(W, [], 3)] == [r.id for r in made[:0:-1]]
    assert await store.lately("other", [], 3) == []


async def test_when_an_agent_was_last_asked_is_looked_up_by_its_versions(db: Database) -> None:
    agents = AgentStore(db, HeldClock())
    for workspace in (W, "other"):
        await agents.seed(workspace, [AgentVersion(name, 1, name, "You help.") for name in "abc"])
    await agents.deploy(W, AgentVersion("a", 2, "a", "You help well."), base=1, source="P1")
    asked = [("a", 1, T + 9), ("a", 2, T + 5), ("b", 1, T + 1)]
    for agent, version, at in asked:
        await keep(db, samples.run(agent=agent, agent_version=version, created_at=at))
    await keep(db, samples.run(agent="b", agent_version=1, created_at=T + 99, kind=RunKind.REPLAY))
    store = EvidenceStore(db)
    assert await store.last_asked(W) == {"a": T + 9, "b": T + 1}
    assert await store.last_asked("other") == {}


async def test_no_run_is_read_to_know_when_agents_were_last_asked(tmp_path: Path) -> None:
    database = databases.on_sqlite(tmp_path)
    async with database.read() as conn:
        explain = text(f"EXPLAIN QUERY PLAN {evidence._LAST_ASKED.text}")
        plan = [row[-1] for row in await conn.execute(explain, {"w": W})]
    assert any("COVERING INDEX ix_runs_agent" in line and "version=?" in line for line in plan)
    await database.close()


@pytest.mark.parametrize("order", ["asked", "scored"])
async def test_a_page_costs_the_same_however_long_the_log_is(tmp_path: Path, order: str) -> None:
    """Counted in steps of SQLite's own machine."""
    queries = {
        "asked": (evidence._CLOSED, {"after": "m", "before": "z", "limit": 10}),
        "scored": (evidence._SCORED, {"at": T, "id": "", "until": T + 9, "limit": 10}),
    }
    query, values = queries[order]
    took = []
    for earlier in (10, 1_000):
        folder = tmp_path / str(earlier)
        folder.mkdir()
        database = databases.on_sqlite(folder)
        rows = [
            run_row(samples.run(id=f"{'n' if new else 'a'}{n:05}", created_at=T))
            | {"scored_at": T + 1 if new else T - earlier + n}
            for new, count in ((False, earlier), (True, 5))
            for n in range(count)
        ]
        async with database.write() as conn:
            await conn.execute(insert(runs), rows)
        await database.close()
        took.append(_steps_of(folder / "ratchet.sqlite", evidence._sql(query, Closed).text, values))
    assert took[0] == took[1]


def _steps_of(file: Path, query: str, values: Mapping[str, object]) -> int:
    count = 0

    def counted() -> int:
        nonlocal count
        count += 1
        return 0

    conn = sqlite3.connect(file)
    conn.set_progress_handler(counted, 1)
    assert len(conn.execute(query, {"w": W, **values}).fetchall()) == 5
    conn.close()
    return count
