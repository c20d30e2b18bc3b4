"""What a call costs: the user's own table first, then genai-prices; unknown is never 0."""

import importlib
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from bot.errors import ConfigError

_FORM = "expected model: {input: 0.15, cached: 0.075, output: 0.60}, US dollars per million tokens"

Pricer = Callable[[int, int, int], float | None]
"""(tokens in, tokens out, of those in: cached) → US dollars."""


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens; `cached` is for input that the provider had cached."""

    input: float
    cached: float
    output: float

    def __call__(self, tokens_in: int, tokens_out: int, cached: int) -> float:
        fresh = max(tokens_in - cached, 0)
        total = fresh * self.input + cached * self.cached + tokens_out * self.output
        return total / 1_000_000


class Prices:
    """Prices by model name, looked up once each. Nothing is ever fetched."""

    def __init__(self, table: Mapping[str, Price] | None = None, base_url: str = "") -> None:
        self._pricers: dict[str, Pricer] = dict(table or {})
        self._base_url = base_url
        self._learning = threading.Lock()

    def cost(self, model: str, tokens_in: int, tokens_out: int, cached: int = 0) -> float | None:
        """US dollars, or None where the model's price isn't known."""
        if model not in self._pricers:
            self.learn((model,))
        return self._pricers[model](tokens_in, tokens_out, min(cached, tokens_in))

    def learn(self, models: Iterable[str]) -> None:
        """Looks the models up. It takes a third of a second: see OpenAIModel.warm.

        The library's table is 24 MB and stays for good once it is imported; here it goes as soon
        as the prices are found.
        """
        with self._learning:  # a thread may be at it: see OpenAIModel.warm
            unknown = [model for model in models if model not in self._pricers]
            if unknown:
                self._look_up(unknown)

    def _look_up(self, models: Sequence[str]) -> None:
        package: Any = importlib.import_module("genai_prices")
        table: Any = importlib.import_module("genai_prices.data")
        snapshot: Any = importlib.import_module("genai_prices.data_snapshot").DataSnapshot(
            providers=table.providers, from_auto_update=False
        )
        for model in models:
            self._pricers[model] = self._listed(snapshot, model)
        del sys.modules[table.__name__], package.data

    def _listed(self, snapshot: Any, model: str) -> Pricer:
        for name, provider, url in self._guesses(model):
            try:
                found, info = snapshot.find_provider_model(name, None, provider, url)
            except LookupError:
                continue
            return _plain(info.prices) or _by_rules(info, replace(found, models=[info]))
        return _unknown

    def _guesses(self, model: str) -> list[tuple[str, str | None, str | None]]:
        """The provider behind the URL; where that is nobody known (a proxy), the name alone."""
        maker, slash, name = model.partition("/")
        guesses: list[tuple[str, str | None, str | None]] = [(model, None, None)]
        if slash:
            guesses.append((name, maker, None))
        if self._base_url:
            guesses.insert(0, (model, None, self._base_url))
        return guesses


def _unknown(tokens_in: int, tokens_out: int, cached: int) -> None:
    return None


def _plain(prices: Any) -> Price | None:
    """The usual case, one price whatever the size or the hour, without the library's 50 µs."""
    values: dict[str, Any] = getattr(prices, "__dict__", {})
    fresh, output = values.get("input_mtok"), values.get("output_mtok")
    cached = values.get("cache_read_mtok") or fresh
    listed = [p for p in (fresh, cached, output) if isinstance(p, Decimal)]
    return Price(*map(float, listed)) if len(listed) == 3 else None


def _by_rules(info: Any, provider: Any) -> Pricer:
    """Prices that depend on the size of the input or on the time: the library works them out."""
    usage = importlib.import_module("genai_prices").Usage

    def price(tokens_in: int, tokens_out: int, cached: int) -> float | None:
        used = usage(input_tokens=tokens_in, cache_read_tokens=cached, output_tokens=tokens_out)
        try:
            return float(info.calc_price(used, provider).total_price)
        except (ValueError, LookupError):
            return None

    return price


def load(path: Path | None) -> dict[str, Price]:
    """The user's table. Raises ConfigError that names the file, the entry and the form."""
    if path is None:
        return {}
    try:
        table = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(said=f"RATCHET_PRICES: can't read {path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(said=f"RATCHET_PRICES: {path} is not YAML: {error}") from error
    if not isinstance(table, dict):
        raise ConfigError(said=f"RATCHET_PRICES: {path}: {_FORM}")
    return {str(model): _entry(path, model, entry) for model, entry in table.items()}


def _entry(path: Path, model: object, entry: object) -> Price:
    where = f"RATCHET_PRICES: {path}, entry {model!r}"
    if not isinstance(entry, dict) or not {"input", "output"} <= set(entry):
        raise ConfigError(said=f"{where}: {_FORM}")
    if strange := set(entry) - {"input", "cached", "output"}:
        raise ConfigError(said=f"{where}: unknown key {min(map(str, strange))!r}; {_FORM}")
    for name, value in entry.items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not 0 <= value < float("inf"):
            raise ConfigError(said=f"{where}: {name} is {value!r}, not a price; {_FORM}")
    given = {"cached": entry["input"], **entry}
    return Price(*(float(given[name]) for name in ("input", "cached", "output")))
