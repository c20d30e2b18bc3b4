"""The settings: read once, checked whole, before anything starts."""

import difflib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from bot import env_file, forms
from bot.errors import ConfigError

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_PLATFORMS = ("SLACK_", "TELEGRAM_", "WHATSAPP_", "OPENAI_")
_A_SLIP = 0.9
_EXPECTED = {
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_parsing": "a number",
    "bool_parsing": "true or false",
}


def _named(default: Any, env: str, says: str, **rules: Any) -> Any:
    return Field(default, validation_alias=env, description=says, **rules)


class Settings(BaseSettings):
    """Every setting, with its environment name. An empty value is the same as none."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", frozen=True)

    home: Path = _named(Path(".ratchet"), "RATCHET_HOME", "Folder that holds all data.")
    host: str = _named("127.0.0.1", "RATCHET_HOST", "Address the web server listens on.")
    port: int = _named(
        8420, "RATCHET_PORT", "Port of the web server; 0 takes a free one.", ge=0, le=65535
    )
    api_key: forms.HeaderKey | None = _named(
        None, "RATCHET_API_KEY", "Key for the HTTP API; on loopback one is generated if unset."
    )
    database_url: forms.DatabaseUrl = _named(
        "",
        "RATCHET_DATABASE_URL",
        "sqlite:///file or postgresql://user@host/db; default: SQLite in RATCHET_HOME.",
    )
    qdrant_url: forms.Url = _named("", "QDRANT_URL", "A Qdrant server; default: embedded vectors.")
    qdrant_api_key: SecretStr | None = _named(None, "QDRANT_API_KEY", "Key of the Qdrant server.")
    log_level: str = _named(
        "info",
        "RATCHET_LOG_LEVEL",
        "debug, info, warning or error.",
        pattern="^(debug|info|warning|error)$",
    )

    model: str = _named("gpt-4o-mini", "RATCHET_MODEL", "Model used where an agent names none.")
    fallback_models: str = _named(
        "", "RATCHET_FALLBACK_MODELS", "Comma-separated models tried when the first fails."
    )
    openai_base_url: forms.Url = _named(
        "", "OPENAI_BASE_URL", "Any OpenAI-compatible endpoint, ending in /v1."
    )
    openai_api_key: SecretStr | None = _named(None, "OPENAI_API_KEY", "Key of that endpoint.")
    model_timeout: float = _named(
        60.0, "RATCHET_MODEL_TIMEOUT", "Seconds one model call may take.", gt=0, le=86_400
    )
    model_retries: int = _named(
        3, "RATCHET_MODEL_RETRIES", "Retries of a model call on 429 and 5xx.", ge=0, le=10
    )
    model_concurrency: int = _named(
        32,
        "RATCHET_MODEL_CONCURRENCY",
        "Model calls in flight; the rest wait in order.",
        ge=1,
        le=10_000,
    )
    prices: Path | None = _named(
        None,
        "RATCHET_PRICES",
        "YAML table: model name to {input, cached, output} in US dollars per million tokens.",
    )
    embedding_model_path: Path | None = _named(
        None, "RATCHET_EMBEDDING_MODEL_PATH", "Folder of a fastembed model; default: its cache."
    )
    route_with_model: bool = _named(
        False, "RATCHET_ROUTE_WITH_MODEL", "Let a model call choose the agent when words do not."
    )

    message_expiry: int = _named(
        900,
        "RATCHET_MESSAGE_EXPIRY",
        "Seconds after which a waiting message gets an apology and a button, not an answer.",
        ge=1,
        le=31_536_000,
    )
    max_message_chars: int = _named(
        100_000,
        "RATCHET_MAX_MESSAGE_CHARS",
        "Longest message an agent takes.",
        ge=100,
        le=10_000_000,
    )
    messages_per_minute: int = _named(
        20,
        "RATCHET_MESSAGES_PER_MINUTE",
        "Messages a minute taken from one author in one conversation; no bot loops with another.",
        ge=1,
        le=100_000,
    )
    file_max_mb: float = _named(
        10.0, "RATCHET_FILE_MAX_MB", "Largest file an agent takes, in MB.", gt=0, le=100
    )
    file_max_count: int = _named(
        5, "RATCHET_FILE_MAX_COUNT", "Files taken of one message.", ge=0, le=20
    )
    file_max_chars: int = _named(
        50_000,
        "RATCHET_FILE_MAX_CHARS",
        "Characters of a file's text that the model is shown.",
        ge=1_000,
        le=2_000_000,
    )
    images: str = _named(
        "auto",
        "RATCHET_IMAGES",
        "Whether the model is shown images: auto (by its name), yes or no.",
        pattern="^(auto|yes|no)$",
    )
    retention_days: int = _named(
        90,
        "RATCHET_RETENTION_DAYS",
        "Days that texts of runs are kept; numbers stay.",
        ge=1,
        le=36_500,
    )
    redact_email: bool = _named(
        False, "RATCHET_REDACT_EMAIL", "Redact e-mail addresses too before storing."
    )
    lease_seconds: float = _named(
        6.0,
        "RATCHET_LEASE_SECONDS",
        "After this long without a sign a node is dead and its runs go to the living.",
        gt=0.5,
        le=3_600,
    )
    http_allow: str = _named(
        "", "RATCHET_HTTP_ALLOW", "Comma-separated host names that the HTTP tool may fetch."
    )

    owners: forms.Identities = _named(
        "", "RATCHET_OWNERS", "Comma-separated owners, as slack:U012AB3CD or telegram:123456."
    )
    approvers: forms.Identities = _named(
        "", "RATCHET_APPROVERS", "Comma-separated approvers, in the same form."
    )
    admin_channel: forms.Places = _named(
        "",
        "RATCHET_ADMIN_CHANNEL",
        "Where cards and warnings go, as slack:C012AB3CD, telegram:-100123 or console.",
    )
    proposal_days: int = _named(
        14, "RATCHET_PROPOSAL_DAYS", "Days until an undecided proposal expires.", ge=1, le=36_500
    )
    open_proposals: int = _named(
        10,
        "RATCHET_OPEN_PROPOSALS",
        "How many proposals may wait for a decision in one place; the rest wait in a queue, best "
        "first.",
        ge=1,
        le=1000,
    )
    trials: str = _named(
        "balanced",
        "RATCHET_TRIALS",
        "How an approved change is tried beside the old version: balanced, strict or off (in use at "
        "once, not measured).",
        pattern="^(balanced|strict|off)$",
    )
    policy: Path | None = _named(
        None,
        "RATCHET_POLICY",
        "YAML file of the approval policy that holds until /policy sets another one.",
    )

    replay_pairs: int = _named(
        60,
        "RATCHET_REPLAY_PAIRS",
        "Recorded requests that a proposal is tried on before anyone decides; 0: none.",
        ge=0,
        le=1_000,
    )
    replay_most: int = _named(
        240,
        "RATCHET_REPLAY_MOST",
        "As many at most, where it looks better after the first ones: as many more at a time.",
        ge=0,
        le=5_000,
    )
    replay_budget: float = _named(
        1.0, "RATCHET_REPLAY_BUDGET", "US dollars that the replay of one proposal may cost.", ge=0
    )
    replay_tokens: int = _named(
        1_000_000,
        "RATCHET_REPLAY_TOKENS",
        "Tokens that the replay of one proposal may take.",
        ge=0,
    )
    gepa_calls: int = _named(
        0,
        "RATCHET_GEPA_CALLS",
        "How often gepa may try a wording of a lesson (two model calls each); needs the extra "
        "gepa. 0: it isn't used.",
        ge=0,
        le=1000,
    )
    judge_model: str = _named(
        "",
        "RATCHET_JUDGE_MODEL",
        "Model that grades answers nobody rated; default: none, nothing is graded.",
    )
    judge_share: float = _named(
        0.25,
        "RATCHET_JUDGE_SHARE",
        "Share of the answers that it grades, 0 to 1; where above 0, all of those in a trial.",
        ge=0,
        le=1,
    )
    judge_budget: float = _named(
        0.5, "RATCHET_JUDGE_BUDGET", "US dollars a day that grading may cost, replays apart.", ge=0
    )

    budget_run: float = _named(0.50, "RATCHET_BUDGET_RUN", "US dollars one run may cost.", ge=0)
    budget_agent_day: float = _named(
        10.0, "RATCHET_BUDGET_AGENT_DAY", "US dollars per agent and day.", ge=0
    )
    budget_agent_month: float = _named(
        100.0, "RATCHET_BUDGET_AGENT_MONTH", "US dollars per agent and month.", ge=0
    )
    budget_person_day: float = _named(
        5.0, "RATCHET_BUDGET_PERSON_DAY", "US dollars per person and day.", ge=0
    )
    budget_person_month: float = _named(
        50.0, "RATCHET_BUDGET_PERSON_MONTH", "US dollars per person and month.", ge=0
    )
    budget_day: float = _named(20.0, "RATCHET_BUDGET_DAY", "US dollars per day, all runs.", ge=0)
    budget_month: float = _named(
        200.0, "RATCHET_BUDGET_MONTH", "US dollars per month, all runs.", ge=0
    )

    slack_bot_token: SecretStr | None = _named(None, "SLACK_BOT_TOKEN", "xoxb-…: turns Slack on.")
    slack_app_token: SecretStr | None = _named(
        None, "SLACK_APP_TOKEN", "xapp-…: Socket Mode, no public URL needed."
    )
    slack_signing_secret: SecretStr | None = _named(
        None, "SLACK_SIGNING_SECRET", "Signed HTTP at /slack/events."
    )
    slack_api_url: forms.Url = _named(
        "https://slack.com/api/", "SLACK_API_URL", "Base URL of Slack's Web API."
    )
    slack_client_id: str = _named(
        "", "SLACK_CLIENT_ID", "Turns on /slack/install, where more workspaces add the app."
    )
    slack_client_secret: SecretStr | None = _named(
        None, "SLACK_CLIENT_SECRET", "The app's client secret, for that page."
    )
    slack_oauth_url: forms.Url = _named(
        "https://slack.com", "SLACK_OAUTH_URL", "Where Slack asks people to allow the app."
    )
    secret_key: forms.LongKeys | None = _named(
        None,
        "RATCHET_SECRET_KEY",
        "Comma-separated keys for tokens in the database; the first seals, all open.",
    )
    command_prefix: forms.Prefix = _named(
        "",
        "RATCHET_COMMAND_PREFIX",
        "What Slack's slash commands begin with: rt makes /better into /rt-better.",
    )
    reactions: forms.Reactions = _named(
        "+1=up,-1=down,white_check_mark=approve,x=decline",
        "RATCHET_REACTIONS",
        "What an emoji on an answer or a proposal says: up, down, approve or decline; none: off.",
    )
    telegram_bot_token: SecretStr | None = _named(None, "TELEGRAM_BOT_TOKEN", "Turns Telegram on.")
    telegram_api_base: forms.Url = _named(
        "https://api.telegram.org", "TELEGRAM_API_BASE", "Base URL of the Bot API."
    )
    telegram_webhook_secret: SecretStr | None = _named(
        None,
        "TELEGRAM_WEBHOOK_SECRET",
        "Webhook at /telegram/webhook in place of polling; the secret token it must carry.",
    )
    telegram_webhook_url: forms.Url = _named(
        "",
        "TELEGRAM_WEBHOOK_URL",
        "Public address of this server: Telegram is told at the start to deliver there.",
    )
    telegram_file_base: forms.Url = _named(
        "", "TELEGRAM_FILE_BASE", "Base URL of files; default: /file below TELEGRAM_API_BASE."
    )
    whatsapp_graph_url: forms.Url = _named(
        "https://graph.facebook.com/v23.0", "WHATSAPP_GRAPH_URL", "Base URL of the Graph API."
    )
    whatsapp_token: SecretStr | None = _named(None, "WHATSAPP_TOKEN", "Turns WhatsApp on.")
    whatsapp_phone_id: str = _named("", "WHATSAPP_PHONE_ID", "The business phone number's id.")
    whatsapp_app_secret: SecretStr | None = _named(
        None, "WHATSAPP_APP_SECRET", "Checks the signature of webhooks."
    )
    whatsapp_verify_token: SecretStr | None = _named(
        None, "WHATSAPP_VERIFY_TOKEN", "What the webhook's first call must carry."
    )
    whatsapp_template: str = _named(
        "",
        "WHATSAPP_TEMPLATE",
        "Utility template for digests 24 hours after a person's last message: {{1}} a title, "
        "{{2}} a line.",
        pattern="^[a-z0-9_]*$",
    )
    whatsapp_template_approval: str = _named(
        "",
        "WHATSAPP_TEMPLATE_APPROVAL",
        "The same for approvals, with two quick replies: Approve, Decline. Default: the first.",
        pattern="^[a-z0-9_]*$",
    )
    whatsapp_template_language: str = _named(
        "en", "WHATSAPP_TEMPLATE_LANGUAGE", "Language code that both were approved in."
    )
    whatsapp_status_seconds: float = _named(
        12.0,
        "WHATSAPP_STATUS_SECONDS",
        "How long a status is waited for where nobody heard whether Meta took an answer.",
        gt=0,
        le=600,
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        *_: PydanticBaseSettingsSource,
        **__: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)

    @property
    def loopback(self) -> bool:
        return self.host in _LOOPBACK

    @property
    def offline(self) -> bool:
        """Whether no model is connected: neither a key nor another endpoint is set."""
        return self.openai_api_key is None and not self.openai_base_url

    def listed(self, value: str) -> tuple[str, ...]:
        """A comma-separated setting as its parts."""
        return tuple(filter(None, (part.strip() for part in value.split(","))))


def names() -> list[tuple[str, str, Any]]:
    """(environment name, what it says, default) of every setting, in order."""
    return [
        (str(f.validation_alias), f.description or "", f.default)
        for f in Settings.model_fields.values()
    ]


def load(environ: Mapping[str, str] | None = None, folder: Path | None = None) -> Settings:
    """Reads `.env` in `folder` (default: the working directory), then the environment over it.

    Raises ConfigError that names each setting at fault, its line if it stands in `.env`, and the
    form expected. Values of secrets are never shown.
    """
    environ = os.environ if environ is None else environ
    path = (folder or Path.cwd()) / ".env"
    written, lines, faults = env_file.read(path)
    known = {name for name, _, _ in names()}
    for name in (*written, *environ):
        if name.startswith("RATCHET_") and name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            faults.append(f"{_place(name, environ, lines, path)}: unknown setting{hint}")
    faults += [
        f"{_place(name, environ, lines, path)}: unknown setting; did you mean {near[0]}?"
        for name in written
        if name.startswith(_PLATFORMS) and name not in known
        # Other programs have settings of such names too: only a slip is one of ours
        if (near := difflib.get_close_matches(name, known, 1, _A_SLIP))
    ]
    merged = {k: v for k, v in {**written, **environ}.items() if k in known and v != ""}
    try:
        settings = Settings.model_validate(merged)
    except ValidationError as error:
        faults += [_fault(e, environ, lines, path) for e in error.errors()]
    else:
        faults += _missing(settings)
    if faults:
        listed = "\n".join(f"  {fault}" for fault in faults)
        raise ConfigError(said=f"These settings are not right, so nothing was started:\n{listed}")
    return settings


def _missing(settings: Settings) -> list[str]:
    """What one setting makes necessary."""
    if not settings.slack_client_id:
        return []
    faults = []
    if settings.secret_key is None:
        needs = f"SLACK_CLIENT_ID needs it, to seal the tokens of workspaces; {forms.MAKE_KEY}"
        faults.append(f"RATCHET_SECRET_KEY: {needs}")
    if settings.slack_client_secret is None:
        needs = "SLACK_CLIENT_ID needs it; it stands under Basic Information of the app"
        faults.append(f"SLACK_CLIENT_SECRET: {needs}")
    return faults


def _place(name: str, environ: Mapping[str, str], lines: Mapping[str, int], path: Path) -> str:
    return name if name in environ else f"{name} ({path}, line {lines[name]})"


def _fault(error: Any, environ: Mapping[str, str], lines: Mapping[str, int], path: Path) -> str:
    name = str(error["loc"][0])
    says = error["msg"].removeprefix("Value error, ")
    says = re.sub(r"\AInput should be (?=greater|less)", "expected a number ", says)
    says = says.replace("Input should be", "expected", 1)
    if expected := _EXPECTED.get(error["type"]):
        says = f"expected {expected}"
    if error["type"] == "string_pattern_mismatch" and "|" not in error["ctx"]["pattern"]:
        says = "expected small letters, digits and underscores"
    elif error["type"] == "string_pattern_mismatch":
        choices = error["ctx"]["pattern"].strip("^()$").replace("|", ", ")
        says = f"expected one of {choices}"
    return f"{_place(name, environ, lines, path)}: {says[0].lower()}{says[1:]}"
