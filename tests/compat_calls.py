"""Calls of the drop-ins, drawn at random: good, damaged, hostile, and of wrong types.

The same seed draws the same calls. Nothing here knows what is right: the genuine packages do.
"""

from __future__ import annotations

import array
import email.message
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any, Final

import httpx

from tests.compat_choices import IDS, ODD_IDS, ODD_TIMES, WRONG, Choice
from tests.compat_damages import DAMAGES
from tests.compat_rows import Items
from tests.compat_rows_functions import Encodes
from tests.implementations import KEY, NOW, SECRET
from tests.implementations import secret as other_secret
from tests.mirrors import TEXT_SECRET, Call, base64_mac, hex_mac, mac, utc


def verify_call(function: str, choice: Choice) -> Call:
    """One call of ``verify``."""
    body = choice.body()
    id, stamp = choice.of(*IDS), str(NOW + choice.of(0, 0, 0, 1, -1, 299, -299, 300))
    if choice.maybe(0.1):
        id = choice.of(*ODD_IDS)
    if choice.maybe(0.15):
        stamp = str(NOW + choice.of(-300, -301, 301, 302, 3600, -3600, -NOW))
    # Over the header's text, or over the number that the original makes of it.
    signed_stamp = stamp
    if choice.maybe(0.12):
        stamp = choice.of(*ODD_TIMES)
        signed_stamp = choice.of(str(NOW), stamp if stamp.isascii() else str(NOW))
    signature = mac(body, id, signed_stamp)
    family = "webhook" if function == "standard" else choice.of("webhook", "svix")
    given: dict[Any, Any] = {
        f"{family}-id": id,
        f"{family}-timestamp": stamp,
        f"{family}-signature": signature,
    }
    data: Any = body
    for _ in range(choice.of(0, 1, 1, 1, 2, 3)):
        damage = choice.of(*DAMAGES)
        data = damage(choice, given, family, data, signature)
    headers: Any = _dressed(choice, given)
    if choice.maybe(0.02):
        headers = choice.of(*WRONG)
    arguments: dict[str, Any] = {"data": data, "headers": headers}
    if function == "standard" and choice.maybe(0.5):
        arguments["json_parse"] = choice.of(False, False, True, None, 0, 1)
    if choice.maybe(0.05):
        arguments["secret"] = choice.of(KEY, SECRET.removeprefix("whsec_"), other_secret(1))
    return Call(function, arguments, choice.of(0.0, 0.5, 0.5, 0.999))


def _dressed(choice: Choice, given: dict[Any, Any]) -> Any:
    """The headers as a framework hands them over."""
    if choice.maybe(0.2):
        given = {"Host": "example.com", "Accept": "*/*"} | given
    if choice.maybe(0.2):
        title = [(n.title() if isinstance(n, str) else n, v) for n, v in given.items()]
        given = dict(title) if len({str(n) for n, _ in title}) == len(given) else given
    dress = choice.of(dict, dict, dict, dict, "items", "httpx", "message")
    plain = all(
        isinstance(name, str)
        and isinstance(value, str)
        and name.isascii()
        and value.isascii()
        and value.isprintable()
        for name, value in given.items()
    )
    if dress == "items":
        return Items(list(given.items()))
    if dress == "httpx" and plain:
        return httpx.Headers(given)
    if dress == "message" and plain:
        message = email.message.Message()
        for name, value in given.items():
            message[name] = value
        return message
    return given


def constructor_call(choice: Choice) -> Call:
    """One call of ``Webhook(…)``."""
    key = choice.random.randbytes(choice.of(0, 1, 2, 23, 24, 32, 64, 100))
    encoded = base64_text(key)
    at = choice.random.randrange(len(encoded) + 1)
    secret = choice.of(
        "whsec_" + encoded,
        encoded,
        "whsec_" + encoded.rstrip("="),
        key,
        key + b"x",
        encoded + "\n",
        "whsec_" + encoded[:at] + choice.of(*"!-_ \né=.") + encoded[at:],
        "whsec_" + encoded[:at],
        "WHSEC_" + encoded,
        "whsec_whsec_" + encoded,
        "v1,whsec_" + encoded,
        "whsk_" + encoded,
        "whpk_" + encoded,
        b"whsec_" + encoded.encode(),
        "!!!",
        "whsec_",
        "====",
        " ",
        "\ud800",
        "whsec_\ud800",
        *(one for one in WRONG if not isinstance(one, (list, tuple, str)) or not one),
    )
    return Call("constructor", {"whsecret": secret})


def base64_text(data: bytes) -> str:
    """Base64 as everybody writes it."""
    from base64 import b64encode

    return b64encode(data).decode()


