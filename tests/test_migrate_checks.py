"""Checks written by hand, in the forms in which providers print them and people write them."""

from __future__ import annotations

import ast
from textwrap import dedent
from typing import Any

import pytest

from hookseal._cli._migrate._advice import advice
from hookseal._cli._migrate._checks import Check, checks
from hookseal._cli._migrate._found import Found
from tests.implementations import SECRET

pytest.importorskip("hookseal._core")

UPLIFT = "from hookseal.compat.uplift import verify_signature"
ZOHO = "from hookseal.compat.zoho import verify_signature"
STANDARD = "verifier = Verifier(secret)"
GITHUB = 'verifier = Verifier(secret, scheme="github")'

# The text, the line of its comparison, and a line of the advice.
CHECKS: dict[str, tuple[str, int, str]] = {
    # Uplift's page on webhook secrets, with the indentation that it lacks there.
    "uplift": (
        """\
        import os
        import hmac
        import hashlib

        def verify_signature(request_body, signature_from_request_header):
            calculated_signature = 'sha256=' + hmac.new(bytes(os.environ['SECRET_TOKEN'],
                encoding='utf-8'), request_body.encode('utf-8'), hashlib.sha256).hexdigest()
            return hmac.compare_digest(calculated_signature, signature_from_request_header)
        """,
        8,
        UPLIFT,
    ),
    "uplift by its header": (
        """\
        import hashlib, hmac

        async def hook(request):
            body = await request.body()
            expected = hmac.new(KEY, body, hashlib.sha256).hexdigest()
            given = request.headers["X-Uplift-Signature-256"].removeprefix("sha256=")
            if not hmac.compare_digest(expected, given):
                raise HTTPException(401)
        """,
        7,
        'verifier = Verifier(secret, scheme="uplift")',
    ),
    # GitHub's page on validating deliveries.
    "github": (
        """\
        import hashlib
        import hmac
        def verify_signature(payload_body, secret_token, signature_header):
            if not signature_header:
                raise HTTPException(status_code=403, detail="the header is missing!")
            hash_object = hmac.new(secret_token.encode('utf-8'), msg=payload_body,
                                   digestmod=hashlib.sha256)
            expected_signature = "sha256=" + hash_object.hexdigest()
            if not hmac.compare_digest(expected_signature, signature_header):
                raise HTTPException(status_code=403, detail="Request signatures didn't match!")

        def hook(request):
            verify_signature(request.data, S, request.headers.get("x-hub-signature-256"))
        """,
        9,
        GITHUB,
    ),
    "github under WSGI": (
        """\
        from hmac import HMAC, compare_digest as same
        from hashlib import sha256 as sha
        def hook(request):
            mac = HMAC(SECRET, request.body, sha)
            sent = request.META["HTTP_X_HUB_SIGNATURE_256"]
            return same(f"sha256={mac.hexdigest()}", sent)
        """,
        6,
        GITHUB,
    ),
    "a header in a constant, ==": (
        """\
        import hmac
        HEADER = "X-Hub-Signature-256"
        class Hook:
            def sign(self, body):
                m = hmac.new(self.secret, digestmod="sha256")
                m.update(body)
                return "sha256=" + m.hexdigest()
            def post(self, request):
                if self.sign(request.body) != request.headers.get(HEADER):
                    return 401
        """,
        9,
        GITHUB,
    ),
    "zoho, a helper between": (
        """\
        import base64, hashlib, hmac
        def mac(payload, key):
            return base64.b64encode(hmac.new(key.encode(), payload, hashlib.sha256).digest())
        def signature_of(payload):
            return mac(payload, KEY).decode()
        def hook(request):
            sent = request.headers["X-ZP-WEBHOOK-SIGNATURE"]
            return hmac.compare_digest(signature_of(request.data), sent)
        """,
        8,
        ZOHO,
    ),
    "standard webhooks": (
        """\
        import base64, hashlib, hmac
        def verify(secret, headers, body):
            key = base64.b64decode(secret.removeprefix("whsec_"))
            signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{body.decode()}"
            mac = base64.b64encode(hmac.new(key, signed.encode(), hashlib.sha256).digest())
            for one in headers["webhook-signature"].split():
                version, sent = one.split(",", 1)
                if version == "v1" and hmac.compare_digest(mac.decode(), sent):
                    return True
            return False
        """,
        8,
        STANDARD,
    ),
    "standard webhooks without its headers": (
        """\
        import base64, hashlib, hmac
        def verify_webhook(msg_id, timestamp, body, sent):
            to_sign = msg_id + "." + timestamp + "." + body
            mac = hmac.digest(base64.b64decode(SECRET[len("whsec_"):]), to_sign.encode(), "sha256")
            return hmac.compare_digest("v1," + base64.b64encode(mac).decode(), sent)
        """,
        5,
        STANDARD,
    ),
    "svix": (
        """\
        import base64, hashlib, hmac
        def verify(request):
            h = request.headers
            signed = ".".join([h["svix-id"], h["svix-timestamp"], request.text])
            mac = base64.b64encode(hmac.new(KEY, signed.encode(), hashlib.sha256).digest())
            return any(hmac.compare_digest(mac, s) for s in h["svix-signature"].split())
        """,
        6,
        'verifier = Verifier(secret, scheme="svix")',
    ),
    "another provider": (
        """\
        import hmac
        def is_valid(request):
            sent = request.headers["X-Acme-Signature"]
            return hmac.compare_digest(hmac.digest(K, request.body, "sha256").hex(), sent)
        """,
        4,
        'scheme = Scheme("a-name", signature="X-Acme-Signature", format="{hex}")',
    ),
    "another provider, base64 behind a prefix": (
        """\
        import hmac, secrets, binascii
        def is_valid(request):
            sent = request.headers["HTTP_X_ACME_HMAC"]
            mac = binascii.b2a_base64(hmac.digest(K, request.body, "sha256"), newline=False)
            return secrets.compare_digest("sha256=%s" % mac.decode(), sent)
        """,
        5,
        'scheme = Scheme("a-name", signature="x-acme-hmac", format="sha256={base64}")',
    ),
    "no header to be seen": (
        """\
        import hmac
        def verify_webhook(body, sent):
            return hmac.compare_digest(hmac.new(K, body, "sha256").hexdigest(), sent)
        """,
        3,
        'signature="the-header-with-the-signature", format="{hex}")',
    ),
    "outside of functions": (
        """\
        import hmac
        sent = headers["X-Hub-Signature-256"]
        ok = hmac.compare_digest("sha256=" + hmac.new(K, body, "sha256").hexdigest(), sent)
        """,
        3,
        GITHUB,
    ),
    "gitlab's token": (
        """\
        import hmac
        def hook(request):
            if not hmac.compare_digest(request.headers["X-Gitlab-Token"], SECRET):
                return 401
        """,
        3,
        'verifier = Verifier(secret, scheme="gitlab-token")',
    ),
    "gitlab's token, !=": (
        """\
        def hook(request):
            token = request.headers.get("X-Gitlab-Token")
            if token != SECRET:
                return 401
        """,
        3,
        'verifier = Verifier(secret, scheme="gitlab-token")',
    ),
}

