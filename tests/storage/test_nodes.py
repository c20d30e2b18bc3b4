"""Leases: who stands, and who is declared dead by one reaper only."""

import asyncio

from storage.engine import Database
from storage.nodes import NodeStore


async def test_a_lapsed_node_is_declared_dead_once(db: Database) -> None:
    nodes = NodeStore(db)
    for name, until in (("n1", 100), ("n2", 900), ("n3", 900)):
        await nodes.register(name, host="h", pid=1, now=1, lease_until=until, version="1")
    assert await nodes.standing() == {"n1", "n2", "n3"}
    reaped = await asyncio.gather(nodes.reap("n2", 500), nodes.reap("n3", 500))
    assert sorted(reaped) == [[], ["n1"]]
    assert await nodes.standing() == {"n2", "n3"}
    assert not await nodes.renew("n1", 2000)
    assert await nodes.renew("n2", 2000)
    assert await nodes.living(1000) == 1
