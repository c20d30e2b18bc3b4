"""How memories are named inside an index, the same on every back end."""

import hashlib
import json
import re

TENANT = "tenant"
WORKSPACE = "workspace"
MEMORY = "memory"


def point_id(memory: str) -> str:
    """A UUID made of the memory's id: Qdrant takes no other text as an id."""
    h = hashlib.sha256(memory.encode()).hexdigest()
    return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:32]}"


def tenant(workspace: str, namespace: str) -> str:
    """One key for both, so that no filter can name a namespace without its workspace."""
    return json.dumps([workspace, namespace])


def payload(memory: str, workspace: str, namespace: str) -> dict[str, str]:
    return {MEMORY: memory, WORKSPACE: workspace, TENANT: tenant(workspace, namespace)}


def space_name(space: str, dimensions: int) -> str:
    """A folder's or collection's name; different spaces never share one."""
    digest = hashlib.sha256(space.encode()).hexdigest()[:8]
    slug = re.sub(r"[^a-z0-9]+", "-", space.lower()).strip("-")[:40]
    return f"memories-{slug}-{digest}-{dimensions}"
