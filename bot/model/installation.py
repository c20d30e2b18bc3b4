"""A workspace that has installed the app by itself, beside the one the settings name."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Installation:
    """`team` is the platform's id of the workspace, `installed_by` the platform's id of the person
    who tends to it. Times are ms, UTC; `removed_at` is 0 while it is installed."""

    workspace: str
    channel: str
    team: str
    name: str = ""
    installed_by: str = ""
    installed_at: int = 0
    removed_at: int = 0
