"""What the classes refuse: subclasses, instances by hand, changes, copies. And the exceptions."""

from __future__ import annotations

import copy
import pickle
import re
import warnings
from contextlib import suppress
from typing import Any

import pytest

import hookseal
from hookseal import (
    Endpoint,
    Finding,
    Message,
    Scheme,
    SchemeError,
    SecretError,
    Verdict,
    VerificationError,
    _errors,
)
from tests.implementations import BODY, KEY, NOW, SECRET, key, secret, signed

HOT = ["BatchResult", "Keyring", "Secret", "Signer", "Verified", "Verifier"]


def made(hooks: Any) -> dict[str, Any]:
    """One object of each class."""
    verifier = hooks.Verifier(SECRET)
    return {
        "Verifier": verifier,
        "Signer": hooks.Signer(SECRET),
        "Secret": hooks.Secret(SECRET, label="x"),
        "Keyring": hooks.Keyring({"a": SECRET}),
        "Verified": verifier.verify(BODY, signed(), now=NOW),
        "BatchResult": verifier.verify_batch([(BODY, signed())], now=NOW),
    }


@pytest.mark.parametrize("name", HOT)
def test_no_subclass(hooks: Any, name: str) -> None:
    with pytest.raises(TypeError):
        type("Mine", (getattr(hooks, name),), {})


@pytest.mark.parametrize("name", ["Verified", "BatchResult"])
def test_not_made_by_hand(hooks: Any, name: str) -> None:
    """Only a verification makes them: a function that takes one needs not ask."""
    cls = getattr(hooks, name)
    for make in (cls, lambda: cls.__new__(cls), lambda: cls(b"", {}), lambda: cls(body=b"")):
        with pytest.raises(TypeError):
            make()


@pytest.mark.parametrize("name", HOT)
def test_nothing_can_be_set(hooks: Any, name: str) -> None:
    one = made(hooks)[name]
    attributes = [attribute for attribute in dir(one) if not attribute.startswith("_")]
    for attribute in [*attributes, "new", "_new"]:
        with pytest.raises(AttributeError):
            setattr(one, attribute, None)
        with pytest.raises(AttributeError):
            delattr(one, attribute)
    assert not hasattr(one, "__dict__")


@pytest.mark.parametrize("name", HOT)
def test_no_copies(hooks: Any, name: str) -> None:
    one = made(hooks)[name]
    for change in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError):
            change(one)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError):
            pickle.dumps(one, protocol)
        with pytest.raises(TypeError):
            one.__reduce_ex__(protocol)
    state = None
    with suppress(TypeError):
        state = one.__getstate__()
    assert state is None


@pytest.mark.parametrize("name", HOT)
def test_no_constructor_called_again(hooks: Any, name: str) -> None:
    """``__init__`` on a finished object changes nothing."""
    one = made(hooks)[name]
    before = repr(one)
    several: list[Any] = [(), (key(9),), ({},)]
    for arguments in several:
        try:
            one.__init__(*arguments)
        except TypeError:
            continue
    assert repr(one) == before


@pytest.mark.parametrize("name", HOT)
def test_name_and_module(hooks: Any, name: str) -> None:
    cls = getattr(hooks, name)
    assert cls.__name__ == cls.__qualname__ == name
    assert cls.__module__.startswith("hookseal")
    if hooks.__name__ == "hookseal":
        assert cls.__module__ == "hookseal"


