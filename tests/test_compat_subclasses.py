"""What programs bring of their own: names in a subclass, headers that change, stores of secrets."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr

from hookseal import SecretError
from tests.implementations import BODY, NOW, SECRET
from tests.implementations import secret as other_secret
from tests.mirrors import at, dropins, genuine, headers, utc, which

__all__ = ["which"]


# Names.


@pytest.mark.parametrize("name", ["standard", "svix", "svix1"])
def test_a_subclass_may_call_its_own_what_it_likes(which: str, name: str) -> None:
    """None of them switches anything off."""
    names = ["_window", "_verifiers", "_signer", "_chooses", "_scheme", "_state", "_judged"]
    names += ["_verified", "_own_judge", "_made", "_refuse_own_sign", "_names", "window"]
    cls = getattr(dropins(which), name)
    values: list[Any] = [None, 600, (10**9, 10**9), lambda *_: b"{}", {}, []]
    for value in values:
        inherited = type("Mine", (cls,), dict.fromkeys(names, value))(SECRET)
        webhook = cls(SECRET)
        for own in names:
            setattr(webhook, own, value)
        for one in (inherited, webhook):
            with at(0):
                one.verify(BODY, headers(BODY))
                with pytest.raises(Exception, match=r"^No matching signature found$"):
                    one.verify(BODY + b" ", headers(BODY))
            with at(301), pytest.raises(Exception, match=r"^Message timestamp too old$"):
                one.verify(BODY, headers(BODY))


@pytest.mark.parametrize(
    ("name", "private"),
    [
        ("standard", "_whsecret"),
        ("standard", "_SECRET_PREFIX"),
        ("svix", "_inner"),
        ("svix1", "_inner"),
    ],
)
def test_private_names_that_would_change_the_secret(which: str, name: str, private: str) -> None:
    """Setting one is not passed over: the old secret would stay in use."""
    cls = getattr(dropins(which), name)
    webhook = cls(SECRET)
    with pytest.raises(AttributeError, match=f"^this Webhook has no {private}: it keeps no"):
        setattr(webhook, private, b"new")
    with pytest.raises(AttributeError):
        getattr(webhook, private)
    with pytest.raises(AttributeError):
        delattr(webhook, private)
    for given in ("whsec_", property(lambda _: b"key")):
        with pytest.raises(TypeError, match=f"^Mine has a {private} of its own"):
            type("Mine", (cls,), {private: given})
        with pytest.raises(TypeError, match=f"^Mine has a {private} of its own"):
            type("Mine", (type("Mixin", (), {private: given}), cls), {})


# Headers that change while they are read.


def test_a_value_that_changes_the_headers(which: str) -> None:
    """By what it is asked: all were there before the first was looked at."""

    class Falsy:
        def __bool__(self) -> bool:
            given.clear()
            given["x"] = given["y"] = "z"
            return False

    class Name(str):
        __slots__ = ()
        __hash__ = str.__hash__

        def lower(self) -> str:
            given.clear()
            return str.lower(self)

    for odd in ({"Webhook-Signature": Falsy()}, {Name("webhoo\u212a-id"): "msg_1"}):
        given: dict[Any, Any] = {**odd, **headers(BODY)}
        with at(0), pytest.raises(Exception, match=r"^(No matching|Missing required)"):
            dropins(which).standard(SECRET).verify(BODY, given)
    given = {Name("other"): "x", **headers(BODY)}
    with at(0):
        dropins(which).standard(SECRET).verify(BODY, given)


@pytest.mark.parametrize("space", ["\t", " \t", "\t ", "  \t", "\t\t"])
def test_white_space_other_than_sp_before_a_signature(which: str, space: str) -> None:
    signature = headers(BODY)["webhook-signature"]
    for side in (genuine(), dropins(which)):
        with at(0), pytest.raises(Exception, match=r"No matching|not enough"):
            side.standard(SECRET).verify(BODY, headers(BODY, signature=space + signature))


# Stores of secrets.


class _Store:
    def __init__(self, *said: Any) -> None:
        self._said = said
        self.asked = 0

    def get_secret_value(self) -> Any:
        self.asked += 1
        (said,) = self._said
        if isinstance(said, Exception):
            raise said
        return said


@pytest.mark.parametrize("error", [TypeError("vault"), SecretError("vault"), LookupError("vault")])
def test_what_a_store_of_secrets_raises(which: str, error: Exception) -> None:
    for given in (_Store(error), [SECRET, _Store(error)]):
        for name in ("standard", "svix", "svix1"):
            with pytest.raises(type(error), match=r"^vault$") as caught:
                getattr(dropins(which), name)(given)
            assert caught.value is error


def test_a_store_of_secrets_is_asked_once(which: str) -> None:
    stores = [_Store(SECRET), _Store(other_secret(1))]
    webhook = dropins(which).standard(stores)
    with at(0):
        webhook.verify(BODY, headers(BODY))
        webhook.sign("msg_1", utc(NOW), "{}")
    assert [store.asked for store in stores] == [1, 1]
    dropins(which).standard((SecretStr(SECRET), other_secret(1)))
    for wrong in (5, None, "?"):
        with pytest.raises(RuntimeError, match=r"^Invalid webhook secret"):
            dropins(which).standard(_Store(wrong))
