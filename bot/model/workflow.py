"""A runbook in markdown, saved from a run; immutable, a change is a new version."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Workflow:
    workspace: str
    name: str
    version: int
    markdown: str
    source_run: str
    created_by: str
    created_at: int
