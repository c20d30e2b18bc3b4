"""What is remembered is found again by whom it belongs to, whatever becomes of the index."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.clock import SystemIds
from bot.errors import BadInput
from bot.memory import MAX_TEXT, MemoryBank
from bot.model.memory import ORG, Memory, Namespace, of_agent, of_user
from storage.engine import Database
from storage.memories import MemoryStore
from storage.vectors import EdgeIndex
from storage.vectors.server import ServerIndex
from tests.conftest import HeldClock
from tests.fakes.embedders import WordEmbedder
from tests.fakes.qdrant_server import QdrantServer

ANNA, BEN = of_user("anna"), of_user("ben")


class House:
    """Banks over one database and one home folder, as processes started one after the other."""

    def __init__(self, db: Database, clock: HeldClock, home: Path) -> None:
        self.store, self.clock, self.home = MemoryStore(db), clock, home
        self.banks: list[MemoryBank] = []

    async def bank(self, embedder: WordEmbedder | None = None, shared: bool = False) -> MemoryBank:
        index = EdgeIndex(self.home / "vectors")
        embedder = embedder or WordEmbedder()
        bank = MemoryBank(self.store, index, embedder, self.clock, SystemIds(), shared=shared)
        await bank.open()
        self.banks.append(bank)
        return bank


@pytest.fixture
async def house(db: Database, clock: HeldClock, tmp_path: Path) -> AsyncIterator[House]:
    made = House(db, clock, tmp_path)
    yield made
    for bank in made.banks:
        await bank.close()


async def keep(bank: MemoryBank, text: str, namespace: Namespace = ORG, id: str = "") -> Memory:
    return await bank.remember("w", namespace, text, by="anna", source="run", id=id)


async def found(bank: MemoryBank, question: str, *namespaces: Namespace) -> list[str]:
    return [r.memory.text for r in await bank.recall("w", namespaces or (ORG,), question)]


async def test_what_is_remembered_is_recalled_best_first(house: House) -> None:
    bank = await house.bank()
    await keep(bank, "The deploy day is Thursday.")
    await keep(bank, "Deploys are announced in the ops channel the day before.")
    await keep(bank, "The office coffee machine is descaled on Mondays.")

    hits = await bank.recall("w", [ORG], "What day do we deploy?")

    assert hits[0].memory.text == "The deploy day is Thursday."
    assert "coffee" not in " ".join(h.memory.text for h in hits)
    assert all(0 < h.score <= 1 for h in hits)
    assert [h.score for h in hits] == sorted((h.score for h in hits), reverse=True)
    assert hits[0].memory.ref == "M1"


async def test_what_has_nothing_to_do_with_it_is_not_recalled(house: House) -> None:
    bank = await house.bank()
    for i in range(12):
        await keep(bank, f"The deploy number {i} is on the calendar of the team.")

    for question in ("What is the capital of France?", "Write a haiku", "the of and", "", " ", "?"):
        assert await found(bank, question) == []


async def test_exact_ids_and_other_forms_of_a_word_are_found(house: House) -> None:
    bank = await house.bank()
    for i in range(20):
        await keep(bank, f"Ticket OPS-{1000 + i} belongs to team {i}.")
    await keep(bank, "Shipping happens on Fridays.")
    await keep(bank, "木曜日にデプロイします。")

    assert (await found(bank, "who has OPS-1007?"))[0] == "Ticket OPS-1007 belongs to team 7."
    assert (await found(bank, "When do we ship?"))[0] == "Shipping happens on Fridays."
    assert await found(bank, "デプロイはいつですか") == ["木曜日にデプロイします。"]


async def test_an_embedder_that_knows_meaning_finds_other_words(house: House) -> None:
    wise = WordEmbedder("meanings", degraded=False, synonyms={"vacation": "holiday"})
    bank = await house.bank(wise)
    await keep(bank, "Holiday requests go to Eve.")
    await keep(bank, "Printers are on the second floor.")

    assert (await found(bank, "vacation requests?")) == ["Holiday requests go to Eve."]


async def test_a_memory_of_one_person_is_never_shown_to_another(house: House) -> None:
    bank = await house.bank()
    await keep(bank, "The door code is 4711.", ANNA)
    await keep(bank, "The writer likes short sentences.", of_agent("writer"))
    await bank.remember("v", ORG, "The door code is 9999.", by="x", source="")

    assert await found(bank, "door code", ORG, ANNA) == ["The door code is 4711."]
    assert await found(bank, "door code", ORG, BEN, of_agent("writer")) == []
    assert await bank.recall("w", [], "door code") == []
    assert await found(bank, "short sentences?", ORG, BEN) == []


async def test_the_same_id_twice_is_one_memory(house: House) -> None:
    bank = await house.bank()
    first = await keep(bank, "The deploy day is Thursday.", id="run-1")
    again = await keep(bank, "The deploy day is Thursday.", id="run-1")

    assert again == first
    assert await found(bank, "deploy day") == ["The deploy day is Thursday."]


async def test_what_is_forgotten_stays_forgotten(house: House) -> None:
    bank = await house.bank()
    memory = await keep(bank, "The deploy day is Thursday.", id="run-1")

    assert await bank.forget("w", memory)
    assert not await bank.forget("w", memory)
    assert await found(bank, "deploy day") == []
    assert not await bank.holds("w", [ORG])

    resumed = await keep(bank, "The deploy day is Thursday.", id="run-1")
    assert resumed.number == memory.number
    assert await found(bank, "deploy day") == []


async def test_secrets_are_not_remembered(house: House) -> None:
    bank = await house.bank()

    memory = await keep(bank, "The key is sk-abcdefghijklmnopqrstuvwx\0.")

    assert memory.text == "The key is [redacted: key]."


async def test_nothing_and_too_much_are_refused_with_words(house: House) -> None:
    bank = await house.bank()

    for text in ("", "  \n", "\0", "x" * (MAX_TEXT + 1)):
        with pytest.raises(BadInput) as raised:
            await keep(bank, text)
        assert "remember" in raised.value.said


async def test_an_empty_bank_asks_nobody_and_opens_nothing(house: House) -> None:
    embedder = WordEmbedder()
    bank = await house.bank(embedder)

    for _ in range(3):
        assert await found(bank, "anything", ORG, ANNA) == []
    assert embedder.calls == 0
    assert not (house.home / "vectors").exists()


async def test_emptiness_is_believed_for_seconds_where_others_write_too(house: House) -> None:
    one, other = await house.bank(shared=True), await house.bank()
    assert not await one.holds("w", [ORG])
    await house.store.add(Memory("m", "w", 0, ORG, "text", 0), [], "")
    assert not await one.holds("w", [ORG])

    house.clock.advance(4)

    assert await one.holds("w", [ORG])
    assert await other.holds("w", [ORG])
    assert not await one.holds("w", [ANNA])


async def test_a_lost_index_is_made_anew_and_nothing_is_missed_meanwhile(house: House) -> None:
    bank = await house.bank()
    for i in range(300):
        await keep(bank, f"Shelf {i} holds part number {1000 + i}.")
    await bank.close()
    for file in (f for f in (house.home / "vectors").rglob("*.json") if f.is_file()):
        file.write_text("not an index")

    later = await house.bank()
    assert (await found(later, "part number 1299"))[0] == "Shelf 299 holds part number 1299."
    await later.settled()
    assert (await found(later, "part number 1001"))[0] == "Shelf 1 holds part number 1001."
    assert await later.rebuild("w") == 300
    await later.vacuum()


async def test_a_change_of_embedder_is_a_new_space_filled_in_the_background(house: House) -> None:
    bank = await house.bank()
    await keep(bank, "Holiday requests go to Eve.")
    await bank.close()

    wise = WordEmbedder("meanings", degraded=False, synonyms={"vacation": "holiday"})
    later = await house.bank(wise)
    assert await found(later, "holiday requests") == ["Holiday requests go to Eve."]
    await later.settled()

    assert await found(later, "vacation requests") == ["Holiday requests go to Eve."]
    stored = (await house.store.page("w", 0, 9))[0]
    assert stored.space == "meanings"


async def test_a_failing_embedder_costs_no_memory(house: House) -> None:
    embedder = WordEmbedder()
    embedder.down = True
    bank = await house.bank(embedder)

    await keep(bank, "The deploy day is Thursday.")
    assert await found(bank, "deploy day?") == ["The deploy day is Thursday."]

    await bank.settled()
    embedder.down = False
    house.clock.advance(60)
    await found(bank, "deploy day?")
    await bank.settled()
    assert (await house.store.page("w", 0, 9))[0].space == "words"
    assert await found(bank, "deploy day?") == ["The deploy day is Thursday."]


async def test_a_failing_index_costs_no_memory(db: Database, tmp_path: Path) -> None:
    clock, fake = HeldClock(), QdrantServer(tmp_path)
    async with fake.running() as server:
        index = ServerIndex(server.url)
        bank = MemoryBank(MemoryStore(db), index, WordEmbedder(), clock, SystemIds())
        await bank.open()
        gone = await keep(bank, "The deploy day is Monday.")
        fake.broken = True
        await keep(bank, "The deploy day is Thursday.")
        assert await bank.forget("w", gone)
        assert await found(bank, "deploy day?") == ["The deploy day is Thursday."]
        await bank.settled()

        fake.broken = False
        clock.advance(60)
        await found(bank, "deploy day?")
        await bank.settled()

        assert await index.count("w") == 1
        assert await found(bank, "deploy day?") == ["The deploy day is Thursday."]
        await bank.close()
