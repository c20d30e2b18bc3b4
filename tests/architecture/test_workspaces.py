"""Nothing is read or written without saying whose it is."""

import ast

from tests.architecture.source import dotted, sources

CARRIERS = {
    "AgentVersion",
    "Closing",
    "Delivery",
    "Feedback",
    "StoredFile",
    "Finding",
    "JobState",
    "Memory",
    "Proposal",
    "Replay",
    "Run",
    "Spend",
    "Subscription",
    "Trial",
    "Workflow",
}
"""Records that name their workspace themselves."""

OF_THE_NODE = {
    "bot/ports/upkeep_stores.py": {"Upkeep"},
}
"""Ports that serve the machinery of one installation, over all of its workspaces: leases, the
outbox's sender, migrations."""


def test_every_port_method_is_scoped_by_workspace() -> None:
    loose = []
    for source in sources("bot/ports"):
        if not source.name.endswith("stores.py"):
            continue
        for kind in (n for n in source.tree.body if isinstance(n, ast.ClassDef)):
            protocol = any(dotted(base) == "Protocol" for base in kind.bases)
            if not protocol or kind.name in OF_THE_NODE.get(source.name, ()):
                continue
            loose += [
                f"{kind.name}.{method.name}"
                for method in kind.body
                if isinstance(method, ast.AsyncFunctionDef) and not _is_scoped(method)
            ]
    assert not loose, "the workspace is the first argument, or part of the record given"


def _is_scoped(method: ast.AsyncFunctionDef) -> bool:
    arguments = [a for a in method.args.args if a.arg != "self"]
    if arguments and arguments[0].arg == "workspace":
        return True
    named = {
        node.id
        for a in arguments
        if a.annotation
        for node in ast.walk(a.annotation)
        if isinstance(node, ast.Name)
    }
    return bool(named & CARRIERS)
