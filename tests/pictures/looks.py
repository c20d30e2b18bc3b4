"""How each platform shows what it was sent: Slack's blocks, Telegram's HTML, WhatsApp's marks."""

import html
import re
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from markdown_it import MarkdownIt

Json = Mapping[str, Any]
_LINK = re.compile(r"&lt;(https?://[^|&]+)\|([^&]*)&gt;|<(https?://[^|>]+)\|([^>]*)>")
_EMOJI = {":eyes:": "👀"}
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")


def page(body: str, width: int) -> str:
    return f"<!doctype html><meta charset=utf-8><style>{_STYLE}</style><body style='width:{width}px'>{body}"


def slack(messages: Sequence[Json], picture: Callable[[str], bytes]) -> str:
    """A thread; each message is {"who", "text", "blocks"}. `picture` opens one of Slack's files."""
    shown = []
    for message in messages:
        blocks = message.get("blocks") or [{"type": "markdown", "text": message["text"]}]
        inside = "".join(_block(block, picture) for block in blocks)
        who = html.escape(message.get("who", "Ratchet"))
        app = "<span class=app>APP</span>" if who == "Ratchet" else ""
        face = f"<div class='face {'bot' if app else ''}'>{'R' if app else who[0]}</div>"
        shown.append(
            f"<div class=said>{face}<div class=told><b class=who>{who}</b>{app}{inside}</div></div>"
        )
    return f"<div class=slack>{''.join(shown)}</div>"


def home(view: Json, picture: Callable[[str], bytes]) -> str:
    inside = "".join(_block(block, picture) for block in view["blocks"])
    return f"<div class='slack home'>{inside}</div>"


def telegram(messages: Sequence[Json], pictures: Mapping[int, bytes]) -> str:
    """Bubbles of a chat, as the Bot API was given them: {"text" or "caption", "reply_markup"}."""
    shown = []
    for message in messages:
        mine = " mine" if message.get("mine") else ""
        png = pictures.get(message.get("message_id", 0))
        image = _image(png) if png else ""
        text = str(message.get("text") or message.get("caption") or "").replace("\n", "<br>")
        text = re.sub(r"<pre>.*?</pre>", lambda m: m[0].replace("<br>", "\n"), text, flags=re.S)
        rows = message.get("reply_markup", {}).get("inline_keyboard", [])
        keys = "".join(f"<div class=row>{''.join(map(_key, row))}</div>" for row in rows)
        shown.append(f"<div class='bubble{mine}'>{image}{text}</div><div class=keys>{keys}</div>")
    return f"<div class='phone telegram'>{''.join(shown)}</div>"


def whatsapp(messages: Sequence[Json]) -> str:
    """Bubbles of a chat, as the Graph API was given them."""
    shown = []
    for message in messages:
        mine = " mine" if message.get("mine") else ""
        keys: list[str] = []
        if message["type"] == "interactive":
            text = message["interactive"]["body"]["text"]
            keys = [b["reply"]["title"] for b in message["interactive"]["action"]["buttons"]]
        elif message["type"] == "template":
            parts = message["template"].get("components", [])
            words = [p.get("text", "") for part in parts for p in part.get("parameters", [])]
            text = "\n".join(words)
        else:
            text = message["text"]["body"]
        pressed = "".join(f"<div class=reply>↩ {html.escape(key)}</div>" for key in keys)
        shown.append(f"<div class='bubble{mine}'>{_whatsapp_text(text)}</div>{pressed}")
    return f"<div class='phone whatsapp'>{''.join(shown)}</div>"