# The text, and what is said without advice.
ONLY_SAID: dict[str, tuple[str, str]] = {
    "sha1": (
        """\
        import hmac, hashlib
        def hook(request):
            sent = request.headers["X-Hub-Signature"]
            return hmac.compare_digest(hmac.new(K, request.body, hashlib.sha1).hexdigest(), sent)
        """,
        "hookseal has no scheme with hmac-sha1",
    ),
    "sha1 under a header of SHA-256": (
        """\
        import hmac
        def hook(request):
            sent = request.headers["X-Hub-Signature-256"]
            return hmac.compare_digest(hmac.new(K, request.body, "sha1").hexdigest(), sent)
        """,
        "hookseal has no scheme with hmac-sha1",
    ),
    "a time in it": (
        """\
        import hmac
        def hook(request):
            t, sent = parts(request.headers["X-Acme-Signature"])
            signed = f"{t}.{request.text}"
            return hmac.compare_digest(hmac.new(K, signed.encode(), "sha256").hexdigest(), sent)
        """,
        "a Scheme can describe it where its time and id have headers of their own",
    ),
}

NOTHING = [
    # Not compared: a request that is signed.
    """\
    import hmac
    def sign_webhook(body):
        return {"X-Hub-Signature-256": "sha256=" + hmac.new(K, body, "sha256").hexdigest()}
    """,
    # About something else.
    """\
    import hmac
    def load_cookie(value, signature):
        return hmac.compare_digest(signature, hmac.new(K, value, "sha256").hexdigest())
    """,
    """\
    import hmac
    def check_password(given, stored):
        return hmac.compare_digest(hmac.new(SALT, given, "sha256").hexdigest(), stored)
    """,
    """\
    import hmac
    def check(a, b):
        return hmac.compare_digest(hmac.new(K, a, "sha256").digest(), b)
    """,
    # No MAC, and no header of a token.
    """\
    import hmac
    def webhook(request):
        return hmac.compare_digest(request.headers["Authorization"], SECRET)
    """,
    # The name of a header is compared, not what it holds.
    """\
    def find(headers):
        return [value for name, value in headers if name == "X-Gitlab-Token"]
    """,
    """\
    HEADER = "X-Gitlab-Token"
    def find(headers):
        return [value for name, value in headers if name == HEADER]
    """,
    # Another hmac.
    """\
    from mine import hmac
    def webhook(body, signature):
        return hmac.compare(hmac.make(body), signature)
    """,
]


