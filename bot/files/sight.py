"""Which models take images, by their names."""

import re

_SEES = re.compile(
    r"gpt-4o|chatgpt-4o|gpt-4\.[15]|gpt-4-turbo|gpt-[5-9]|^o[1-9](?!-mini|-preview)|^o4|"
    r"claude-(?:[3-9]|opus|sonnet|haiku)|gemini|gemma-?3|gemma-?[4-9]|llama-?4|grok-[4-9]|"
    r"llava|pixtral|moondream|minicpm-v|internvl|molmo|mistral-(?:small|medium)-3|"
    r"vision|multimodal|omni|[.\d]vl\b|-vl\b",
    re.IGNORECASE,
)
_BLIND = re.compile(
    r"gpt-4o(?:-mini)?-(?:audio|realtime|transcribe|tts|search)|gemma-?3:(?:270m|1b)|embedding",
    re.IGNORECASE,
)


def takes_images(setting: str, model: str) -> bool:
    """`setting` is "auto", "yes" or "no"; a provider's prefix ("openai/…") doesn't matter."""
    if setting != "auto":
        return setting == "yes"
    name = model.rsplit("/", 1)[-1]
    return bool(_SEES.search(name)) and not _BLIND.search(name)
