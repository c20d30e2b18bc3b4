"""The hashing embedder, and when the real model is taken instead."""

import math
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.config import Settings, load
from bot.errors import ConfigError
from bot.llm import fastembed
from bot.llm.embedders import choose_embedder
from bot.llm.fastembed import NEEDED, in_cache
from bot.llm.hashing import HashingEmbedder


def settings(tmp_path: Path, **names: str) -> Settings:
    return load({"RATCHET_HOME": str(tmp_path / "home"), **names}, folder=tmp_path)


def with_model(folder: Path) -> Path:
    """The files' names are what is looked at; the weights themselves are not part of the tests."""
    folder.mkdir(parents=True)
    for name in NEEDED:
        (folder / name).write_bytes(b"")
    return folder


def nearness(one: list[float], other: list[float]) -> float:
    return sum(x * y for x, y in zip(one, other, strict=True))


@given(st.text(max_size=200))
async def test_every_text_has_a_unit_vector(text: str) -> None:
    (vector,) = await HashingEmbedder().embed([text])
    assert len(vector) == 384
    assert math.isclose(math.fsum(x * x for x in vector), 1.0, rel_tol=1e-9)


async def test_shared_words_are_near_and_others_far() -> None:
    texts = [
        "The refund window is 30 days",
        "What is our refund window?",
        "what is our refund windw",
        "Deployments happen on Tuesdays",
    ]
    about, asked, misspelt, other = await HashingEmbedder().embed(texts)
    assert nearness(about, asked) > 0.5
    assert nearness(about, asked) > nearness(about, misspelt) > nearness(about, other) + 0.1


def test_the_same_in_every_process() -> None:
    code = (
        "import asyncio\nfrom bot.llm.hashing import HashingEmbedder\n"
        "print(sum(n * x for n, x in enumerate("
        "asyncio.run(HashingEmbedder().embed(['The refund window']))[0])))"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            check=True,
            capture_output=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": "."},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(said) == 1


def test_hashing_is_taken_where_no_model_is_present(tmp_path: Path) -> None:
    chosen = choose_embedder(settings(tmp_path), cache=tmp_path / "cache")
    assert isinstance(chosen, HashingEmbedder) and chosen.degraded


@pytest.mark.parametrize(
    "place",
    [
        "home/models/fast-all-MiniLM-L6-v2",
        "cache/fast-all-MiniLM-L6-v2",
        "cache/models--qdrant--all-MiniLM-L6-v2-onnx/snapshots/5f1b",
    ],
)
def test_a_model_in_a_cache_is_taken_where_the_package_is_there(tmp_path: Path, place: str) -> None:
    folder = with_model(tmp_path / place)
    assert folder in {in_cache(tmp_path / "home/models"), in_cache(tmp_path / "cache")}
    chosen = choose_embedder(settings(tmp_path), cache=tmp_path / "cache")
    assert chosen.degraded == (not fastembed.installed())
    assert chosen.dimensions == 384


def test_half_a_model_is_none(tmp_path: Path) -> None:
    folder = with_model(tmp_path / "cache/fast-all-MiniLM-L6-v2")
    (folder / "tokenizer.json").unlink()
    assert choose_embedder(settings(tmp_path), cache=tmp_path / "cache").degraded


def test_a_folder_that_lacks_files_is_named(tmp_path: Path) -> None:
    folder = with_model(tmp_path / "model")
    (folder / "model.onnx").unlink()
    with pytest.raises(ConfigError, match=r"RATCHET_EMBEDDING_MODEL_PATH.*lacks model\.onnx"):
        choose_embedder(settings(tmp_path, RATCHET_EMBEDDING_MODEL_PATH=str(folder)))
    with pytest.raises(ConfigError, match="is no folder"):
        choose_embedder(settings(tmp_path, RATCHET_EMBEDDING_MODEL_PATH=str(tmp_path / "gone")))


async def test_files_that_are_no_model_are_an_error_not_a_download(tmp_path: Path) -> None:
    folder = with_model(tmp_path / "model")
    named = settings(tmp_path, RATCHET_EMBEDDING_MODEL_PATH=str(folder))
    with pytest.raises(ConfigError, match=r"can't be loaded|is not installed"):
        await choose_embedder(named).embed(["hello"])
