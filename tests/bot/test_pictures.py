"""Pictures: whatever the numbers are, they are drawn, and nothing is cut off at the edge."""

import io

import pytest
from PIL import Image

from bot.pictures import Marks, of_days, of_versions
from bot.pictures_of_steps import MOST, Step, of_steps
from bot.ports.stores import Bucket, Span

DAY = 86_400_000
START = 20_000 * DAY


def days(number: int, runs: int = 20, scored: int = 10, usd: float = 0.25) -> list[Span]:
    return [
        Span(START + n * DAY, runs, scored * (n % 3 > 0), scored * 0.7 * (n % 3 > 0), 3, usd)
        for n in range(number)
    ]


def version(name: str, number: int, scored: int = 20) -> Bucket:
    return Bucket(name, number, 40, scored, scored * 0.8, 5, {900: 1}, 1.0, 0, 0, 0, {})


def uncut(png: bytes) -> tuple[int, int]:
    """(width, height) of a picture whose edge is empty on all sides."""
    image = Image.open(io.BytesIO(png)).convert("L")
    width, height = image.size
    for edge in (
        (0, 0, width, 3),
        (0, height - 3, width, height),
        (0, 0, 3, height),
        (width - 3, 0, width, height),
    ):
        darkest, _ = image.crop(edge).getextrema()
        assert isinstance(darkest, int | float) and darkest > 240, f"something is cut at {edge}"
    return width, height


@pytest.mark.parametrize(
    ("spans", "marks"),
    [
        ([], ()),
        (days(1), ((START, "P1"),)),
        (days(14, scored=0), ()),
        (days(28, runs=10**7, usd=123_456.789), ((START + 27 * DAY, "P123456"),)),
        (days(28), tuple((START + n * DAY // 2, f"P{n}") for n in range(40))),
        (days(53, runs=0, scored=0, usd=0.0), ((START - DAY, "P1"),)),
    ],
)
async def test_days_are_drawn(spans: list[Span], marks: Marks) -> None:
    png = await of_days("4 weeks to Fri 27 Nov", spans, marks, "Europe/Berlin")
    width, height = uncut(png)
    assert width == 920 and width <= height <= 2 * width
    assert len(png) < 200_000


@pytest.mark.parametrize(
    ("buckets", "spans"),
    [
        ([], []),
        ([version("writer", 1, scored=0)], days(1)),
        ([version("a-very-long-name-of-an-agent-indeed", 10**6)], days(30)),
        ([version("costs $5 to $9", n) for n in range(40)], days(53)),
        ([version("writer", 2)], []),
    ],
)
async def test_versions_are_drawn(buckets: list[Bucket], spans: list[Span]) -> None:
    title = "The last 365 days of a-very-long-name-of-an-agent"
    assert uncut(await of_versions(title, buckets, spans))[0] == 920


BOTH = Step("writer v3 P12", ((0.66, 61), (0.81, 58)), (1400.0, 1204.0), (0.002, 0.0021))


@pytest.mark.parametrize(
    ("steps", "panels"),
    [
        ([BOTH], 3),
        (
            [
                Step("writer v2 P1", latency=(900.0, 900.0)),
                Step("ops v9 P2", latency=(1.0, 90_000.0)),
            ],
            1,
        ),
        ([BOTH, Step("a name that is far too long v123 P123456", ((0.0, 1), (1.0, 1)))], 3),
        ([Step("free v2 P3", cost=(0.0, 0.0))], 1),
        ([BOTH] * (MOST + 30), 3),
    ],
)
async def test_steps_are_drawn(steps: list[Step], panels: int) -> None:
    width, height = uncut(await of_steps("The ratchet of $writer$", steps))
    assert width == 920 and height > 150 * panels
