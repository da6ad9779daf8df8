"""``Scheme``: what is no scheme is refused at once, and says why."""

from __future__ import annotations

import pickle
import sys
from typing import Any

import pytest

import hookseal
from hookseal import Endpoint, Message, Scheme, SchemeError, schemes
from hookseal.pure import Secret, Verifier
from hookseal.pure._line_tally import LineTally
from hookseal.pure._lines import LineJudge
from hookseal.pure._signature import _pieces
from tests.implementations import BODY, NOW, SECRET

# Arguments that are good together; each row changes some.
GOOD: dict[str, Any] = {"name": "a-name", "signature": "x-sig"}

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"name": ""}, "name must be lower-case letters, digits and hyphens: ''"),
    ({"name": "a b"}, "name must be lower-case"),
    ({"name": "é"}, "name must be lower-case"),
    ({"name": "A"}, "name must be lower case: 'A'"),
    ({"algorithm": "none"}, "algorithm must be one of hmac-sha256, token, not 'none'"),
    ({"unit": "us"}, "unit must be one of"),
    ({"key": "base32"}, "key must be one of"),
    ({"secret_form": "base32"}, "secret_form must be one of"),
    ({"key": "base64", "secret_form": "hex"}, "secret_form must be the encoding of the key"),
    ({"key_prefix": "k_"}, "key_prefix is for keys in base64"),
    ({"algorithm": "token", "key": "hex"}, "a token is text: key must be utf8"),
    ({"key_length": (0, 9)}, "key_length must be (shortest, longest), in bytes"),
    ({"key_length": (9, 8)}, "key_length must be (shortest, longest), in bytes"),
    ({"signature": ()}, "signature names no header"),
    ({"signature": "x sig"}, "signature is not a header name: 'x sig'"),
    ({"signature": "x-\u212aey"}, "signature is not a header name"),
    ({"signature": [f"x-{n}" for n in range(99)]}, "signature names more than"),
    ({"id": ("x-a", "x-b")}, "id must name as many headers as signature does"),
    ({"id": "X-Sig", "signed": "{id}.{body}"}, "the scheme names a header twice"),
    ({"format": "v1={hex"}, "format must be a literal and then one of"),
    ({"format": "{x}{hex}"}, "format must be a literal and then one of"),
    ({"format": "é{hex}"}, "format must be printable ASCII"),
    ({"format": " {hex}"}, "format begins or ends with white space"),
    ({"format": "{token}"}, 'format "{token}" and algorithm "token" belong together'),
    ({"algorithm": "token"}, 'format "{token}" and algorithm "token" belong together'),
    ({"separator": ",,"}, "separator must be one character that no signature holds"),
    ({"separator": "="}, "separator must be one character that no signature holds"),
    ({"separator": ",", "format": "v1,{hex}"}, "the literal of format holds the separator"),
    (
        {"algorithm": "token", "format": "{token}", "separator": " "},
        "a token stands alone in its header",
    ),
    ({"algorithm": "token", "format": "{token}"}, 'a token signs nothing: signed must be ""'),
    (
        {"algorithm": "token", "format": "{token}", "signed": "", "id": "x-id"},
        "a token signs nothing: it has neither id nor timestamp",
    ),
    ({"signed": "{id}.{body}"}, "{id} in signed and a header for it belong together"),
    ({"timestamp": "x-t"}, "{timestamp} in signed and a header for it belong together"),
    ({"id": "x-id", "signed": "{id}.{id}.{body}"}, "signed holds {id} twice"),
    ({"signed": "literal"}, "signed must hold {body}"),
    ({"signed": "{body}{"}, "signed may hold {id}, {timestamp}, {body} and literals"),
    ({"signed": "x" * 9_999 + "{body}"}, "signed must have at most"),
    ({"id": "x-id", "signed": "{id}{body}"}, "nothing separates {id} from {body}"),
    ({"id": "x-id", "signed": "{body}{id}"}, "nothing separates {id} from {body}"),
    ({"timestamp": "x-t", "signed": "{timestamp}7{body}"}, "nothing separates {timestamp} from 7"),
    ({"tolerance": 9}, "a-name signs no timestamp, so it has no tolerance"),
    ({"tolerance": "off"}, 'a scheme has a window; "off" is for a verifier'),
]

WRONG_TYPES: list[dict[str, Any]] = [
    {"name": 1},
    {"aliases": "one"},
    {"algorithm": None},
    {"key_length": (1.0, 2)},
    {"signature": [b"x-sig"]},
    {"signed": b"{body}"},
    {"key": "base64", "key_prefix": b"k"},
]