def test_repr(hooks: Any) -> None:
    ring = hooks.Keyring({"a": SECRET, "b": [secret(1), secret(2)], "c": SECRET})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        unsigned = hooks.Verifier.unsigned(reason="it's behind a VPN")
    shown = {
        "Verifier(scheme='standard-webhooks', secrets=2)": hooks.Verifier([SECRET, secret(1)]),
        "Verifier(scheme='uplift', secrets=1)": hooks.Verifier(SECRET, scheme="uplift"),
        "Verifier(scheme='standard-webhooks', secrets=1, tolerance=(300, 300))": hooks.Verifier(
            SECRET, tolerance=300
        ),
        "Verifier(scheme='github', secrets=1, tolerance='off')": hooks.Verifier(
            SECRET, scheme="github", tolerance="off"
        ),
        "Verifier(endpoints=3)": hooks.Verifier(ring),
        "Verifier(endpoints=3, tolerance=(1, 2))": hooks.Verifier(ring, tolerance=(1, 2)),
        'Verifier(UNSIGNED, reason="it\'s behind a VPN")': unsigned,
        "Keyring(endpoints=3, scheme='standard-webhooks')": ring,
        "Keyring(endpoints=0, scheme='github')": hooks.Keyring(scheme="github"),
        "Signer(scheme='standard-webhooks', secrets=1)": hooks.Signer(SECRET),
        "Secret(label=None)": hooks.Secret(SECRET),
        "Secret(label='x', not_before=1, not_after=2)": hooks.Secret(
            SECRET, label="x", not_before=1, not_after=2.9
        ),
        'Secret(label="it\'s", not_after=2)': hooks.Secret(SECRET, label="it's", not_after=2),
        "BatchResult(valid=0, invalid=1)": hooks.Verifier(SECRET).verify_batch([None]),
        "BatchResult(UNSIGNED, valid=1, invalid=0)": unsigned.verify_batch([(b"", {})]),
        "Verified(scheme='standard-webhooks', id='msg_1', timestamp=1700000000, secret='0',"
        " endpoint=None, fresh=True)": hooks.Verifier(SECRET).verify(BODY, signed(), now=NOW),
        "Verified(UNSIGNED, scheme='unsigned', id=None, timestamp=None, secret=None,"
        " endpoint=None, fresh=False)": unsigned.verify(b"", {}),
    }
    for text, one in shown.items():
        assert repr(one) == str(one) == f"{one}" == text
        with pytest.raises(TypeError):
            format(one, ">50")


def test_unsigned_warns_once_at_its_caller(hooks: Any) -> None:
    with pytest.warns(UserWarning, match="accepts every message") as caught:
        verifier = hooks.Verifier.unsigned(reason="behind a VPN")
    assert len(caught) == 1
    assert "behind a VPN" in str(caught[0].message)
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert verifier.check(b"", {})


# Exceptions.

# Verdict: number, exception, code, HTTP hint. They are for ever.
TABLE = {
    "NOT_A_MESSAGE": (2, "NotAMessageError", "not_a_message", 400),
    "UNKNOWN_ENDPOINT": (3, "UnknownEndpointError", "unknown_endpoint", 401),
    "TOO_LARGE": (4, "TooLargeError", "too_large", 413),
    "MISSING_HEADER": (5, "MissingHeaderError", "missing_header", 401),
    "AMBIGUOUS_HEADER": (6, "AmbiguousHeaderError", "ambiguous_header", 401),
    "MALFORMED_HEADER": (7, "MalformedHeaderError", "malformed_header", 401),
    "MALFORMED_TIMESTAMP": (8, "MalformedTimestampError", "malformed_timestamp", 401),
    "TOO_OLD": (9, "TooOldError", "too_old", 401),
    "TOO_NEW": (10, "TooNewError", "too_new", 401),
    "MALFORMED_SIGNATURE": (11, "MalformedSignatureError", "malformed_signature", 401),
    "SIGNATURE_MISMATCH": (12, "SignatureMismatchError", "signature_mismatch", 401),
    "REPLAYED": (13, "ReplayedError", "replayed", 409),
}
PUBLIC_MESSAGE = "webhook verification failed"


def test_the_table_is_complete() -> None:
    assert [verdict.name for verdict in Verdict] == ["UNVERIFIED", "VALID", *TABLE]
    assert (Verdict.UNVERIFIED, Verdict.VALID) == (0, 1)
    assert [bool(verdict) for verdict in Verdict] == [False, True] + [False] * 12
    subclasses = {cls.__name__ for cls in VerificationError.__subclasses__()}
    assert subclasses == {row[1] for row in TABLE.values()}


