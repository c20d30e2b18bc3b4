"""Who asks what: a team's requests, each with a number of its own by which the world knows it."""

import re
from dataclasses import dataclass

from bot.llm.simulated.chance import pick
from bot.llm.simulated.topics import TOPICS, Topic
from bot.llm.simulated.world import World

_NUMBER = re.compile(r"#(\d{6,9})\b")
_FIRST = 100_000


@dataclass(frozen=True, slots=True)
class Asked:
    """Request `number` (from 0) of a seed. `person`, `cluster` and `conversation` count from 0."""

    number: int
    person: int
    cluster: int
    conversation: int
    text: str


def asked(world: World, seed: int, number: int) -> Asked:
    conversation = number // world.runs_per_conversation
    people, clusters = world.people, world.clusters
    activity = [1.0 / (n + 1) ** people.activity for n in range(people.count)]
    person = pick(activity, seed, "person", conversation)
    cluster = pick([one.share for one in clusters], seed, "cluster", number)
    topic = topic_of(world, seed, number, cluster)
    form = topic.requests[pick([1.0] * len(topic.requests), seed, "form", number)]
    text = form.format(n=f"#{_FIRST + number}")
    return Asked(number, person, cluster, conversation, text)


def number_in(text: str) -> int | None:
    """The number of the request that a text is, or None for other texts."""
    found = _NUMBER.search(text)
    return int(found[1]) - _FIRST if found else None


def topic_of(world: World, seed: int, number: int, cluster: int) -> Topic:
    """A cluster named like a topic is about that; others are about one each, and a world with a
    single cluster is about everything."""
    by_name = {topic.name: topic for topic in TOPICS}
    if topic := by_name.get(world.clusters[cluster].name):
        return topic
    if len(world.clusters) == 1:
        return TOPICS[pick([1.0] * len(TOPICS), seed, "topic", number)]
    return TOPICS[cluster % len(TOPICS)]
