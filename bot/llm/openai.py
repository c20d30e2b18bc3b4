"""Any OpenAI-compatible endpoint, through the openai client."""

import asyncio
import importlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from bot.errors import ConfigError, ModelError
from bot.llm import faults, resilience, tokens, wire
from bot.llm.pricing import Prices
from bot.model.chat import ModelReply, ModelRequest
from bot.model.run import Usage
from bot.ports.clock import Clock, Ids
from bot.ports.models import OnDelta

DEFAULT_URL = "https://api.openai.com/v1"

# The client insists on a key; servers without keys (Ollama, vLLM) ignore what they get.
_NO_KEY = "none"

_PATH = "/chat/completions"

_NEVER_SENT = ("ConnectError", "ConnectTimeout", "PoolTimeout", "UnsupportedProtocol")


class OpenAIModel:
    """Retries what fails for now, then tries the fallbacks in order.

    The client's own typed calls take 0.9 ms of CPU, 1.5 ms streamed; its plain `post` with the
    JSON left as it is takes half of that.
    """

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str | None,
        model: str,
        fallbacks: tuple[str, ...],
        timeout: float,
        retries: int,
        prices: Prices,
        clock: Clock,
        ids: Ids,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        if api_key and not (api_key.isascii() and api_key.isprintable() and " " not in api_key):
            raise ConfigError(said="OPENAI_API_KEY: expected letters, digits and signs, no spaces")
        self._base_url, self._api_key = base_url or DEFAULT_URL, api_key or _NO_KEY
        self._model, self._fallbacks = model, fallbacks
        self._timeout, self._prices, self._clock = timeout, prices, clock
        self._patience = resilience.Patience(
            retries, lambda: int(ids.token(2), 16) / 65536, sleep=sleep
        )
        self._avoid: dict[str, frozenset[str]] = {}
        self._warming = asyncio.Lock()
        self._sdk: Any = None
        self._client: Any = None

    @property
    def default(self) -> str:
        return self._model

    async def warm(self) -> None:
        """Imports the client (0.8 s) and the prices (0.5 s) in a thread; repeating it is free."""
        if self._client is not None:
            return
        async with self._warming:
            if self._client is None:
                self._sdk, self._client = await asyncio.to_thread(self._connect)

    def _connect(self) -> tuple[Any, Any]:
        sdk = importlib.import_module("openai")
        try:
            client = sdk.AsyncOpenAI(
                base_url=self._base_url, api_key=self._api_key, timeout=self._timeout, max_retries=0
            )
        except Exception as error:
            said = f"OPENAI_BASE_URL: {self._base_url!r} can't be used: {error}"
            raise ConfigError(said=said) from error
        self._prices.learn((self._model, *self._fallbacks))
        return sdk, client

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()
            self._client = None

    def estimate(self, request: ModelRequest) -> Usage:
        """A third above the estimated input, and all the output that is allowed."""
        tokens_in = tokens.of_request(request) * 4 // 3
        own, *others = (
            self._prices.cost(model, tokens_in, request.max_tokens)
            for model in self._names(request)
        )
        most = None if own is None else max(own, *(c for c in others if c is not None), 0.0)
        return Usage(tokens_in, request.max_tokens, 0, most, estimated=True)

    def _names(self, request: ModelRequest) -> list[str]:
        return list(dict.fromkeys((request.model or self._model, *self._fallbacks)))

    async def complete(self, request: ModelRequest, on_delta: OnDelta | None = None) -> ModelReply:
        if self._client is None:
            await self.warm()
        call = _Call(request, resilience.Shown(on_delta) if on_delta else None)
        failure = ModelError("no model is named", said="Please set RATCHET_MODEL.")
        for model in self._names(request):
            try:
                return await self._patience.persist(partial(self._attempt, call, model))
            except ModelError as error:
                failure = error
                if not (error.retry or isinstance(error, faults.NoSuchModel)):
                    break
        failure.usage = call.spent
        raise failure

    async def _attempt(self, call: "_Call", model: str) -> ModelReply:
        """One request. What it cost is added to the call, however it ends."""
        received = wire.Received(call.request, model)
        try:
            async with asyncio.timeout(self._timeout):
                await self._receive(call, model, received)
            _check(received, call)
        except (ModelError, wire.Garbled, ValueError, TimeoutError, self._sdk.OpenAIError) as error:
            if _was_worked_on(error):
                call.spent += self._priced(received, model)
            raise self._translated(error, model, received) from error
        except asyncio.CancelledError as stopped:
            # Stopped by a person or a limit: what has come so far is paid for all the same.
            vars(stopped)["usage"] = call.spent + self._priced(received, model)
            raise
        call.spent += self._priced(received, model)
        return received.reply(call.spent)

    async def _receive(self, call: "_Call", model: str, received: wire.Received) -> None:
        """Sends the request, again without a parameter that this server turns out to refuse."""
        while True:
            avoid = self._avoid.get(model, frozenset())
            sent = wire.body(call.request, model, stream=call.shown is not None, avoid=avoid)
            try:
                await self._exchange(call, sent, received)
                return
            except self._sdk.APIStatusError as error:
                param = getattr(error, "param", None) or ""
                refused = faults.refused_parameter(error.status_code, str(error), param, sent)
                if not refused:
                    raise
                self._avoid[model] = avoid | {refused}

    async def _exchange(self, call: "_Call", sent: wire.Json, received: wire.Received) -> None:
        if call.shown is None:
            received.take(await self._client.post(_PATH, cast_to=object, body=sent))
            return
        call.shown.restart()
        stream = await self._client.post(
            _PATH, cast_to=object, body=sent, stream=True, stream_cls=self._sdk.AsyncStream[object]
        )
        async for chunk in stream:
            if text := received.take(chunk):
                call.shown(text)

    def _priced(self, received: wire.Received, model: str) -> Usage:
        counts = received.counts()
        of = counts.tokens_in, counts.tokens_out, counts.tokens_cached
        cost = self._prices.cost(model, *of)
        if cost is None and received.model != model:
            cost = self._prices.cost(received.model, *of)
        return replace(counts, cost_usd=cost)

    def _translated(self, error: Exception, model: str, received: wire.Received) -> ModelError:
        sdk = self._sdk
        if isinstance(error, ModelError):
            return error
        if isinstance(error, TimeoutError | sdk.APITimeoutError):
            return faults.timed_out(model, self._timeout)
        if isinstance(error, sdk.APIStatusError):
            code, told = str(error.code or ""), error.message or str(error)
            wait = resilience.retry_after(error.response.headers, self._clock.now())
            return faults.of_status(error.status_code, code, told, model=model, wait=wait)
        if isinstance(error, sdk.APIConnectionError):
            cause = f"{error}: {error.__cause__!r}"
            if received.text or _was_worked_on(error):
                return faults.broke_off(model, cause)
            return faults.unreachable(model, cause)
        if isinstance(error, sdk.APIError):
            return faults.in_stream(model, str(error.code or ""), error.message)
        return faults.garbled(model, f"{type(error).__name__}: {error}")