def sign_call(choice: Choice) -> Call:
    """One call of ``sign``."""
    second = NOW + choice.random.uniform(-(10**6), 10**6)
    zone = timezone(timedelta(minutes=choice.of(0, 0, 120, -330)))
    stamp = choice.of(
        utc(second),
        utc(second),
        utc(second).replace(tzinfo=None),
        utc(second).astimezone(zone),
        utc(second).replace(microsecond=0),
        datetime(1970, 1, 1),
    )
    if choice.maybe(0.1):
        stamp = choice.of(
            datetime(1969, 12, 31, 23, 59, 59, 5),
            datetime.max,
            datetime(5138, 11, 17),
            None,
            NOW,
            "x",
            timedelta(5),
        )
    data: Any = choice.body().decode("utf-8", "replace")
    if choice.maybe(0.1):
        data = choice.of(*WRONG, "\ud800")
    id = choice.of(*IDS) if choice.maybe(0.8) else choice.of(*ODD_IDS, *WRONG)
    return Call("sign", {"msg_id": id, "timestamp": stamp, "data": data})


def hmac_call(choice: Choice) -> Call:
    """One call of ``hmac_data``."""
    key: Any = choice.random.randbytes(choice.of(0, 1, 32, 64, 65, 200))
    data: Any = choice.body()
    if choice.maybe(0.3):
        key = choice.of(key, *WRONG)
        data = choice.of(data, *WRONG)
    return Call("hmac_data", {"key": key, "data": data})


def _damaged_text(choice: Choice, good: str) -> Any:
    at = choice.random.randrange(len(good))
    return choice.of(
        good,
        good,
        good,
        good[:-1],
        good + "0",
        good.upper(),
        " " + good,
        good + " ",
        good + "\n",
        good[:at] + choice.of(*"0aAfFzg=+/é ") + good[at + 1 :],
        good[:at],
        good + "é",
        "\ud800",
        "",
        *WRONG,
    )


def github_call(choice: Choice) -> Call:
    """One call of ``validate_event``."""
    body = choice.body()
    secret: Any = choice.of(TEXT_SECRET, TEXT_SECRET, "s", "é\U0001f600", "", " ", "x" * 100, "\n")
    good = hex_mac(body, secret, choice.of("sha256", "sha256", "sha256", "sha1"))
    signature: Any = _damaged_text(choice, good) if choice.maybe(0.6) else good
    if choice.maybe(0.05):
        signature = choice.of("md5=", "sha512=", "sha256", "sha256=sha256=") + good[7:]
    payload: Any = body
    if choice.maybe(0.15):
        payload = choice.of(
            bytearray(body),
            memoryview(body),
            array.array("B", body),
            body.decode("utf-8", "replace"),
            memoryview(body)[::2],
            memoryview(body * 2).cast("H"),
            *WRONG,
        )
    if choice.maybe(0.1):
        secret = choice.of(*WRONG, "\ud800", Encodes(TEXT_SECRET))
    return Call("github", {"payload": payload, "signature": signature, "secret": secret})


def _text_body(choice: Choice) -> str:
    return choice.body().decode("utf-8", "replace")


def uplift_call(choice: Choice) -> Call:
    """One call of Uplift's ``verify_signature``."""
    text = _text_body(choice)
    secret = choice.of(TEXT_SECRET, TEXT_SECRET, TEXT_SECRET, "é", "", " ", None, "\udcff")
    good = hex_mac(text.encode(), TEXT_SECRET if secret == "\udcff" else secret or "")
    signature: Any = _damaged_text(choice, good) if choice.maybe(0.5) else good
    body: Any = text
    if choice.maybe(0.15):
        body = choice.of(text.encode(), bytearray(text.encode()), "\ud800", *WRONG)
    arguments = {"request_body": body, "signature_from_request_header": signature, "secret": secret}
    return Call("uplift", arguments)


def zoho_call(choice: Choice) -> Call:
    """One call of Zoho's ``verify_signature``."""
    text = _text_body(choice)
    secret: Any = choice.of(TEXT_SECRET, TEXT_SECRET, TEXT_SECRET, "é", "", " ")
    good = base64_mac(text.encode(), secret)
    signature: Any = _damaged_text(choice, good) if choice.maybe(0.5) else good
    payload: Any = text
    if choice.maybe(0.15):
        payload = choice.of(text.encode(), bytearray(text.encode()), "\ud800", *WRONG)
    if choice.maybe(0.1):
        secret = choice.of(*WRONG, "\ud800", Encodes(TEXT_SECRET))
    return Call("zoho", {"payload": payload, "signature": signature, "secret": secret})


CALLS: Final[dict[str, Callable[[Choice], Call]]] = {
    "standard": lambda choice: verify_call("standard", choice),
    "svix": lambda choice: verify_call("svix", choice),
    "svix1": lambda choice: verify_call("svix1", choice),
    "constructor": constructor_call,
    "sign": sign_call,
    "hmac_data": hmac_call,
    "github": github_call,
    "uplift": uplift_call,
    "zoho": zoho_call,
}
