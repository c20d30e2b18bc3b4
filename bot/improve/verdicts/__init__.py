"""The rules that decide trials, by the name a trial has as its mode."""

from collections.abc import Mapping

from bot.improve.rules import Rule
from bot.improve.verdicts.balanced import Balanced
from bot.improve.verdicts.strict import Strict

RULES: Mapping[str, Rule] = {"balanced": Balanced(), "strict": Strict()}
