"""Facts come back from a JSON column: what isn't there, or isn't what it should be, is unknown."""

from bot.improve import facts


def test_what_is_missing_or_of_another_type_is_unknown() -> None:
    given = {"a": 1, "b": True, "c": "x", "d": ["x", 2, "y"], "e": None}
    assert facts.number(given, "a") == 1.0
    assert [facts.number(given, key) for key in "bcdez"] == [None] * 5
    assert [facts.text(given, key) for key in "acz"] == ["", "x", ""]
    assert [facts.texts(given, key) for key in "acdz"] == [[], [], ["x", "y"], []]