def _block(block: Json, picture: Callable[[str], bytes]) -> str:
    match block["type"]:
        case "markdown":
            return f"<div class=md>{_MARKDOWN.render(block['text'])}</div>"
        case "header":
            return f"<div class=header>{html.escape(block['text']['text'])}</div>"
        case "divider":
            return "<hr>"
        case "section":
            return _section(block)
        case "context":
            return f"<div class=context>{''.join(_text(e) for e in block['elements'])}</div>"
        case "actions":
            return f"<div class=actions>{''.join(_button(e) for e in block['elements'])}</div>"
        case "context_actions":
            return "<div class=thumbs>👍 👎</div>"
        case "image":
            return _image(picture(block["slack_file"]["id"]))
        case "input":
            return _input(block)
        case "rich_text":
            return "".join(map(_rich, block["elements"]))
        case "task_card":
            mark = {"complete": "✓", "error": "✗"}.get(block["status"], "…")
            return f"<div class=task><b>{mark}</b> {html.escape(block['title'])}</div>"
        case kind:
            raise LookupError(f"no look for a block of type {kind}")


def _section(block: Json) -> str:
    text = f"<div>{_text(block['text'])}</div>" if block.get("text") else ""
    fields = "".join(f"<div>{_text(field)}</div>" for field in block.get("fields", ()))
    accessory = _button(block["accessory"]) if block.get("accessory") else ""
    inside = text + (f"<div class=fields>{fields}</div>" if fields else "")
    return f"<div class=section><div class=grow>{inside}</div>{accessory}</div>"


def _rich(part: Json) -> str:
    inside = "".join(_styled(element) for element in part["elements"])
    if part["type"] == "rich_text_preformatted":
        return f"<pre>{inside}</pre>"
    assert part["type"] == "rich_text_section", part["type"]
    return f"<div class=section><div>{inside}</div></div>"


def _styled(element: Json) -> str:
    text = html.escape(str(element.get("text") or element.get("url") or element.get("name") or ""))
    for style, tag in (("bold", "b"), ("italic", "i"), ("strike", "s"), ("code", "code")):
        if (element.get("style") or {}).get(style):
            text = f"<{tag}>{text}</{tag}>"
    return text.replace("\n", "<br>") if element["type"] != "text" else text


def _input(block: Json) -> str:
    value = html.escape(block["element"].get("initial_value", ""))
    label = html.escape(block["label"]["text"])
    return f"<div class=label>{label}</div><div class=input>{value}</div>"


def _key(key: Json) -> str:
    return f"<span class=key>{html.escape(key['text'])}</span>"


def _button(element: Json) -> str:
    label = html.escape(element["text"]["text"])
    return f"<span class='button {element.get('style', '')}'>{label}</span>"


def _text(value: Json) -> str:
    """Slack's mrkdwn; its own escapes of &, < and > are HTML's."""
    if value["type"] == "plain_text":
        return html.escape(value["text"])
    text = _LINK.sub(lambda m: f"<a>{m[2] or m[4]}</a>", value["text"])
    pieces = re.split(r"(```.*?```|`[^`\n]+`)", text, flags=re.S)
    for n, piece in enumerate(pieces):
        if piece.startswith("```"):
            pieces[n] = f"<pre>{piece.strip('`').strip(chr(10))}</pre>"
        elif piece.startswith("`"):
            pieces[n] = f"<code>{piece.strip('`')}</code>"
        else:
            piece = re.sub(r"(?<!\w)\*([^*\n]+)\*(?!\w)", r"<b>\1</b>", piece)
            piece = re.sub(r"(?<!\w)_([^_\n]+)_(?!\w)", r"<i>\1</i>", piece)
            pieces[n] = piece.replace("\n", "<br>")
    return "".join(pieces)


def _whatsapp_text(text: str) -> str:
    pieces = re.split(r"(```.*?```)", html.escape(text), flags=re.S)
    for n, piece in enumerate(pieces):
        if piece.startswith("```"):
            pieces[n] = f"<code class=block>{piece.strip('`').strip(chr(10))}</code>"
        else:
            piece = re.sub(r"(?<!\w)\*([^*\n]+)\*(?!\w)", r"<b>\1</b>", piece)
            pieces[n] = re.sub(r"(?<!\w)_([^_\n]+)_(?!\w)", r"<i>\1</i>", piece)
    return "".join(pieces).replace("\n", "<br>")


def _image(png: bytes) -> str:
    return f"<img src='data:image/png;base64,{b64encode(png).decode()}'>"


