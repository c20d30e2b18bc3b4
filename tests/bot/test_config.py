"""Settings: what is wrong is named with its place and the form expected, before anything starts."""

from pathlib import Path

import pytest

from bot import config
from bot.errors import ConfigError


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("RATCHET_MODL", "x", "did you mean RATCHET_MODEL?"),
        ("RATCHET_PORT", "99999", ": expected a number less than or equal to 65535"),
        ("RATCHET_PORT", "many", ": expected a whole number"),
        ("RATCHET_LOG_LEVEL", "loud", ": expected one of debug, info, warning, error"),
        ("RATCHET_BUDGET_DAY", "much", ": expected a number"),
        ("RATCHET_REDACT_EMAIL", "perhaps", ": expected true or false"),
        ("OPENAI_BASE_URL", "foo", "http:// or https://"),
        ("OPENAI_BASE_URL", "http://", "with a host"),
        ("OPENAI_BASE_URL", "http://[bad", "with a host"),
        ("OPENAI_BASE_URL", "http://x:99999/v1", "with a host"),
        ("RATCHET_DATABASE_URL", "mysql://x", "sqlite:///path or postgresql://"),
        ("RATCHET_DATABASE_URL", "postgresql://", "expected a host"),
        ("RATCHET_API_KEY", "ключ", "letters, digits and signs"),
        ("RATCHET_ADMIN_CHANNEL", "general", "slack:C012AB3CD"),
        ("RATCHET_OWNERS", "ann", "slack:U012AB3CD"),
        ("RATCHET_APPROVERS", "slac:U1", "did you mean slack:U1?"),
        ("RATCHET_SECRET_KEY", "short,k", "12 characters or more in each; `openssl rand"),
        ("RATCHET_COMMAND_PREFIX", "Rt!", "small letters and digits, such as rt"),
        ("RATCHET_REACTIONS", "+1=yes", "emoji=up, down, approve or decline"),
        ("RATCHET_BUDGET_DAY", "-1", "greater than or equal to 0"),
        ("RATCHET_BUDGET_RUN", "nan", "greater than or equal to 0"),
        ("RATCHET_MODEL_TIMEOUT", "inf", "less than or equal to"),
        ("RATCHET_MESSAGE_EXPIRY", "9" * 25, "less than or equal to"),
        ("RATCHET_RETENTION_DAYS", "0", "greater than or equal to 1"),
    ],
)
def test_a_wrong_setting_is_named_with_its_form(
    tmp_path: Path, name: str, value: str, expected: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        config.load({name: value}, folder=tmp_path)
    assert name in refused.value.said and expected in refused.value.said

    (tmp_path / ".env").write_text(f"# mine\n\n{name}={value}\n", encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        config.load({}, folder=tmp_path)
    assert f"{tmp_path / '.env'}, line 3" in refused.value.said


def test_more_workspaces_need_a_key_and_it_is_said_how_to_make_one(tmp_path: Path) -> None:
    wanted = {"SLACK_CLIENT_ID": "1.2"}
    with pytest.raises(ConfigError) as refused:
        config.load(wanted, folder=tmp_path)
    said = refused.value.said
    assert "RATCHET_SECRET_KEY" in said and "openssl rand -hex 32" in said
    assert "SLACK_CLIENT_SECRET" in said
    keys = {"RATCHET_SECRET_KEY": f"{'n' * 32}, {'o' * 32}", "SLACK_CLIENT_SECRET": "x"}
    assert config.load(wanted | keys, folder=tmp_path).slack_client_id == "1.2"


def test_all_faults_are_told_at_once_and_no_secret_is(tmp_path: Path) -> None:
    lines = ["RATCHET_PORT=no", "export RATCHET_HOST", "=x", "RATCHET_API_KEY=hunter two"]
    (tmp_path / ".env").write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        config.load({}, folder=tmp_path)
    said = refused.value.said
    assert [f"line {n}" in said for n in (1, 2, 3, 4)] == [True] * 4
    assert "hunter" not in said


@pytest.mark.parametrize("content", [b"\xff\xfe\x00RATCHET", b"\x00" * 50, b"RATCHET_PORT='8\n"])
def test_a_file_that_is_no_settings_file_is_said(tmp_path: Path, content: bytes) -> None:
    (tmp_path / ".env").write_bytes(content)
    with pytest.raises(ConfigError, match="line 1"):
        config.load({}, folder=tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RATCHET_ADMIN_CHANNEL", "slack:C012AB3CD, telegram:-100123, console"),
        ("RATCHET_DATABASE_URL", "postgresql:///ratchet?host=/run/postgresql"),
        ("RATCHET_DATABASE_URL", "sqlite:///here.sqlite"),
        ("OPENAI_BASE_URL", "http://[::1]:11434/v1"),
        ("RATCHET_PORT", "0"),
        ("RATCHET_PORT", ""),
    ],
)
def test_right_settings_are_taken(tmp_path: Path, name: str, value: str) -> None:
    config.load({name: value}, folder=tmp_path)


def test_a_slip_in_a_platforms_setting_is_named_and_others_settings_are_left_alone(
    tmp_path: Path,
) -> None:
    written = tmp_path / ".env"
    written.write_text("SLACK_BOT_TOKN=xoxb-1\nSLACK_USER_TOKEN=xoxp-1\n", encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        config.load({}, folder=tmp_path)
    said = refused.value.said
    assert "SLACK_BOT_TOKN" in said and "did you mean SLACK_BOT_TOKEN?" in said
    assert "USER" not in said and "xox" not in said
    written.write_text("SLACK_USER_TOKEN=xoxp-1\n", encoding="utf-8")
    assert config.load({"SLACK_BOT_TOKN": "another's"}, folder=tmp_path).slack_bot_token is None
