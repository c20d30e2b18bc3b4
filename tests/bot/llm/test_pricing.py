"""Prices: the user's table, then the listed ones; unknown is None, never 0."""

import importlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bot.errors import ConfigError
from bot.llm import pricing
from bot.llm.pricing import Price, Prices


def test_listed_models_are_known_and_cached_input_is_cheaper() -> None:
    prices = Prices()
    full, cached = prices.cost("gpt-4o-mini", 1000, 100), prices.cost("gpt-4o-mini", 1000, 100, 900)
    assert full is not None and cached is not None and 0 < cached < full
    assert prices.cost("gpt-4o-mini", 0, 0) == 0


@pytest.mark.parametrize("model", ["gpt-4o-mini", "claude-sonnet-4-5", "gemini-2.5-pro"])
def test_agrees_with_the_library(model: str) -> None:
    from_library = importlib.import_module("genai_prices")
    used = from_library.Usage(input_tokens=5000, cache_read_tokens=1000, output_tokens=700)
    expected = float(from_library.calc_price(used, model).total_price)
    assert Prices().cost(model, 5000, 700, 1000) == pytest.approx(expected)


@pytest.mark.parametrize("url", ["", "http://127.0.0.1:11434/v1", "https://api.openai.com/v1"])
def test_an_unknown_model_is_unknown(url: str) -> None:
    assert Prices(base_url=url).cost("nobody-knows-it", 10, 10) is None


def test_behind_a_proxy_the_name_tells() -> None:
    prices = Prices(base_url="http://127.0.0.1:4000/v1")
    assert prices.cost("openai/gpt-4o-mini", 1000, 0) == prices.cost("gpt-4o-mini", 1000, 0)


def test_the_users_table_goes_first(tmp_path: Path) -> None:
    table = tmp_path / "prices.yml"
    table.write_text(
        "gpt-4o-mini: {input: 1, output: 2}\nllama3.2: {input: 0, cached: 0, output: 0}\n"
    )
    prices = Prices(pricing.load(table))
    assert prices.cost("gpt-4o-mini", 1_000_000, 1_000_000, 500_000) == 3.0
    assert prices.cost("llama3.2", 1000, 1000) == 0.0


def test_no_table_is_fine() -> None:
    assert pricing.load(None) == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- a\n- b", "expected model:"),
        ("m: 3", "entry 'm'"),
        ("m: {input: 1}", "entry 'm'"),
        ("m: {input: 1, output: cheap}", "output is 'cheap'"),
        ("m: {input: -1, output: 1}", "input is -1"),
        ("m: {input: .nan, output: 1}", "input is nan"),
        ("m: {input: true, output: 1}", "input is True"),
        ("m: {input: 1, output: 1, reasoning: 2}", "unknown key 'reasoning'"),
        ("m: {input: [", "not YAML"),
        ("", "expected model:"),
    ],
)
def test_a_malformed_table_names_file_entry_and_form(tmp_path: Path, text: str, words: str) -> None:
    table = tmp_path / "prices.yml"
    table.write_text(text)
    with pytest.raises(ConfigError) as raised:
        pricing.load(table)
    said = raised.value.said
    assert words in said and str(table) in said and "RATCHET_PRICES" in said


def test_a_table_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="can't read"):
        pricing.load(tmp_path / "none.yml")


def test_cached_tokens_never_make_a_price_negative() -> None:
    assert Prices({"m": Price(1, 0.5, 2)}).cost("m", 10, 0, 50) == pytest.approx(5e-6)


def test_many_threads_may_learn_at_once() -> None:
    """A run may ask for a price while the start is still looking prices up."""
    prices = Prices()
    names = ["gpt-4o-mini", "gpt-4o", "nobody-knows-this", "gpt-4.1-mini"] * 4
    with ThreadPoolExecutor(8) as threads:
        costs = list(threads.map(lambda name: prices.cost(name, 1000, 1000), names))
    assert [cost is None for cost in costs] == [name == "nobody-knows-this" for name in names]
