"""A scheme: how one provider signs, as data."""

from __future__ import annotations

from hookseal._errors import SchemeError
from hookseal._template import (
    PLACEHOLDERS,
    Family,
    Part,
    ascii_or_none,
    header_names,
    split_template,
)
from hookseal._tolerance import window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Final, NoReturn, Self, TypeAlias

    Names: TypeAlias = str | Sequence[str] | None

__all__ = ["Family", "Part", "Scheme"]

_DEFAULT_WINDOW_SECONDS = (300, 300)

_ALGORITHMS: Final = ("hmac-sha256", "token")
_KEYS: Final = ("utf8", "base64", "hex")
_UNITS: Final = ("s", "ms")
_SECRET_FORMS: Final = ("base64", "hex", "mixed")
# What may stand in `format`, and the name of the encoding it means.
_ENCODINGS: Final = {
    "{base64}": "base64",
    "{hex}": "hex",
    "{hex-any-case}": "hex-any-case",
    "{token}": "token",
}


class Scheme:
    """How a provider signs its webhooks: headers, signed bytes, algorithm, formats.

    Every provider is a row of data; this class holds one row and refuses what could
    not be sound. It is frozen, hashable and the same for the core and its twin.

    Args:
        name: The scheme's name: lower-case letters, digits and hyphens.
        signature: The header that carries the signature. Several names are several
            *families*: the first whose headers are all there is used.
        format: The form of one signature: a literal followed by ``{base64}`` (padded,
            standard alphabet), ``{hex}`` (lower case), ``{hex-any-case}``, or, for
            tokens, ``{token}``.
        separator: The character between several signatures in one header, or None
            where there is one.
        signed: The signed bytes, of ``{id}``, ``{timestamp}``, ``{body}`` and literals.
            Empty for tokens, which sign nothing.
        id: The header of ``{id}``; as many names as ``signature`` has.
        timestamp: The header of ``{timestamp}``; as many names as ``signature`` has.
        unit: ``"s"`` or ``"ms"``: what the timestamp counts.
        algorithm: ``"hmac-sha256"`` or ``"token"``. It is never read from a message.
        key: How the text of a secret becomes the key: ``"utf8"``, ``"base64"`` or
            ``"hex"``.
        key_prefix: What a secret's text may begin with before the encoded key.
        tolerance: The window of the timestamp: seconds, or (past, future) in seconds;
            None for 300 both ways.
        aliases: Other names for ``schemes.get``.
        ambiguous: Admits that two messages can give the same signed bytes, for
            providers that join an id to the next part without a separator.
        key_length: The lengths in bytes that the provider advises for a key. They
            bind ``Secret.generate`` and are findings of ``Secret.check``.
        secret_form: What ``Secret.generate`` makes: ``"base64"`` (32 random bytes
            after ``key_prefix``), ``"hex"`` (20 random bytes), ``"mixed"`` (40 letters of
            both cases, digits and specials); None for the encoding of the key, "hex" where
            that is utf8.

    Raises:
        SchemeError: What does not fit together; the text says why.
        TypeError: A wrong type.

    **No shifting.** The bytes of an id may not hold the first byte of the literal that
    follows it, nor, behind the body, the last byte of the literal before it. An id or a
    timestamp that no literal ends (for a timestamp: none that is not a digit) needs
    ``ambiguous=True``. Were it allowed, a signature made for
    id ``x``, time ``T``, body ``y.T.z`` would also pass as id ``x.T.y``, body ``z``.
    """

    __slots__ = (
        "algorithm",
        "aliases",
        "ambiguous",
        "covers",
        "encoding",
        "families",
        "format",
        "head",
        "id",
        "id_forbidden",
        "key",
        "key_length",
        "key_prefix",
        "name",
        "prefix",
        "secret_form",
        "separator",
        "signature",
        "signed",
        "tail",
        "timestamp",
        "tolerance",
        "unit",
    )

    name: str
    signature: str | tuple[str, ...]
    format: str
    separator: str | None
    signed: str
    id: str | tuple[str, ...] | None
    timestamp: str | tuple[str, ...] | None
    unit: str
    algorithm: str
    key: str
    key_prefix: str | None
    tolerance: tuple[int, int] | None
    aliases: tuple[str, ...]
    ambiguous: bool
    key_length: tuple[int, int] | None
    secret_form: str

    families: tuple[Family, ...]
    """The header families, in the order in which they are looked for."""
    prefix: str
    """What stands before the encoded MAC in one signature."""
    encoding: str
    """"base64", "hex", "hex-any-case" or "token"."""
    head: tuple[Part, ...]
    """The parts of the signed bytes before the body."""
    tail: tuple[Part, ...]
    """The parts of the signed bytes behind the body."""
    id_forbidden: str
    """The characters that an id may not hold."""
    covers: frozenset[str]
    """What a signature protects, of "body", "id", "timestamp"."""

    # Without an __init__ there is none to call again.
    def __new__(
        cls,
        name: str,
        *,
        signature: str | Sequence[str],
        format: str = "{base64}",
        separator: str | None = None,
        signed: str = "{body}",
        id: Names = None,
        timestamp: Names = None,
        unit: str = "s",
        algorithm: str = "hmac-sha256",
        key: str = "utf8",
        key_prefix: str | None = None,
        tolerance: int | tuple[int, int] | None = None,
        aliases: Sequence[str] = (),
        ambiguous: bool = False,
        key_length: tuple[int, int] | None = None,
        secret_form: str | None = None,
    ) -> Self:
        self = object.__new__(cls)
        put = self._put
        put("name", _scheme_name("name", name))
        if isinstance(aliases, str):
            raise TypeError("aliases must be a sequence of names, not str")
        put("aliases", tuple(_scheme_name("aliases", alias) for alias in aliases))
        put("ambiguous", bool(ambiguous))
        put("algorithm", _one_of("algorithm", algorithm, _ALGORITHMS))
        put("unit", _one_of("unit", unit, _UNITS))
        put("key", _one_of("key", key, _KEYS))
        form = secret_form or ("base64" if key == "base64" else "hex")
        put("secret_form", _one_of("secret_form", form, _SECRET_FORMS))
        put("key_prefix", ascii_or_none("key_prefix", key_prefix))
        put("key_length", _key_length(key_length))
        self._judge_key()
        self._read_headers(signature, id, timestamp)
        self._read_format(format, separator)
        self._read_template(signed)
        put("tolerance", self._window(tolerance))
        return self

    def replace(self, **changes: Any) -> Scheme:
        """A scheme like this one but for the arguments given.

        Example:
            ``schemes.SHARED_TOKEN.replace(name="my-token", signature="x-my-token")``

        Raises:
            SchemeError: As the constructor.
            TypeError: As the constructor, or an argument it does not have.
        """
        return Scheme(**{**self._arguments(), **changes})

    @property
    def signs_timestamp(self) -> bool:
        """Whether a message states a time that the signature protects."""
        return self.timestamp is not None

    def _arguments(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _ARGUMENTS}

    def _put(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def _judge_key(self) -> None:
        if self.algorithm == "token" and self.key != "utf8":
            raise SchemeError("a token is text: key must be utf8")
        if self.key_prefix is not None and self.key != "base64":
            raise SchemeError("key_prefix is for keys in base64")
        # What Secret.generate makes, Verifier must take.
        if self.key not in ("utf8", self.secret_form):
            raise SchemeError("secret_form must be the encoding of the key, unless that is utf8")

    def _read_headers(self, signature: Names, id: Names, timestamp: Names) -> None:
        signatures = header_names("signature", signature)
        if not signatures:
            raise SchemeError("signature names no header")
        columns: list[tuple[str | None, ...]] = [signatures]
        for argument, value in (("id", id), ("timestamp", timestamp)):
            names = header_names(argument, value)
            if names and len(names) != len(signatures):
                raise SchemeError(f"{argument} must name as many headers as signature does")
            columns.append(names or (None,) * len(signatures))
        families = tuple(Family(row) for row in zip(*columns, strict=True))
        every = [header for family in families for header in family if header is not None]
        if len(set(every)) != len(every):
            raise SchemeError("the scheme names a header twice")
        for argument, given in (("signature", signature), ("id", id), ("timestamp", timestamp)):
            keep = given if given is None or isinstance(given, str) else tuple(given)
            self._put(argument, keep or None)
        self._put("families", families)

    def _read_format(self, format: str, separator: str | None) -> None:
        ascii_or_none("format", format)
        found = [mark for mark in _ENCODINGS if format.endswith(mark)]
        if not found or "{" in format[: -len(found[0])] or "}" in format[: -len(found[0])]:
            raise SchemeError(f"format must be a literal and then one of {', '.join(_ENCODINGS)}")
        encoding = _ENCODINGS[found[0]]
        prefix = format[: -len(found[0])]
        if (encoding == "token") != (self.algorithm == "token"):
            raise SchemeError('format "{token}" and algorithm "token" belong together')
        if separator is not None:
            ascii_or_none("separator", separator)
            if len(separator) != 1 or separator.isalnum() or separator in "+/=\t":
                raise SchemeError("separator must be one character that no signature holds")
            if separator in prefix:
                raise SchemeError("the literal of format holds the separator")
            if encoding == "token":
                raise SchemeError("a token stands alone in its header")
        if prefix != prefix.strip(" \t"):
            raise SchemeError("format begins or ends with white space, which headers lose")
        self._put("format", format)
        self._put("separator", separator)
        self._put("prefix", prefix)
        self._put("encoding", encoding)

    def _read_template(self, signed: str) -> None:
        parts = split_template(signed)
        self._put("signed", signed)
        if self.algorithm == "token":
            if signed:
                raise SchemeError('a token signs nothing: signed must be ""')
            if self.id is not None or self.timestamp is not None:
                raise SchemeError("a token signs nothing: it has neither id nor timestamp")
            self._put("head", ())
            self._put("tail", ())
            self._put("id_forbidden", "")
            self._put("covers", frozenset())
            return
        for mark, header in (("{id}", self.id), ("{timestamp}", self.timestamp)):
            if (mark in parts) != (header is not None):
                raise SchemeError(f"{mark} in signed and a header for it belong together")
        for mark in PLACEHOLDERS:
            if parts.count(Part(mark)) > 1:
                raise SchemeError(f"signed holds {mark} twice")
        if "{body}" not in parts:
            raise SchemeError("signed must hold {body}")
        at = parts.index(Part("{body}"))
        self._put("head", parts[:at])
        self._put("tail", parts[at + 1 :])
        self._put("id_forbidden", self._forbidden_in_id(parts, at))
        self._put("covers", frozenset(part[1:-1] for part in parts if part.is_placeholder))

    def _forbidden_in_id(self, parts: tuple[Part, ...], body_at: int) -> str:
        # Rule 4: two messages must never give the same signed bytes. Before the body a reader
        # comes from the left, so the literal behind a placeholder ends it; behind the body he
        # comes from the right, and the literal before it does.
        forbidden = set()
        for at, part in enumerate(parts):
            if at == body_at or not part.is_placeholder:
                continue
            before = parts[at - 1] if at > body_at else None
            after = parts[at + 1] if at + 1 < len(parts) else None
            end, edge = (before, -1) if before is not None else (after, 0)
            # Digits do not end a timestamp: "017" is as good a time as "17".
            is_open = end is None or end.is_placeholder
            is_open |= part == "{timestamp}" and end is not None and end[edge].isdigit()
            if is_open and not self.ambiguous:
                raise SchemeError(f"nothing separates {part} from {end}: say ambiguous=True")
            if part == "{id}":
                forbidden |= {one[-1] for one in (before,) if one and not one.is_placeholder}
                forbidden |= {one[0] for one in (after,) if one and not one.is_placeholder}
        return "".join(sorted(forbidden))

    def _window(self, tolerance: int | tuple[int, int] | None) -> tuple[int, int] | None:
        both = window(tolerance)
        if both == "off":
            raise SchemeError('a scheme has a window; "off" is for a verifier')
        if self.timestamp is None:
            if both is not None:
                raise SchemeError(f"{self.name} signs no timestamp, so it has no tolerance")
            return None
        return _DEFAULT_WINDOW_SECONDS if both is None else both

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("a Scheme is frozen")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("a Scheme is frozen")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Scheme):
            return NotImplemented
        return self._arguments() == other._arguments()

    def __hash__(self) -> int:
        return hash(tuple(self._arguments().values()))

    def __repr__(self) -> str:
        return f"Scheme({self.name!r})"

    def __reduce__(self) -> tuple[object, ...]:
        return _scheme, (self._arguments(),)