@pytest.mark.parametrize("name", TABLE)
def test_exception(name: str) -> None:
    number, class_name, code, hint = TABLE[name]
    cls = getattr(hookseal, class_name)
    assert cls.__bases__ == (VerificationError,)
    assert Verdict[name] == number
    assert (cls.code, cls.verdict, cls.status_hint) == (code, Verdict[name], hint)
    assert re.fullmatch("[a-z]+(_[a-z]+)*", cls.code)
    error = _errors.refusal(number, "header 'webhook-id'", 7)
    assert type(error) is cls
    assert error.public_message == PUBLIC_MESSAGE
    bare = _errors.refusal(number)
    assert type(bare) is cls
    assert str(bare)
    for one in (error, bare, cls("text")):
        for again in (
            copy.copy(one),
            copy.deepcopy(one),
            *(pickle.loads(pickle.dumps(one, p)) for p in range(pickle.HIGHEST_PROTOCOL + 1)),
        ):
            assert type(again) is cls
            assert (str(again), again.args) == (str(one), one.args)
            assert (again.code, again.verdict) == (code, Verdict[name])


def test_the_tree() -> None:
    """As the docstring of hookseal._errors draws it."""
    assert VerificationError.__bases__ == (Exception,)
    assert SecretError.__bases__ == SchemeError.__bases__ == (ValueError,)
    drawn = (_errors.__doc__ or "").split("::")[1].split("Wrong types")[0]
    rows = re.findall(r"([A-Z]\w+Error)\s+(\d{3})?", drawn)
    assert {(name, int(hint)) for name, hint in rows if hint} == {
        (row[1], row[3]) for row in TABLE.values()
    }
    classes = {name for name in hookseal.__all__ if name.endswith("Error")}
    assert {name for name, _ in rows} - {"ValueError"} == classes


_SAYING = {
    "bad signature": ({"webhook-signature": "v1," + "A" * 43 + "="}, {}),
    "malformed": ({"webhook-signature": "v1,canary-header"}, {}),
    "id": ({"webhook-id": "canary.header"}, {}),
    "timestamp": ({"webhook-timestamp": "canary-header"}, {}),
    "too old": ({"webhook-timestamp": "1600000000"}, {}),
    "too new": ({"webhook-timestamp": str(NOW * 1000)}, {}),
    "missing": ({"webhook-id": ""}, {}),
    "ambiguous": ({"Webhook-Id": "canary-header"}, {}),
    "too large": ({}, {"max_body_bytes": 3}),
}


@pytest.mark.parametrize("case", _SAYING)
def test_errors_hold_no_body_and_no_secret(hooks: Any, case: str) -> None:
    """Nor the signature that would have been right, nor what the sender wrote."""
    changed, named = _SAYING[case]
    body = b"canary-body"
    headers = {**signed(body), **changed}
    right = signed(body)["webhook-signature"].removeprefix("v1,")
    verifier = hooks.Verifier(SECRET, **named)
    with pytest.raises(VerificationError) as caught:
        verifier.verify(body, headers, now=NOW)
    error = caught.value
    kept = (
        repr(error) + str(error) + repr(error.args) + repr(vars(error)) + repr(error.__notes__)
        if hasattr(error, "__notes__")
        else repr(error) + str(error) + repr(vars(error))
    )
    for canary in ("canary", right, SECRET.removeprefix("whsec_"), KEY.hex(), repr(KEY)):
        assert canary not in kept
    assert error.__cause__ is None
    assert error.public_message == PUBLIC_MESSAGE
    assert ("milliseconds" in str(error)) is (case == "too new")


# Shared values: frozen, but not secret, so they travel.


def test_shared_values_travel() -> None:
    shared: list[Any] = [
        Message(BODY, {"a": "b"}, endpoint="e", received_at=NOW, url="u", method="POST"),
        hookseal.schemes.get("svix"),
        Scheme("mine", signature="x-s", format="{hex}", tolerance=None),
        Finding("short", number=1, limit=2, label="x"),
        Verdict.TOO_OLD,
    ]
    for one in shared:
        for again in (copy.copy(one), copy.deepcopy(one), pickle.loads(pickle.dumps(one))):
            assert repr(again) == repr(one)
            if not isinstance(one, Message):
                assert again == one
                assert hash(again) == hash(one)
        if not isinstance(one, Verdict):
            for attribute in ("code", "name", "body", "new"):
                with pytest.raises(AttributeError):
                    setattr(one, attribute, None)
                with pytest.raises(AttributeError):
                    delattr(one, attribute)


def test_an_endpoint_does_not_travel() -> None:
    endpoint = Endpoint(SECRET)
    for change in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError):
            change(endpoint)
    assert SECRET not in repr(endpoint)
    with pytest.raises(AttributeError):
        endpoint.scheme = "github"
