"""The quick simulation: seeded, with a truth that policies don't change."""

from dataclasses import replace

from benchmarks.loop.quick import POLICIES, Policy, Quick, Seed, Tally, row

SHORT = Quick(runs=1000)


def played(policy: Policy, seed: int = 1, world: Quick = SHORT) -> Tally:
    return Seed(world, policy, seed).play()


def test_a_seed_is_always_the_same() -> None:
    balanced = POLICIES["balanced, 60 pairs"]
    assert played(balanced) == played(balanced)
    assert played(balanced) != played(balanced, seed=2)


def test_every_policy_is_offered_the_same() -> None:
    offered = [played(policy).offered for policy in POLICIES.values()]
    assert all(each == offered[0] for each in offered)
    assert sum(offered[0].values()) == 4


def test_who_knows_nothing_loses_what_the_oracle_gains() -> None:
    good = replace(SHORT, shares=(0.0, 0.0, 1.0))
    never, always = (played(POLICIES[name], world=good) for name in ("never", "always"))
    assert abs(never.success - SHORT.success) < 1e-9
    assert never.regret > 50 > always.regret == 0
    assert "| never | 0.700 |" in row("never", [never, never])