_STYLE = """
* { box-sizing: border-box }
body { margin: 0; background: #fff; font: 15px/1.46 "DejaVu Sans", "Noto Color Emoji", sans-serif }
.slack { padding: 14px 18px; color: #1d1c1d; font-size: 14px }
.said { display: flex; gap: 10px; margin: 6px 0 14px }
.face { width: 36px; height: 36px; border-radius: 6px; background: #cbd5e1; color: #fff;
  display: flex; align-items: center; justify-content: center; font-weight: bold; flex: none }
.face.bot { background: #2563eb }
.told { flex: 1; min-width: 0 } .who { font-size: 14px }
.app { background: #e5e5e5; font-size: 9px; padding: 1px 3px; border-radius: 2px; margin: 0 6px }
.md p { margin: 2px 0 8px } .md table { border-collapse: collapse; margin: 6px 0 }
.md td, .md th { border: 1px solid #ddd; padding: 4px 10px; text-align: left }
.header { font-size: 17px; font-weight: bold; margin: 8px 0 4px }
.section { margin: 6px 0; display: flex; gap: 12px; align-items: flex-start } .grow { flex: 1; min-width: 0 }
.fields { display: grid; grid-template-columns: 1fr 1fr; gap: 8px 16px; margin: 4px 0 }
pre { background: #f8f8f8; border: 1px solid #ddd; border-radius: 4px; padding: 8px; margin: 4px 0;
  font: 12px/1.5 "DejaVu Sans Mono", monospace; white-space: pre-wrap; overflow-wrap: anywhere }
code { background: #f8f8f8; border: 1px solid #ddd; border-radius: 3px; padding: 1px 4px;
  color: #c01343; font: 12px "DejaVu Sans Mono", monospace }
pre code { border: 0; padding: 0; color: inherit; background: none }
.context { color: #616061; font-size: 12px; margin: 6px 0 } .context > * { margin-right: 6px }
.button { display: inline-block; border: 1px solid #bbb; border-radius: 4px; padding: 4px 12px;
  font-weight: bold; font-size: 13px; margin: 2px 6px 2px 0; white-space: nowrap }
.button.primary { background: #007a5a; border-color: #007a5a; color: #fff }
.button.danger { color: #e01e5a; border-color: #e01e5a }
.task { border: 1px solid #ddd; border-radius: 8px; padding: 5px 10px; margin: 4px 0; width: fit-content;
  font-size: 13px } .task b { color: #007a5a; margin-right: 4px }
.actions { margin: 8px 0 } .thumbs { margin: 4px 0; letter-spacing: 8px }
hr { border: 0; border-top: 1px solid #ddd; margin: 10px 0 } a { color: #1264a3 }
.label { font-weight: bold; margin-top: 8px }
.input { border: 1px solid #bbb; border-radius: 4px; padding: 8px; white-space: pre-wrap }
img { max-width: 100%; display: block; border-radius: 6px; margin: 4px 0 }
.phone { padding: 12px; font-size: 14px; min-height: 60px }
.bubble { background: #fff; border-radius: 10px; padding: 8px 11px; width: fit-content;
  max-width: 94%; margin: 6px 0 2px; overflow-wrap: anywhere; box-shadow: 0 1px 1px #0002 }
.bubble.mine { margin-left: auto } .bubble p { margin: 0 }
.bubble blockquote { margin: 4px 0; padding-left: 8px; border-left: 3px solid #5da9dd }
.telegram { background: #c7dbb4 } .telegram .mine { background: #eeffde }
.keys { max-width: 94% } .row { display: flex; gap: 4px; margin: 4px 0 }
.key { flex: 1; text-align: center; background: #6f8f6299; color: #fff; border-radius: 7px;
  padding: 7px 4px; font-size: 13px }
.whatsapp { background: #efe7de } .whatsapp .mine { background: #d9fdd3 }
code.block { display: block; color: inherit; white-space: pre-wrap; border: 0; margin: 4px 0 }
.reply { background: #fff; color: #027eb5; text-align: center; border-radius: 8px; padding: 8px;
  margin: 3px 0; max-width: 94%; font-weight: 500 }
"""
