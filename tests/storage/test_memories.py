"""Memories are numbered without gaps or doubles, kept apart, and gone when forgotten."""

import asyncio

import pytest
from sqlalchemy import select

from bot.errors import Conflict
from bot.model.memory import ORG, Memory, Namespace, of_agent, of_user
from storage.engine import Database
from storage.memories import MemoryStore
from storage.tables import memories as table


def memory(id: str, text: str = "text", namespace: Namespace = ORG, workspace: str = "w") -> Memory:
    return Memory(id, workspace, 0, namespace, text, 1_780_000_000_000, "anna", "P1")


@pytest.fixture
def store(db: Database) -> MemoryStore:
    return MemoryStore(db)


async def test_many_at_once_get_each_their_own_number(store: MemoryStore) -> None:
    added = await asyncio.gather(
        *(store.add(memory(f"m{i}", workspace="wv"[i % 2]), [], "") for i in range(24))
    )

    for workspace in "wv":
        numbers = [m.number for m in added if m.workspace == workspace]
        assert sorted(numbers) == list(range(1, 13))
    assert added[0].ref.startswith("M")


async def test_the_same_id_twice_is_one_memory(store: MemoryStore) -> None:
    first = await store.add(memory("m", "first"), [1.0], "words")
    again = await store.add(memory("m", "second"), [1.0], "words")

    assert again == first and again.text == "first"
    assert await store.total("w") == 1


async def test_an_id_of_another_workspace_is_refused(store: MemoryStore) -> None:
    await store.add(memory("m"), [], "")

    with pytest.raises(Conflict):
        await store.add(memory("m", workspace="v"), [], "")
    assert await store.total("v") == 0


async def test_a_memory_is_found_by_its_number_in_any_form(store: MemoryStore) -> None:
    kept = await store.add(memory("m"), [], "")

    for ref in ("M1", "m1", " 1 "):
        assert await store.by_ref("w", ref) == kept
    for ref in ("M2", "P1", "", "M-1", "M1; DROP", "M99999999999999999999", "M¹"):
        assert await store.by_ref("w", ref) is None
    assert await store.by_ref("v", "M1") is None


async def test_namespaces_and_workspaces_stay_apart(store: MemoryStore) -> None:
    await store.add(memory("org"), [], "")
    await store.add(memory("hers", namespace=of_user("anna")), [], "")
    await store.add(memory("agent", namespace=of_agent("writer")), [], "")
    await store.add(memory("else", workspace="v"), [], "")

    assert [m.id for m in await store.list("w", [of_user("anna"), ORG])] == ["hers", "org"]
    assert await store.list("w", [of_user("ben")]) == []
    assert await store.list("w", []) == []
    assert await store.count("w", [ORG, of_user("anna")]) == 2
    assert await store.count("w", []) == 0
    assert await store.total("w") == 3
    assert {m.id for m in await store.get_many("w", ["hers", "else", "none"])} == {"hers"}


async def test_what_is_forgotten_leaves_no_text_and_its_number_stays_taken(
    store: MemoryStore, db: Database
) -> None:
    kept = await store.add(memory("m", "a secret plan"), [0.5, -0.5], "words")

    assert not await store.forget("v", "m")
    assert await store.forget("w", "m", 1_780_000_000_001)
    assert not await store.forget("w", "m")

    assert await store.by_ref("w", kept.ref) is None
    assert await store.list("w", [ORG]) == []
    assert await store.get_many("w", ["m"]) == []
    assert (await store.total("w"), await store.page("w", 0, 9)) == (0, [])
    async with db.read() as conn:
        row = (await conn.execute(select(table))).mappings().one()
    assert (row["text"], row["vector"], row["space"]) == ("", None, "")
    assert row["forgotten_at"] == 1_780_000_000_001
    assert (await store.add(memory("n"), [], "")).number == 2


async def test_pages_carry_vectors_and_their_space(store: MemoryStore) -> None:
    for i in range(5):
        await store.add(memory(f"m{i}"), [0.5, -i], "words")
    await store.add(memory("later"), [], "words")

    first = await store.page("w", 0, 4)
    rest = await store.page("w", first[-1].memory.number, 4)

    assert [s.memory.id for s in (*first, *rest)] == ["m0", "m1", "m2", "m3", "m4", "later"]
    assert (tuple(first[3].vector), first[3].space) == ((0.5, -3.0), "words")
    assert (tuple(rest[-1].vector), rest[-1].space) == ((), "")

    await store.set_vectors("w", {"later": [1.0], "m0": [0.25]}, "meanings")
    await store.set_vectors("v", {"m1": [0.0]}, "meanings")
    await store.set_vectors("w", {}, "meanings")
    spaces = {s.memory.id: (tuple(s.vector), s.space) for s in await store.page("w", 0, 9)}
    assert spaces["later"] == ((1.0,), "meanings")
    assert spaces["m0"] == ((0.25,), "meanings")
    assert spaces["m1"][1] == "words"
