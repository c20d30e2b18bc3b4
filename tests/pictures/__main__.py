"""`make pictures`: plays a day, and pictures what each platform was sent into docs/pictures."""

import argparse
import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.pictures import looks, scene
from tests.pictures.camera import chromium

_PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
_WIDE, _PHONE = 640, 380


async def _all(target: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="ratchet-pictures-") as made:
        folder = Path(made)
        async with chromium(folder) as tab:
            album = await scene.play(folder, tab, target)
            for name, body, width in _bodies(album):
                await tab.show(looks.page(body, width), width)
                await tab.photograph(target / f"{name}.png")
    for path in sorted(target.glob("*.png")):
        print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB", flush=True)


def _bodies(album: scene.Album) -> Iterator[tuple[str, str, int]]:
    def opened(file_id: str) -> bytes:
        return bytes(album.files[file_id].content or b"")

    for name, messages in album.slack.items():
        yield name, looks.slack(messages, opened), _WIDE
    for name, view in album.homes.items():
        yield name, looks.home(view, opened), _WIDE
    for name, messages in album.telegram.items():
        yield name, looks.telegram(messages, {}), _PHONE
    for name, messages in album.whatsapp.items():
        yield name, looks.whatsapp(messages), _PHONE


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--into", type=Path, default=_PICTURES)
    target = parser.parse_args().into
    target.mkdir(parents=True, exist_ok=True)
    asyncio.run(_all(target))


if __name__ == "__main__":
    main()
