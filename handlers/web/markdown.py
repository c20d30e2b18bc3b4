"""CommonMark to HTML that is safe to show: no raw HTML, no pictures from elsewhere."""

from collections.abc import MutableMapping, Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token


def _outside(
    renderer: RendererHTML,
    tokens: Sequence[Token],
    at: int,
    options: Any,
    env: MutableMapping[str, Any],
) -> str:
    """Links open beside the chat and tell the other side nothing."""
    tokens[at].attrSet("target", "_blank")
    tokens[at].attrSet("rel", "noopener noreferrer nofollow")
    return renderer.renderToken(tokens, at, options, env)


def _make() -> MarkdownIt:
    made = MarkdownIt("commonmark", {"html": False, "breaks": True})
    made.enable(["table", "strikethrough"]).disable("image")
    made.add_render_rule("link_open", _outside)
    return made


class Markdown:
    """Renders what models and people wrote."""

    def __init__(self) -> None:
        self._markdown = _make()

    def html(self, text: str) -> str:
        """Everything that the parser does not itself produce is escaped."""
        return str(self._markdown.render(text))
