"""Files are saved where they belong, and never through a link."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.files.saving import Saving
from bot.model.file import StoredFile
from storage.engine import Database
from storage.files import FileStore

FILE = StoredFile("f1", "local", "0190-run-12345678", "../a.csv", "text/csv", b"1,2\n", "out", 1)


async def test_a_file_is_written_for_its_owner_alone(db: Database, tmp_path: Path) -> None:
    store = FileStore(db)
    await store.put(FILE)
    saving = Saving(store, tmp_path / "files")
    path = Path(await saving.save("local", "f1"))
    assert path == tmp_path / "files" / "12345678" / "a.csv" and path.read_bytes() == b"1,2\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert await saving.save("local", "f1") == str(path)
    assert await saving.save("other", "f1") == ""


async def test_a_link_is_not_followed(db: Database, tmp_path: Path) -> None:
    store, target = FileStore(db), tmp_path / "precious"
    target.write_text("mine")
    await store.put(replace(FILE, id="f2"))
    folder = tmp_path / "files" / "12345678"
    folder.mkdir(parents=True)
    (folder / "a.csv").symlink_to(target)
    with pytest.raises(OSError):
        await Saving(store, tmp_path / "files").save("local", "f2")
    assert target.read_text() == "mine"
