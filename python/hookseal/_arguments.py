"""Arguments: what each must be, and the words for what it is not.

Both implementations judge and speak through this module, except where one of them has a
faster way for what is right.
"""

from __future__ import annotations

import os

from hookseal._errors import secret_error, shown

__all__ = [
    "MAX_SPAN_SECONDS",
    "body_limit",
    "claim_limit",
    "environment",
    "json_text_value",
    "json_value",
    "line_limit",
    "mistake",
    "position",
    "span",
    "thread_count",
    "unsigned_reason",
    "variable",
    "wrong_id",
    "wrong_length",
    "wrong_type",
]

_EXPECTED = {
    "str": "a str",
    "str or None": "a str or None",
    "bool": "True or False",
    "body": "bytes, bytearray, str or a C-contiguous memoryview of one-byte items",
    "headers": "a mapping, or an iterable of (name, value) pairs",
    "mapping": "a mapping of names to values",
    "datetime": "a datetime",
    "callable": "a function",
    "payload": "bytes, bytearray or a C-contiguous memoryview of one-byte items",
    "headers item": "a (name, value) tuple or list",
    "header name": "str or bytes",
    "header value": "str, bytes, a list or tuple of those, or None",
    "endpoint": "a str, None, or a sequence of those",
    "endpoints": "a mapping of names to secrets",
    "endpoint names": "a list or tuple of names, or None",
    "item": "a Message, (body, headers), a mapping with body and headers, or an object with them",
    "messages": "an iterable of messages",
    "bodies": "an iterable of bodies",
    "ids": "a sequence of str or None",
    "indices": "an iterable of whole numbers, or None",
    "column": "a sequence with the value of one header for each message",
    "instants": "an instant, None, or a sequence or buffer of instants",
    "index": "a whole number",
    "scheme": "a name or a Scheme",
    "secret": "str, bytes, a Secret of this module, or an object with get_secret_value()",
    "secret value": "str or bytes",
    "max_body_bytes": "a whole number of bytes or None",
    "threads": "a whole number or None",
    "verifier": "a Verifier of this module",
    "block": "bytes",
    "max_line_bytes": "a whole number of bytes",
    "max_claims": "a whole number",
    "replay": "a replay guard: an object with claim, commit, release and close",
    "client": "a client of the package redis or valkey",
    "path": "a str or an os.PathLike of one",
    "timeout": "a number of seconds",
    "span": "whole seconds",
    "keys": "a sequence of keys",
    "key": "bytes",
    "reason": "a str that says why nothing is verified",
    "resolver": "a function of a list of names",
    "resolver answer": "a mapping of names to secrets or None",
    "resolver_size": "a whole number of endpoints",
    "seconds": "a number of seconds",
}

# Where a wrong number of members is a wrong type too.
_PAIRS = ("headers item", "item")


def wrong_type(what: str, value: object, place: str | None = None) -> TypeError:
    """The error for an argument of a wrong type.

    Args:
        what: Which argument it is, or the type that it must have.
        value: What was given; only its type is told.
        place: What to call it, where ``what`` is not its name: "endpoint[3]".
    """
    given = type(value).__name__
    if what in _PAIRS and isinstance(value, (tuple, list)):
        given += f" of {tuple.__len__(value) if isinstance(value, tuple) else list.__len__(value)}"
    return TypeError(f"{place or what} must be {_EXPECTED[what]}, not {given}")


def wrong_length(what: str, length: int, messages: int) -> ValueError:
    """The error for a sequence that does not have an element for each message."""
    return ValueError(f"{what} has {length} elements for {messages} messages")


def wrong_id(place: str, forbidden: str) -> ValueError:
    """The error for an id that no verifier takes; ``forbidden`` as ``Scheme`` has it."""
    without = f" and without {' or '.join(map(repr, forbidden))}" if forbidden else ""
    return ValueError(
        f"{place} must be 1 to 256 characters of printable ASCII, without white space at an"
        f" end{without}"
    )


