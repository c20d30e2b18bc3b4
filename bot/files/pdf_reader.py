"""A program of its own: a PDF on stdin, its text as JSON on stdout; whoever starts it may kill it.

Nobody imports this: what is in a PDF may take any time and any memory, so that it is read by a
process with limits, and the service never holds the library.
"""

import io
import json
import resource
import sys
from typing import Any

from pypdf import PdfReader
from pypdf.errors import DependencyError, FileNotDecryptedError, LimitReachedError

_MEMORY = 1024 * 1024 * 1024


def main(seconds: int, pages: int, characters: int) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        answer = read(sys.stdin.buffer.read(), pages, characters)
    except (MemoryError, LimitReachedError):
        answer = {"refused": "heavy"}
    except (DependencyError, FileNotDecryptedError):
        answer = {"refused": "locked"}
    except Exception as error:
        answer = {"refused": "broken", "why": f"{type(error).__name__}: {error}"[:300]}
    sys.stdout.write(json.dumps(answer))


def read(content: bytes, pages: int, characters: int) -> dict[str, Any]:
    """{"pages", "read", "text"}, or {"refused"}. Reads no further than it may."""
    reader = PdfReader(io.BytesIO(content))
    if reader.is_encrypted and not reader.decrypt(""):
        return {"refused": "locked"}
    count = len(reader.pages)
    parts: list[str] = []
    done = said = 0
    for number in range(min(count, pages)):
        text = _page(reader, number)
        said += len(text or "")
        shown = "(this page can't be read)" if text is None else text
        parts.append(f"[page {number + 1}]\n{shown}\n")
        done = number + 1
        if sum(map(len, parts)) >= characters:
            break
    if not said:
        return {"refused": "empty" if count else "broken", "pages": count}
    return {"pages": count, "read": done, "text": "\n".join(parts)[:characters]}


def _page(reader: PdfReader, number: int) -> str | None:
    """None where this page is broken."""
    try:
        text: str = reader.pages[number].extract_text()
        return text.strip()
    except (MemoryError, LimitReachedError, DependencyError, FileNotDecryptedError):
        raise
    except Exception:
        return None


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
