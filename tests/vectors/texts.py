"""TEXT: how a string or bytes stands in a file of vectors.

- a JSON string: ``str``;
- ``{"b64": "…"}``: ``bytes``;
- ``{"chars": [55296, …]}``: ``str`` by its code points, for lone surrogates, which
  JSON readers other than Python's refuse;
- ``{"repeat": [TEXT, 16384]}``: a long run;
- ``{"concat": [TEXT, …]}``: one behind the other. It is ``bytes`` as soon as one part is.
"""

from typing import Any, TypeAlias

from tests.oracle import b64

Text: TypeAlias = str | bytes | dict[str, Any]
"""In memory: ``str``, ``bytes``, or one of the JSON forms."""


def repeat(part: Text, times: int) -> Text:
    return {"repeat": [dump(part), times]}


def concat(*parts: Text) -> Text:
    return {"concat": [dump(part) for part in parts]}


def dump(text: Text) -> Any:
    """The JSON form of a text."""
    if isinstance(text, bytes):
        return {"b64": b64(text)}
    if isinstance(text, str) and any(0xD800 <= ord(char) < 0xE000 for char in text):
        return {"chars": [ord(char) for char in text]}
    return text


def expand(text: Any) -> str | bytes:
    """What a TEXT stands for."""
    if isinstance(text, (str, bytes)):
        return text
    ((form, value),) = text.items()
    if form == "b64":
        import base64

        return base64.b64decode(value, validate=True)
    if form == "chars":
        return "".join(map(chr, value))
    if form == "repeat":
        part, times = value
        run: str | bytes = expand(part) * times
        return run
    assert form == "concat", form
    parts = [expand(part) for part in value]
    if any(isinstance(part, bytes) for part in parts):
        return b"".join(raw(part) for part in parts)
    return "".join(part for part in parts if isinstance(part, str))


def raw(text: Any) -> bytes:
    """The bytes of a text: UTF-8, a lone surrogate as its three bytes."""
    whole = expand(text)
    return whole.encode("utf-8", "surrogatepass") if isinstance(whole, str) else whole
