"""What a platform said about a message after it had taken it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

ReceiptStatus = Literal["accepted", "sent", "failed", "delivered", "read"]

RANK: Mapping[str, int] = {"accepted": 0, "sent": 1, "failed": 2, "delivered": 3, "read": 4}
"""A receipt only ever goes up: what is late or repeated changes nothing."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """`message_id` is the platform's. `part` is which message of the delivery it is. `at` is ms."""

    message_id: str
    delivery: str
    part: int
    status: ReceiptStatus
    at: int
    error: str = ""
