"""What is logged, and what never is: tokens, signatures, passwords, links and addresses.

Secrets are kept out where a line begins, whoever writes it and whichever handler it goes to:
ours, Prefect's or uvicorn's. Those that we were given are known word for word; others are known
by their form. People go by their key of ``people.yaml``.
"""

import logging
import re
import sys
import traceback
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

from pydantic import BaseModel, SecretStr

HIDDEN: Final = "***"
_SHORTEST: Final = 6
"""Characters; a shorter secret would hide words that are none."""

_FORMS: Final = (
    (re.compile(r"\bx(?:ox[a-z]|app)-[\w-]+"), HIDDEN),
    (re.compile(r"\bwhsec_[\w+/=-]+"), HIDDEN),
    (re.compile(r"\bft_\d+_[\w-]{20,}"), HIDDEN),
    (re.compile(r"(?<=[?&])(code|state)=[^\s&]+"), rf"\1={HIDDEN}"),
    (re.compile(r"\bv0=[0-9a-f]{16,}|\bv1,[\w+/=]{20,}"), HIDDEN),
    (re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{8,}", re.IGNORECASE), rf"\1 {HIDDEN}"),
    (re.compile(r"(?<=://)[^/\s@\"\']*@"), f"{HIDDEN}@"),
    (re.compile(r"\b(hooks\.slack\.com)/[^\s'\"<>]+"), rf"\1/{HIDDEN}"),
    (re.compile(r"/answer/[\w.-]+"), f"/answer/{HIDDEN}"),
    (
        re.compile(
            r"\b(\w*(?:token|secret|passw(?:or)?d|api_?key|signature)\w*)(\"?'?\s*[=:]\s*\"?'?)"
            r"(?!\*)[^\s&,;\"'}]{6,}",
            re.IGNORECASE,
        ),
        rf"\1\2{HIDDEN}",
    ),
    (re.compile(r"[^\s@<>\"'(),;:=/\\]+@[^\s@<>\"'(),;:=/\\]+\.[^\W\d_]{2,}"), HIDDEN),
)

_known: set[str] = set()


def redacted(text: str) -> str:
    """Return a text without any secret that is known, or looks like one."""
    for secret in sorted(_known, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    for form, instead in _FORMS:
        text = form.sub(instead, text)
    return text


def keep_secret(*parts: BaseModel) -> None:
    """Let no line that is logged from now on tell the secrets of settings or connections."""
    _known.update(word for part in parts for word in _words(part))
    _guard()


def set_up(form: str) -> None:
    """Log warnings, and what the inbox says of itself, to stderr.

    Args:
        form: ``text`` for people, ``json`` for one JSON object a line.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_formatter(form))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("uvicorn").setLevel(logging.INFO)
    _guard()


def _formatter(form: str) -> logging.Formatter:
    if form != "json":
        return logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    from pythonjsonlogger.json import JsonFormatter

    renamed = {"levelname": "level", "name": "logger"}
    fields = "%(levelname)s %(name)s %(message)s"
    return JsonFormatter(fields, rename_fields=renamed, timestamp="at")


def _words(part: BaseModel) -> Iterable[str]:
    for value in dict(part).values():
        if isinstance(value, BaseModel):
            yield from _words(value)
        if isinstance(value, SecretStr):
            for word in _spelt(value.get_secret_value()):
                if len(word) >= _SHORTEST:
                    yield word


def _spelt(secret: str) -> Iterable[str]:
    """Yield a secret and the parts of it that prove something alone, as they may be written."""
    yield secret
    yield from secret.split()
    try:
        password = urlsplit(secret).password
    except ValueError:
        password = None
    if password:
        yield from (password, unquote(password), quote(unquote(password), safe=""))


def _guard() -> None:
    """Have every record made from now on redacted, once."""
    inner = logging.getLogRecordFactory()
    if getattr(inner, "keeps_secrets", False):
        return

    def made(*args: Any, **named: Any) -> logging.LogRecord:
        record = inner(*args, **named)
        try:
            said = record.getMessage()
        except (TypeError, ValueError):  # a line that does not fit its values tells where it is
            return record
        if (kept := redacted(said)) != said:
            record.msg, record.args = kept, ()
        if record.exc_info and record.exc_info[0] is not None:
            # What formatters show in place of the error itself, whose text may quote anything.
            trace = "".join(traceback.format_exception(*record.exc_info)).rstrip()
            record.exc_text, record.exc_info = redacted(trace), None
        return record

    made.keeps_secrets = True  # type: ignore[attr-defined]
    logging.setLogRecordFactory(made)
