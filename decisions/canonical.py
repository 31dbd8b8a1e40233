"""One written form for one content, so that equal things have equal hashes."""

import hashlib
import json


def canonical_json(content: object) -> str:
    """Return the content as JSON with sorted keys, no spaces and no escapes beyond JSON's own.

    Raises:
        ValueError: The content holds NaN or an infinity, which JSON cannot say.
    """
    return json.dumps(
        content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def sha256(text: str) -> str:
    """Return the SHA-256 of the text's UTF-8 bytes, hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()
