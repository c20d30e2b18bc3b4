"""What even three seeds must show, whatever luck they had: far from what is aimed at."""

from collections.abc import Mapping, Sequence

from benchmarks.loop.report import Row

_MOST_FALSE = 3.0
"""Of 20: some ten standard errors above what balanced and strict come to."""


def broken(rows: Sequence[Row], failed_jobs: Sequence[str]) -> list[str]:
    """What isn't so, in words; empty where everything is."""
    by_name: Mapping[str, Row] = {row["policy"]: row for row in rows}
    faults = [f"a job failed: {said}" for said in failed_jobs]
    for name, row in by_name.items():
        if not 0 < row["success"] < 1 or row["regret_per_1000"] < -1e-6:
            faults.append(f"{name}: success {row['success']}, regret {row['regret_per_1000']}")
    never, always = by_name.get("never"), by_name.get("always")
    if never and (never["cost"] != 1.0 or never["false_promotions_per_20"]):
        faults.append(f"never: it changed something: {never}")
    if always and always["adopted_good"] not in (None, 1.0):
        faults.append(f"always: it left good ones out: {always}")
    for name in ("strict", "balanced"):
        row = by_name.get(name, {})
        if row and row["false_promotions_per_20"] > _MOST_FALSE:
            faults.append(f"{name}: {row['false_promotions_per_20']} false promotions of 20")
        if row and never and row["regret_per_1000"] > never["regret_per_1000"] + 10:
            faults.append(f"{name}: more regret than without any change")
    return faults
