"""The environment of the product that is measured."""

from benchmarks.loop.policies import Policy


def settings(url: str, home: str, prices: str, model: str, policy: Policy) -> dict[str, str]:
    """The environment of the product under test: no budget ever says no. A model grades replays and,
    under every policy, a quarter of the live answers and all of those in trials."""
    scopes = ("RUN", "DAY", "MONTH", "AGENT_DAY", "AGENT_MONTH", "PERSON_DAY", "PERSON_MONTH")
    return {
        "RATCHET_HOME": home,
        "RATCHET_PRICES": prices,
        "OPENAI_BASE_URL": url,
        "OPENAI_API_KEY": "simulated",
        "RATCHET_MODEL": model,
        "RATCHET_JUDGE_MODEL": model,
        "RATCHET_JUDGE_BUDGET": "1000000",
        "RATCHET_REPLAY_PAIRS": "60" if policy.replays else "0",
        "RATCHET_TRIALS": policy.trials,
        **{f"RATCHET_BUDGET_{scope}": "1000000" for scope in scopes},
    }
