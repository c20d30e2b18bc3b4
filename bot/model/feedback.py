"""What a person thought of a run. Data, never an instruction."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Feedback:
    """`rating` is +1, -1 or 0 (words alone). One per (run, person, source): the last one wins."""

    id: str
    workspace: str
    run_id: str
    person: str
    rating: int
    text: str
    source: str
    created_at: int