_MISTAKES: dict[str, tuple[type[Exception], str]] = {
    "no-ring": (TypeError, "endpoint is for a verifier with a Keyring; this one has none"),
    "scheme-of-ring": (TypeError, "scheme= is for bare secrets: a Keyring has its own"),
    "blank-name": (ValueError, "an endpoint's name must not be empty"),
    "name-not-utf8": (ValueError, "an endpoint's name cannot be encoded as UTF-8"),
    "name-twice": (ValueError, "endpoints names {0} twice"),
    "unknown-endpoint": (KeyError, "the keyring has no endpoint {0}"),
    "unknown-label": (KeyError, "endpoint {0} has no secret labelled {1}"),
    "async-resolver": (
        TypeError,
        "the keyring's resolver is async: await averify, acheck or averify_batch instead",
    ),
    "resolver-twice": (ValueError, "the resolver returned {0} twice"),
    "no-resolver": (TypeError, "{0} is for a keyring with a resolver"),
    "blank-prefix": (ValueError, "prefix must not be empty: not every variable is a secret"),
    "no-variable": (ValueError, "no environment variable begins with {0}"),
    "no-name": (ValueError, "endpoints must name an endpoint; None reads all"),
    "name-with-label": (ValueError, "endpoints names {0}: what follows '__' is a label"),
    "window": (ValueError, "not_after must be later than not_before"),
    "no-id": (TypeError, "{0} signs no id"),
    "no-timestamp": (TypeError, "{0} signs no timestamp"),
    "body-not-utf8": (ValueError, "{0} cannot be encoded as UTF-8: it holds a lone surrogate"),
    "buffer": (TypeError, "{0} as a buffer must be one row of int64 or float64, in native order"),
    "index": (IndexError, "there is no message of that index in the batch"),
    "not-kept": (ValueError, "the batch was judged with keep=False: it kept no message"),
    "reentry": (RuntimeError, "called in the middle of another call of its own thread"),
    "busy": (RuntimeError, "this LineJudge is at work in another call"),
    "own-judge": (
        TypeError,
        "this Webhook has a __verify_timestamp of its own, which a batch does not ask: pass"
        " tolerance= instead of overriding it",
    ),
    "own-verify": (
        TypeError,
        "this Webhook has a verify of its own, which a batch does not ask: judge batches with a"
        " Verifier",
    ),
    "two-judges": (
        TypeError,
        "this Webhook has a __verify_timestamp of its own, and a tolerance= that it would not"
        " ask: keep one of them",
    ),
    "own-sign": (
        TypeError,
        "this Webhook has a {0} of its own, which verify does not ask, though the original does:"
        " stay with the original for it",
    ),
    "copy": (TypeError, "a {0} cannot be pickled or copied"),
    "key-length": (ValueError, "{0} must have 16 bytes, not {1}"),
    "token": (TypeError, "token must be that of the claims: none of this guard's looks like it"),
    "half-async-guard": (
        TypeError,
        "of a replay guard's claim, commit and release all or none are coroutines",
    ),
    "store-mode": (ValueError, 'on_store_error must be "raise", "reject" or "accept"'),
    "no-claims": (TypeError, "the replay guard must answer with {0} claims, and did not"),
    "async-guard": (
        TypeError,
        "the replay guard's methods are coroutines: await averify, acheck or averify_batch",
    ),
    "async-processing": (
        TypeError,
        "the replay guard's methods are coroutines: write `async with`",
    ),
    "async-claims": (
        TypeError,
        "the replay guard's methods are coroutines: await acommit and arelease",
    ),
    "no-guard": (TypeError, "this verifier has no replay guard: pass replay="),
    "guard-options": (TypeError, "{0}= is for a verifier with a replay guard: pass replay="),
    "arrival-needs-ttl": (
        TypeError,
        "{0}: with a replay guard, messages that waited need replay_ttl=, the seconds for which"
        " claims are remembered",
    ),
    "not-valid": (ValueError, "message {0} was refused: nothing of it was claimed"),
    "final": (
        ValueError,
        "claims without a lease are final: pass lease= to the verifier if they are to be released",
    ),
    "lines-with-guard": (TypeError, "a LineJudge asks no replay guard: pass a verifier without"),
    "closed": (ValueError, "the replay guard was closed"),
    "async-client": (
        TypeError,
        "the client's methods are coroutines: pass it to AsyncRedisReplayGuard",
    ),
    "sync-client": (
        TypeError,
        "the client's methods are not coroutines: pass it to RedisReplayGuard",
    ),
    "no-file": (
        ValueError,
        "path must name a file: for claims in memory there is MemoryReplayGuard",
    ),
    "synchronous": (ValueError, 'synchronous must be "FULL" or "NORMAL"'),
    "old-sqlite": (
        RuntimeError,
        "SQLiteReplayGuard needs SQLite 3.38 or later; this Python has {0}",
    ),
    "kernel": (ValueError, "HOOKSEAL_KERNEL is {0!r}; on this processor there are {1}"),
    "kernels-broken": (
        RuntimeError,
        "every kernel computes wrong MACs: the memory, the processor or the build is broken",
    ),
    "interpreter": (
        ImportError,
        "the compiled module of hookseal serves one interpreter a process, and another one has it",
    ),
    "truth": (
        TypeError,
        "a BatchResult has no truth value: look at result.invalid, or call raise_for_invalid()",
    ),
}


