"""How often which stretches of steps were taken, by whom and where; a fold, bounded; pure."""

from collections.abc import Mapping
from typing import Any

from bot.improve.distinct import mark, note_all
from bot.improve.walks import Grams, Walk

MARKS, PEOPLE_MARKS = 32, 16
"""Conversations and people of each that are told apart; more are estimated."""
EXAMPLES = 5

_AGENTS, _MEMO = 8, 4096


class Taken:
    """`table` is JSON: by stretch [runs, the last (ms), marks of conversations, of people, runs by
    agent, examples, the first (ms)]. Runs that went the same way are counted together, when the
    table is asked for: a million runs take few ways."""

    def __init__(self, table: dict[str, list[Any]], most: int, grams: Grams) -> None:
        self._table, self._most, self._grams = table, most, grams
        self._cells: dict[tuple[str, str], list[list[Any]]] = {}
        self._ways: dict[tuple[str, str], list[tuple[int, Walk]]] = {}
        self._n = 0

    @property
    def table(self) -> dict[str, list[Any]]:
        self._count()
        return self._table

    def add(self, walk: Walk) -> None:
        self._n += 1
        way = walk.agent, walk.path
        runs = self._ways.get(way)
        if runs is not None:
            runs.append((self._n, walk))
            return
        if way not in self._cells:
            self._count()
            self._begin(way, walk)
        self._ways[way] = [(self._n, walk)]
        if len(self._table) > 2 * self._most:
            self._table = largest(self.table, self._most)
            self._cells.clear()

    def _begin(self, way: tuple[str, str], walk: Walk) -> None:
        if len(self._cells) >= _MEMO:
            self._cells.clear()
        self._cells[way] = [
            self._table.setdefault(gram, [0, 0, [], [], {}, [], walk.at])
            for gram in self._grams.of(walk)
        ]

    def _count(self) -> None:
        newest: dict[int, tuple[list[Any], list[tuple[int, str]]]] = {}
        for way, runs in self._ways.items():
            last_at = max(walk.at for _, walk in runs)
            talks = _marks({walk.conversation for _, walk in runs})
            askers = _marks({walk.person for _, walk in runs})
            ends = [(at, walk.run_id) for at, walk in runs[-EXAMPLES:]]
            for cell in self._cells[way]:
                cell[0] += len(runs)
                cell[1] = max(cell[1], last_at)
                note_all(cell[2], talks, MARKS)
                note_all(cell[3], askers, PEOPLE_MARKS)
                agents = cell[4]
                if way[0] in agents or len(agents) < _AGENTS:
                    agents[way[0]] = agents.get(way[0], 0) + len(runs)
                newest.setdefault(id(cell), (cell, []))[1].extend(ends)
        for cell, seen in newest.values():
            cell[5] = [*cell[5], *(run for _, run in sorted(seen))][-EXAMPLES:]
        self._ways.clear()


def _marks(names: set[str]) -> list[int]:
    return sorted(map(mark, names))


def largest(table: Mapping[str, list[Any]], most: int) -> dict[str, list[Any]]:
    """The most frequent and, of those, the newest; in the order they came in."""
    ranked = sorted(table, key=lambda gram: (-table[gram][0], -table[gram][1], gram))
    kept = set(ranked[:most])
    return {gram: cell for gram, cell in table.items() if gram in kept}