@dataclass(slots=True)
class _Call:
    """One `complete` over its attempts: what a person has seen, what it has cost so far."""

    request: ModelRequest
    shown: resilience.Shown | None
    spent: Usage = Usage()


def _check(received: wire.Received, call: _Call) -> None:
    """Raises unless there is something that can be used."""
    model, finish = received.model, received.finish_reason
    if not received.choices:
        raise faults.empty(model)
    if call.shown is not None and not finish:
        raise faults.broke_off(model, "the stream ended without a finish_reason")
    if finish == "content_filter":
        raise faults.filtered("finish_reason content_filter")
    if not received.text.strip() and not received.calls:
        if finish == "length":
            raise faults.used_up(model, call.request.max_tokens)
        raise faults.empty(model)


def _was_worked_on(error: Exception) -> bool:
    """Whether a model may have begun to answer, so that the call is on the bill: not where the
    server said an HTTP status, was not reached, or closed the connection without a response."""
    cause = error.__cause__
    if hasattr(error, "status_code") or type(cause).__name__ in _NEVER_SENT:
        return False
    # httpx2 says "peer closed connection without sending complete message body" once there was a
    # response, and ReadError or "Server disconnected without sending a response" before.
    lost = type(error).__name__ == "APIConnectionError"
    return not lost or "message body" in str(cause)
