"""The pages of an installation: pure."""

from html import escape
from string import Template

_PAGE = Template("""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>$title · Ratchet</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:15vh auto;padding:0 1rem;
color:#1f2937}a.button{display:inline-block;background:#1f2937;color:#fff;padding:.6rem 1.2rem;
border-radius:.4rem;text-decoration:none}</style></head>
<body><h1>$title</h1>
$body
</body></html>
""")

_AGAIN = '<p><a class="button" href="/slack/install">Start again</a></p>'


def _page(title: str, text: str, more: str = _AGAIN) -> str:
    return _PAGE.substitute(title=escape(title), body=f"<p>{escape(text)}</p>\n{more}")


def offer(url: str) -> str:
    button = f'<p><a class="button" href="{escape(url)}">Add to Slack</a></p>'
    text = (
        "Ratchet answers in your Slack, gets better by what your team says, and changes nothing "
        "about itself before one of you approves it. Whoever adds it becomes its owner there."
    )
    return _page("Add Ratchet to your workspace", text, button)


def refused(code: str) -> str:
    text = f"Slack said no: {code[:100]}. Nothing was added. If it says so again, tell whoever "
    return _page("Slack refused", text + "runs this Ratchet.")


def done(name: str, app: str, team: str) -> str:
    text = f"Ratchet is in {name} now. Write to it in Slack, or /invite it to a channel."
    link = ""
    if app.isalnum() and team.isalnum():
        url = f"https://slack.com/app_redirect?app={app}&team={team}"
        link = f'<p><a class="button" href="{escape(url)}">Open it in Slack</a></p>'
    return _page("Added", text, link)


STALE = _page(
    "This link is used up",
    "It was used already, or it is older than ten minutes. Nothing was added just now.",
)
OTHER_BROWSER = _page(
    "Begun in another browser",
    "Adding Ratchet has to end in the browser where it began, with cookies allowed. Nothing was "
    "added.",
)
DENIED = _page("Not added", "You said no in Slack, so nothing was added.")
UNANSWERED = _page(
    "Slack did not answer", "Slack can't be reached just now. Nothing was added; please try again."
)
WHOLE_ORG = _page(
    "Not for a whole organization",
    "Ratchet can't be installed for a whole Enterprise organization at once. Choose one workspace "
    "when Slack asks where to add it; do the same for each workspace that wants it.",
)
HOME = _page(
    "Connected already",
    "This workspace is connected by SLACK_BOT_TOKEN in Ratchet's settings. Nothing was changed.",
    "",
)
