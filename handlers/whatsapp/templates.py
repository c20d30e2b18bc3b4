"""Outside the 24 hours: a reply as the parameters of a template that Meta has approved; pure."""

import re
from dataclasses import dataclass

from bot.model.message import Reply

TITLE_LIMIT = 60
TEXT_LIMIT = 700
"""With the template's own words they must stay within 1,024 characters."""
PART = 999
"""Which message of its delivery a template is: never one of the free-form ones."""

_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_MARKS = re.compile(r"[*_`#]+|\[([^\]]*)\]\([^)]*\)")


@dataclass(frozen=True, slots=True)
class Templates:
    """`digest` takes {{1}} a title and {{2}} a line; `approval` too, and has two quick replies,
    Approve and Decline, in this order."""

    digest: str = ""
    approval: str = ""
    language: str = "en"

    def body(self, reply: Reply) -> dict[str, object] | None:
        """The message without its recipient; None where no template fits."""
        decided = reply.card is not None and bool(reply.card.status)
        ways = ("/approve ", "/decline ")
        commands = [b.command for way in ways for b in reply.buttons if b.command.startswith(way)]
        ref = commands[0].split()[-1] if not decided and len(commands) == len(ways) else ""
        if ref and self.approval:
            return self._filled(self.approval, title(reply), line(reply), commands)
        if not self.digest:
            return None
        how = f" Say: approve {ref}, or decline {ref}." if ref else ""
        return self._filled(self.digest, title(reply), f"{line(reply)}{how}", [])

    def _filled(self, name: str, heading: str, text: str, payloads: list[str]) -> dict[str, object]:
        texts = [{"type": "text", "text": heading}, {"type": "text", "text": text}]
        components: list[dict[str, object]] = [{"type": "body", "parameters": texts}]
        components += [
            {
                "type": "button",
                "sub_type": "quick_reply",
                "index": str(index),
                "parameters": [{"type": "payload", "payload": payload}],
            }
            for index, payload in enumerate(payloads)
        ]
        language = {"code": self.language}
        template = {"name": name, "language": language, "components": components}
        return {"type": "template", "template": template}


def title(reply: Reply) -> str:
    return parameter(reply.card.title if reply.card else "", TITLE_LIMIT) or "Ratchet"


def line(reply: Reply) -> str:
    """The first line that says something."""
    sources = (reply.text, reply.card.body if reply.card else "")
    lines = (parameter(one, TEXT_LIMIT) for source in sources for one in source.splitlines())
    return next(filter(None, lines), "") or "Say status to see it."


def parameter(text: str, limit: int) -> str:
    """As Meta demands: no line breaks or tabs, never five spaces in a row, within a length."""
    flat = " ".join(_MARKS.sub(r"\1", _UNSEEN.sub(" ", text)).split())
    return flat if len(flat) <= limit else f"{flat[: limit - 1].rstrip()}…"