_ARGUMENTS: Final = (
    "name",
    "signature",
    "format",
    "separator",
    "signed",
    "id",
    "timestamp",
    "unit",
    "algorithm",
    "key",
    "key_prefix",
    "tolerance",
    "aliases",
    "ambiguous",
    "key_length",
    "secret_form",
)


def _scheme(arguments: dict[str, Any]) -> Scheme:
    return Scheme(**arguments)


def _scheme_name(argument: str, name: str) -> str:
    if not isinstance(name, str):
        raise TypeError(f"{argument} must be str, not {type(name).__name__}")
    if not name or not name.replace("-", "").isascii() or not name.replace("-", "").isalnum():
        raise SchemeError(f"{argument} must be lower-case letters, digits and hyphens: {name!r}")
    if name != name.lower():
        raise SchemeError(f"{argument} must be lower case: {name!r}")
    return name


def _one_of(argument: str, value: str, allowed: tuple[str, ...]) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{argument} must be str, not {type(value).__name__}")
    if value not in allowed:
        raise SchemeError(f"{argument} must be one of {', '.join(allowed)}, not {value!r}")
    return value


def _key_length(bounds: tuple[int, int] | None) -> tuple[int, int] | None:
    if bounds is None:
        return None
    if [type(bound) for bound in bounds] != [int, int]:
        raise TypeError("key_length must be (shortest, longest), in bytes")
    shortest, longest = bounds
    if not 0 < shortest <= longest:
        raise SchemeError("key_length must be (shortest, longest), in bytes")
    return shortest, longest
