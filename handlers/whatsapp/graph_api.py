"""The Graph API of one WhatsApp business number, and what its refusals mean."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx

from bot.errors import ChannelError, ChannelUnavailable, DeliveryUnclear

OUTSIDE_WINDOW = 131047

_LATER = frozenset({2, 4, 80007, 130429, 131016, 131048, 131056, 131057, 133004, 133016})
"""Too many calls, a service or an account that is down for a while: certainly not shown."""
_BAD_TOKEN = frozenset({0, 190})
_HINTS = {
    10: "The token lacks the permission whatsapp_business_messaging",
    200: "The token lacks the permission whatsapp_business_messaging",
    368: "Meta has blocked this business for a while because of its policies",
    130472: "Meta holds this message back for an experiment of its own",
    130497: "This business may not write to that country",
    131005: "The token lacks the permission whatsapp_business_messaging",
    131021: "The business can't write to its own number",
    131026: "The number isn't on WhatsApp, its app is too old, or its owner blocked this business",
    131030: "A test number reaches only the numbers that are listed in API Setup",
    131031: "Meta has locked this account",
    131042: "There is a problem with the payment method of the WhatsApp account",
    131045: "The business number isn't registered",
    131047: "The person last wrote more than 24 hours ago, so only an approved template reaches them",
    131049: "Meta did not deliver it, because this person gets too many such messages",
    131050: "The person has stopped such messages in WhatsApp's own settings",
    132000: "The template takes another number of parameters: it needs {{1}} and {{2}}",
    132001: "There is no approved template of that name in that language",
    132005: "The template's text became too long",
    132007: "The template's text breaks a policy of Meta's",
    132012: "The template's parameters have another form: it needs {{1}} and {{2}}, as text",
    132015: "Meta has paused the template because of low quality",
    132016: "Meta has disabled the template",
}
_LONGEST_WAIT = 3600.0
_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


class Refusal(ChannelError):
    """The Graph API's final no, with its number."""

    def __init__(self, cause: str, code: int) -> None:
        super().__init__(cause)
        self.code = code


class ServerFault(DeliveryUnclear):
    """The Graph API says itself that it failed: most likely nothing was shown."""


class GraphApi:
    def __init__(self, token: str, graph_url: str, phone_id: str) -> None:
        self._url = f"{graph_url.rstrip('/')}/{phone_id}/messages"
        self._client = httpx.AsyncClient(
            headers={"authorization": f"Bearer {token}"},
            timeout=httpx.Timeout(20, connect=5),
            # A proxy of the environment must not stand between this process and its own machine
            trust_env=urlsplit(graph_url).hostname not in _LOOPBACK,
        )

    async def close(self) -> None:
        await self._client.aclose()

    async def post(self, body: Mapping[str, object]) -> str:
        """The message's id. Raises Refusal, ChannelUnavailable or DeliveryUnclear."""
        try:
            response = await self._client.post(self._url, json=body)
        except _UNSENT as error:
            raise ChannelUnavailable(f"{type(error).__name__}: {error}") from error
        except httpx.HTTPError as error:
            raise DeliveryUnclear(f"{type(error).__name__}: {error}") from error
        try:
            answer = response.json()
            if response.is_success:
                return str(answer["messages"][0]["id"])
            fault = answer["error"]
        except (ValueError, LookupError, TypeError) as error:
            raise _unreadable(response) from error
        raise _ours(response, fault if isinstance(fault, dict) else {})


def told(code: int, cause: str) -> str:
    """The cause with what it means, where that is known."""
    hint = _HINTS.get(code, "")
    return f"{hint} ({cause.rstrip('.')})" if hint else cause


def _unreadable(response: httpx.Response) -> ChannelError:
    cause = f"HTTP {response.status_code} with an answer I can't read"
    if response.status_code == 429:
        return ChannelUnavailable(cause, retry_after=_wait(response))
    if 400 <= response.status_code < 500:
        return Refusal(cause, 0)
    # A gateway that waited in vain doesn't know what the server did meanwhile
    known = response.status_code >= 500 and response.status_code != 504
    return ServerFault(cause) if known else DeliveryUnclear(cause)


def _ours(response: httpx.Response, fault: Mapping[str, Any]) -> ChannelError:
    status, number = response.status_code, str(fault.get("code"))
    code = int(number) if number.isascii() and number.isdigit() else -1
    cause = told(code, f"HTTP {status}, code {number}: {_words(fault)}")
    if status == 429 or code in _LATER:
        return ChannelUnavailable(cause, retry_after=_wait(response))
    if status == 401 or code in _BAD_TOKEN:
        return ChannelUnavailable(f"{cause}. Check WHATSAPP_TOKEN.")
    return ServerFault(cause) if status >= 500 else Refusal(cause, code)


def _words(fault: Mapping[str, Any]) -> str:
    data = fault.get("error_data")
    details = data.get("details") if isinstance(data, dict) else ""
    return ". ".join(str(part) for part in (fault.get("message"), details) if part)


def _wait(response: httpx.Response) -> float | None:
    """Seconds that Meta asks for; where it says nothing, each try waits longer than the last."""
    asked = response.headers.get("retry-after", "")
    return min(float(asked), _LONGEST_WAIT) if asked.isascii() and asked.isdigit() else None
