"""Every vector index, embedded or on a server, keeps the same promises."""

import math
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.errors import StorageError
from bot.model.memory import ORG, Namespace, of_agent, of_user
from bot.ports.vectors import Point, VectorIndex
from storage.vectors import EdgeIndex, choose
from storage.vectors.server import ServerIndex
from tests.fakes.qdrant_server import QdrantServer

ANNA, BEN = of_user("anna"), of_user("ben")
SIZE = 16


def unit(seed: int) -> list[float]:
    chance = random.Random(seed)
    raw = [chance.gauss(0, 1) for _ in range(SIZE)]
    length = math.sqrt(sum(x * x for x in raw))
    return [x / length for x in raw]


def point(id: str, seed: int, namespace: Namespace = ORG, workspace: str = "w") -> Point:
    return Point(id, workspace, namespace, unit(seed))


@pytest.fixture(params=["edge", "server"])
async def index(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[VectorIndex]:
    if request.param == "edge":
        edge = EdgeIndex(tmp_path / "vectors")
        await edge.open("words", SIZE)
        yield edge
        await edge.close()
        return
    async with QdrantServer(tmp_path / "server").running() as server:
        client = ServerIndex(server.url)
        await client.open("words", SIZE)
        yield client
        await client.close()


async def ids(
    index: VectorIndex, namespaces: list[Namespace], seed: int = 0, workspace: str = "w"
) -> list[str]:
    return [id for id, _ in await index.search(workspace, namespaces, unit(seed), 10)]


async def test_a_space_nobody_wrote_to_is_empty(index: VectorIndex) -> None:
    assert await index.search("w", [ORG], unit(0), 5) == []
    assert await index.count("w") == 0
    await index.drop(["nothing"])
    await index.clear("w")
    await index.vacuum()


async def test_the_nearest_come_first_with_their_cosine(index: VectorIndex) -> None:
    points = [point(f"m{i}", i) for i in range(20)]
    await index.put(points)

    found = await index.search("w", [ORG], unit(7), 5)

    by_hand = {p.id: sum(a * b for a, b in zip(p.vector, unit(7), strict=True)) for p in points}
    best = sorted(by_hand, key=lambda id: -by_hand[id])[:5]
    assert [id for id, _ in found] == best
    assert [s for _, s in found] == pytest.approx([by_hand[id] for id in best], abs=1e-4)


async def test_a_memory_of_one_person_is_never_found_for_another(index: VectorIndex) -> None:
    await index.put([point("hers", 0, ANNA), point("his", 0, BEN), point("all", 0)])

    assert sorted(await ids(index, [ORG, ANNA])) == ["all", "hers"]
    assert await ids(index, [BEN]) == ["his"]
    assert await ids(index, [of_user("cleo")]) == []
    assert await ids(index, []) == []


async def test_a_workspace_never_sees_another_ones_memories(index: VectorIndex) -> None:
    await index.put([point("ours", 0), point("theirs", 0, workspace="v")])

    assert await ids(index, [ORG]) == ["ours"]
    assert await ids(index, [ORG], workspace="v") == ["theirs"]
    assert (await index.count("w"), await index.count("v"), await index.count("x")) == (1, 1, 0)


async def test_names_made_to_look_like_others_stay_apart(index: VectorIndex) -> None:
    await index.put([point("a", 0, Namespace('x", "org'), "w"), point("b", 0, ORG, 'w", "x')])

    assert await ids(index, [ORG]) == []
    assert await ids(index, [Namespace('x", "org')]) == ["a"]


async def test_the_same_id_twice_is_one_point_and_the_last_counts(index: VectorIndex) -> None:
    await index.put([point("m", 0)])
    await index.put([point("m", 5, of_agent("writer"))])

    assert await index.count("w") == 1
    assert await ids(index, [ORG]) == []
    assert await ids(index, [of_agent("writer")]) == ["m"]


async def test_what_is_dropped_or_cleared_is_gone(index: VectorIndex) -> None:
    await index.put([point("a", 1), point("b", 2), point("c", 3, workspace="v")])

    await index.drop(["a", "never there"])
    assert await ids(index, [ORG]) == ["b"]

    await index.clear("w")
    assert (await index.count("w"), await index.count("v")) == (0, 1)


async def test_spaces_of_different_embedders_never_mix(index: VectorIndex) -> None:
    await index.put([point("m", 0)])

    await index.open("meanings", SIZE)
    assert await ids(index, [ORG]) == []

    await index.open("words", SIZE)
    assert await ids(index, [ORG]) == ["m"]


async def test_any_text_is_an_id(index: VectorIndex) -> None:
    strange = ["0191F3A4-7B2C-7123-8123-0123456789AB", "p:12/ü", "7"]
    await index.put([point(id, n) for n, id in enumerate(strange)])

    assert sorted(await ids(index, [ORG])) == sorted(strange)


async def test_many_points_at_once_and_upkeep(index: VectorIndex) -> None:
    await index.put([point(f"m{i}", i, of_user(str(i % 7))) for i in range(700)])
    await index.vacuum()

    assert await index.count("w") == 700
    assert len(await index.search("w", [of_user("3")], unit(0), 1_000)) == 100


async def test_a_vector_of_the_wrong_size_is_an_error_of_ours(index: VectorIndex) -> None:
    await index.put([point("m", 0)])

    with pytest.raises(StorageError):
        await index.put([Point("n", "w", ORG, [1.0, 0.0])])
    assert await index.count("w") == 1


async def test_the_embedded_index_survives_a_restart(tmp_path: Path) -> None:
    first = EdgeIndex(tmp_path)
    await first.open("words", SIZE)
    await first.put([point("m", 0)])
    await first.close()

    second = EdgeIndex(tmp_path)
    await second.open("words", SIZE)
    assert await ids(second, [ORG]) == ["m"]
    await second.close()


async def test_the_embedded_index_touches_nothing_until_it_is_used(tmp_path: Path) -> None:
    index = choose(tmp_path)
    await index.open("words", SIZE)

    assert await ids(index, [ORG]) == []
    assert list(tmp_path.iterdir()) == []
    await index.close()


async def test_an_embedded_index_that_is_held_says_so_and_stays_whole(tmp_path: Path) -> None:
    holder, late = EdgeIndex(tmp_path), EdgeIndex(tmp_path)
    for index in (holder, late):
        await index.open("words", SIZE)
    await holder.put([point("m", 0)])

    with pytest.raises(StorageError) as raised:
        await late.count("w")

    assert "QDRANT_URL" in raised.value.said
    assert await holder.count("w") == 1
    await late.close()
    await holder.close()


async def test_an_unreadable_embedded_index_starts_anew(tmp_path: Path) -> None:
    first = EdgeIndex(tmp_path)
    await first.open("words", SIZE)
    await first.put([point("m", 0)])
    await first.close()
    for file in (f for f in tmp_path.rglob("*.json") if f.is_file()):
        file.write_bytes(b"\0garbage")

    second = EdgeIndex(tmp_path)
    await second.open("words", SIZE)
    assert await second.count("w") == 0
    await second.put([point("m", 0)])
    assert await ids(second, [ORG]) == ["m"]
    await second.close()


async def test_a_server_that_fails_or_is_gone_is_a_storage_error(tmp_path: Path) -> None:
    fake = QdrantServer(tmp_path)
    async with fake.running() as server:
        index = choose(tmp_path, server.url)
        await index.open("words", SIZE)
        await index.put([point("m", 0)])
        fake.broken = True
        with pytest.raises(StorageError) as raised:
            await index.search("w", [ORG], unit(0), 3)
        assert raised.value.retry and "QDRANT_URL" in raised.value.said
    with pytest.raises(StorageError):
        await index.put([point("n", 1)])
    await index.close()