@pytest.mark.parametrize(("changes", "words"), REFUSED)
def test_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(SchemeError) as raised:
        Scheme(**{**GOOD, **changes})
    assert words in str(raised.value)


@pytest.mark.parametrize("changes", WRONG_TYPES)
def test_wrong_types(changes: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        Scheme(**{**GOOD, **changes})


def test_schemes_are_values() -> None:
    scheme = Scheme(**GOOD)
    other = pickle.loads(pickle.dumps(scheme))
    assert other == scheme
    assert hash(other) == hash(scheme)
    assert repr(other) == "Scheme('a-name')"
    assert scheme != "a-name"
    assert scheme.replace(name="b") != scheme
    with pytest.raises(AttributeError, match="a Scheme is frozen"):
        scheme.name = "b"
    with pytest.raises(AttributeError, match="a Scheme is frozen"):
        del scheme.name


def test_presets_by_name() -> None:
    assert schemes.get("github") is schemes.GITHUB
    assert "GITHUB" in dir(schemes)
    with pytest.raises(SchemeError, match="no scheme is called 'githup'; the nearest is 'github'"):
        schemes.get("githup")
    with pytest.raises(TypeError):
        schemes.get(b"github")  # type: ignore[arg-type]
    for name in ("github", "NO_SUCH_SCHEME"):
        with pytest.raises(AttributeError, match=name):
            getattr(schemes, name)


def test_endpoints_and_messages_are_checked_where_they_are_made() -> None:
    with pytest.raises(TypeError):
        Endpoint(SECRET, scheme=b"github")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="tolerance as a tuple must be"):
        Endpoint(SECRET, tolerance=(1, 2, 3))  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        Message(BODY, {}, url=b"/")  # type: ignore[arg-type]
    endpoint = Endpoint(SECRET)
    with pytest.raises(AttributeError, match="an Endpoint is frozen"):
        del endpoint.scheme


def test_weaknesses_of_a_key_that_is_too_long() -> None:
    scheme = Scheme(**GOOD, key_length=(4, 8))
    codes = [finding.code for finding in Secret("abcdefghi").check(scheme)]
    assert "long" in codes
    assert "short" not in codes


def test_pieces_between_separators() -> None:
    assert list(_pieces(b"a b", " ")) == [b"a", b"b"]
    assert list(_pieces(b" a, b ", " ")) == [b"a", b"b"]
    assert list(_pieces(b", ", " ")) == []


def test_line_judges_of_plain_python() -> None:
    verifier = Verifier(SECRET)
    judge = LineJudge(verifier, now=NOW)
    assert repr(judge) == "LineJudge(messages=0, broken=0)"
    assert repr(judge.feed(b"{}\n")) == "LineReport(refusals=1, rejected=0)"
    for wrong in (b"x", None, True, 1.5):
        with pytest.raises(TypeError):
            LineJudge(verifier, max_line_bytes=wrong)  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            LineJudge(wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="max_line_bytes must be at least 1"):
        LineJudge(verifier, max_line_bytes=0)
    with pytest.raises(TypeError):
        judge.feed("{}")  # type: ignore[arg-type]
    with judge._alone(), pytest.raises(RuntimeError):
        judge.feed(b"")


def test_an_installation_without_the_core(monkeypatch: pytest.MonkeyPatch) -> None:
    """What needs the compiled module says so; everything else is there."""
    for name in [name for name in sys.modules if name.split(".")[0] == "hookseal"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "hookseal._core", None)
    import hookseal as without

    assert without is not hookseal
    with pytest.raises(ImportError, match=r"hookseal\.Verifier needs the compiled module"):
        without.Verifier  # noqa: B018
    assert without.__version__ == hookseal.__version__
    with pytest.raises(AttributeError, match="no attribute 'other'"):
        without.other  # type: ignore[attr-defined]  # noqa: B018


def test_a_core_that_does_not_load_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        @staticmethod
        def find_spec(name: str, *_: Any) -> None:
            if name == "hookseal._core":
                raise ModuleNotFoundError("no module 'other'", name="other")

    for name in [name for name in sys.modules if name.split(".")[0] == "hookseal"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Broken, *sys.meta_path])
    with pytest.raises(ModuleNotFoundError, match="other"):
        import hookseal  # noqa: F401


def test_a_tally_of_nothing() -> None:
    tally = LineTally.of(Verifier(SECRET)._rules)
    assert (tally.messages, tally.counts()) == (0, {})