def judged(text: str) -> list[tuple[Check, Found | None]]:
    return [(check, advice(check)) for check in checks(ast.parse(dedent(text)))]


@pytest.mark.parametrize("case", CHECKS)
def test_found(case: str) -> None:
    text, line, advised = CHECKS[case]
    ((check, found),) = judged(text)
    assert found is not None
    assert (check.line, found.line, found.code) == (line, line, "check")
    assert advised in "\n".join(found.lines), found
    assert found.edits == ()
    # The advice is Python, and what it makes can be made.
    compile("\n".join(found.lines), "advice", "exec")
    if "compat" not in found.lines[0]:
        made: dict[str, Any] = {"secret": SECRET}
        exec("\n".join(found.lines[:-1]), made)
        assert made["verifier"].check(b"", {}).name == "MISSING_HEADER"


@pytest.mark.parametrize("case", ONLY_SAID)
def test_said(case: str) -> None:
    text, words = ONLY_SAID[case]
    ((_, found),) = judged(text)
    assert found is not None
    assert words in found.text
    assert found.lines == ()


@pytest.mark.parametrize("text", NOTHING)
def test_nothing(text: str) -> None:
    assert [found for _, found in judged(text) if found is not None] == []


def test_flaws_are_named() -> None:
    text = CHECKS["another provider"][0]
    assert judged(text)[0][1].text == "`is_valid` checks the signature by hand"  # type: ignore[union-attr]
    for before, after, words in (
        ("hmac.compare_digest(", "(lambda a, b: a == b)(", None),
        (
            "return hmac.compare_digest(hmac.digest(K, request.body, 'sha256').hex(), sent)",
            "return hmac.digest(K, request.body, 'sha256').hex() == sent",
            "== takes the longer the more is right",
        ),
        ("request.body", "json.dumps(request.json()).encode()", "JSON written anew"),
    ):
        changed = text.replace('"', "'").replace(before, after)
        assert changed != text
        found = [one for _, one in judged(changed)]
        if words is None:
            assert found == []
        else:
            assert words in found[0].text  # type: ignore[union-attr]


def test_each_function_once() -> None:
    """A loop over signatures, or a chain of comparisons, is one check."""
    text = """\
    import hmac
    def hook(request):
        mac = hmac.new(K, request.body, "sha256").hexdigest()
        sent = request.headers["X-Hub-Signature-256"]
        return hmac.compare_digest(mac, sent) or hmac.compare_digest("sha256=" + mac, sent)
    def other(request):
        return hook(request) or hmac.compare_digest(
            "sha256=" + hmac.new(K2, request.body, "sha256").hexdigest(),
            request.headers["X-Hub-Signature-256"],
        )
    """
    assert [check.function for check, _ in judged(text)] == ["hook", "other"]


def test_names_that_lead_in_circles() -> None:
    text = """\
    import hmac
    def a(webhook): return b(webhook)
    def b(webhook): return a(webhook)
    def hook(x, signature):
        y = x
        x = y
        return hmac.compare_digest(a(x), b(y)) or a(x) == signature
    """
    assert judged(text) == []


def test_many_functions_of_one_name() -> None:
    """Work grows with the file, not with the ways through it."""
    functions = "".join(
        f"def verify(x):\n    y = verify(x) + verify(y)\n    return verify(y) == verify({n})\n"
        for n in range(300)
    )
    assert judged(f"import hmac\n{functions}") == []
    names = "".join(f"v{n + 1} = v{n} + v{n}\n" for n in range(500))
    assert judged(f"import hmac\nv0 = 1\n{names}v500 == v499\n") == []