def mistake(what: str, *told: str) -> Exception:
    """The error for what is wrong with a call, though the types are right.

    Args:
        what: The name of the mistake.
        told: What its text names: arguments, schemes, endpoints.
    """
    cls, text = _MISTAKES[what]
    # str's own methods: a subclass may have others.
    plain = map(str.__str__, told)
    return cls(text.format(*map(shown, plain) if what in _NAMING else plain))


# The mistakes whose text shows a name that the caller gave.
_NAMING = frozenset(
    {
        "name-twice",
        "name-with-label",
        "no-variable",
        "resolver-twice",
        "unknown-endpoint",
        "unknown-label",
    }
)


def body_limit(value: object) -> int | None:
    """Judges ``max_body_bytes``: bytes, or None for no limit."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong_type("max_body_bytes", value)
    if value < 0:
        raise ValueError("max_body_bytes must not be negative")
    return int(value)


def line_limit(value: object) -> int:
    """Judges ``max_line_bytes``: at least 1."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong_type("max_line_bytes", value)
    if value < 1:
        raise ValueError("max_line_bytes must be at least 1")
    return int(value)


def thread_count(value: object) -> int | None:
    """Judges ``threads``: at least 1, or None for as many as help."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong_type("threads", value)
    if value < 1:
        raise ValueError("threads must be at least 1")
    return int(value)


def claim_limit(value: object) -> int:
    """Judges ``max_claims``: at least 1."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong_type("max_claims", value)
    if value < 1:
        raise ValueError("max_claims must be at least 1")
    return int(value)


# Ten years. Whatever is to be remembered longer belongs into the user's own tables.
MAX_SPAN_SECONDS = 315_360_000


def span(value: object, name: str) -> int:
    """Judges a span of time in whole seconds: ``lease``, ``ttl``, ``replay_ttl``."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong_type("span", value, name)
    if not 1 <= value <= MAX_SPAN_SECONDS:
        raise ValueError(f"{name} must lie between 1 and {MAX_SPAN_SECONDS} seconds")
    return int(value)


def position(value: object, length: int) -> int:
    """Judges an index of a batch, which may count from the end."""
    index = getattr(type(value), "__index__", None)
    # Of a mask, true and false would be the messages 1 and 0.
    if index is None or isinstance(value, bool):
        raise wrong_type("index", value)
    at = int(index(value))
    if not -length <= at < length:
        raise mistake("index")
    return at % length


def unsigned_reason(value: object, stacklevel: int = 2) -> str:
    """Judges the reason for verifying nothing, and warns that it is so.

    ``stacklevel`` is the line that called ``Verifier.unsigned``: the core has no frame of
    its own, the twin has.
    """
    from warnings import warn

    if not isinstance(value, str):
        raise wrong_type("reason", value)
    reason = str.__str__(value)
    if not reason.strip():
        raise ValueError("reason must say why nothing is verified")
    warn(f"this verifier accepts every message: {reason}", UserWarning, stacklevel=stacklevel)
    return reason


def variable(name: str) -> str:
    """What an error calls an environment variable."""
    return f"environment variable {shown(name)}"


def environment(name: object) -> tuple[str, str]:
    """The text of an environment variable that must be there, and what an error calls it."""
    if not isinstance(name, str):
        raise wrong_type("str", name, "name")
    place = variable(name)
    try:
        value = os.environ.get(name)
    except UnicodeEncodeError:  # No variable has such a name.
        value = None
    if value is None:
        raise secret_error("not-set", place)
    return value, place


def json_value(body: bytes) -> object:
    """What the body says as JSON, read as ``json.loads`` reads it."""
    from json import loads

    return loads(body)


def json_text_value(body: bytes) -> object:
    """What the body says as JSON, read as ``json.loads`` reads it decoded as UTF-8."""
    from json import loads

    return loads(str(body, "utf-8"))
