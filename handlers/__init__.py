"""Where the world comes in and replies go out: one folder per channel, one line here for each."""

from collections.abc import Mapping

from bot.kit import ChannelEntry

# The web server is last to start and first to stop: it carries the others' webhooks. The console
# belongs to whoever owns the terminal, and is made there.
CHANNELS: Mapping[str, ChannelEntry] = {
    "slack": ChannelEntry(
        "handlers.slack.channel", lambda s: s.slack_bot_token is not None or bool(s.slack_client_id)
    ),
    "telegram": ChannelEntry(
        "handlers.telegram.channel", lambda s: s.telegram_bot_token is not None
    ),
    "whatsapp": ChannelEntry("handlers.whatsapp.channel", lambda s: s.whatsapp_token is not None),
    "web": ChannelEntry("handlers.web.channel", lambda s: True),
}
