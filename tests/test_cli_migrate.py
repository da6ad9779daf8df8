"""``hookseal migrate``: what it prints, what it writes, and what cannot be judged."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hookseal._cli._migrate import _files
from tests.command import PATIENCE_SECONDS, run, started, wait_for
from tests.migrated import NEW, OLD, called, folder, put

__all__ = ["called", "folder"]

BY_HAND = (
    "import hmac\n\n\ndef hook(request):\n"
    '    mac = hmac.new(K, request.data, "sha256").hexdigest()\n'
    '    return hmac.compare_digest(mac, request.headers["X-Hub-Signature-256"])\n'
)
DIFF = f"""--- a/a.py
+++ b/a.py
@@ -1 +1 @@
-{OLD}+{NEW}"""


def test_a_diff(called: Any) -> None:
    put("a.py")
    assert called("a.py") == (1, DIFF, "")
    assert Path("a.py").read_text() == OLD


def test_written(called: Any) -> None:
    put("a.py")
    assert called("a.py", "--write") == (1, "a.py: rewritten\n", "")
    assert Path("a.py").read_text() == NEW
    assert called("a.py") == called("a.py", "--write") == (0, "", "")


def test_a_suggestion(called: Any) -> None:
    put("b.py", BY_HAND)
    for options in ([], ["--write"]):
        ran = called("b.py", *options)
        assert (ran.status, ran.err) == (1, "")
        first, *rest = ran.out.splitlines()
        assert first == "b.py:6: `hook` checks the signature by hand"
        assert '    verifier = Verifier(secret, scheme="github")' in rest
        assert Path("b.py").read_text() == BY_HAND


def test_both_in_a_file(called: Any) -> None:
    put("a.py", OLD + BY_HAND)
    ran = called("a.py")
    assert ran.out.startswith("--- a/a.py\n+++ b/a.py\n@@ -1,4 +1,4 @@\n")
    assert ran.out.index("a.py:7: `hook` checks") > ran.out.index(f"+{NEW}")
    assert called("a.py", "--write").status == 1
    assert Path("a.py").read_text() == NEW + BY_HAND
    assert called("a.py").status == 1


def test_nothing(called: Any) -> None:
    put("a.py", "import os\n")
    put("empty.py", "")
    assert called("a.py", "empty.py") == (0, "", "")
    assert called("a.py", "--json").json == {"found": [], "unreadable": []}


def test_json(called: Any) -> None:
    put("a.py", OLD + BY_HAND)
    put("no.py", OLD + "x =\n")
    before = called("a.py", "--json", "no.py")
    assert before.status == 2
    imported, checked = before.json["found"]
    assert imported == {
        "path": "a.py",
        "line": 1,
        "kind": "import",
        "certain": True,
        "written": False,
        "text": "`from hookseal.compat.standardwebhooks import Webhook`",
        "lines": [],
    }
    assert (checked["line"], checked["kind"], checked["certain"]) == (7, "check", False)
    assert "from hookseal import Verifier" in checked["lines"]
    assert before.json["unreadable"] == [
        {"path": "no.py", "error": "line 2: syntax error: invalid syntax"}
    ]
    after = called("a.py", "--json", "--write").json["found"]
    assert [one["written"] for one in after] == [True, False]


def test_kept(called: Any) -> None:
    """A line can say that it is to stay."""
    put("a.py", OLD.rstrip() + "  # hookseal: keep, it is the oracle\n" + OLD)
    ran = called("a.py", "--write")
    assert ran.status == 1
    assert Path("a.py").read_text().splitlines()[1] == NEW.rstrip()
    assert called("a.py") == (0, "", "")
    put("b.py", BY_HAND.replace('-256"])', '-256"])  # hookseal: keep'))
    assert called("b.py") == (0, "", "")


# Files that cannot be judged.


def test_one_that_is_no_python_does_not_stop_the_others(called: Any) -> None:
    put("a.py", OLD + "def f(:\n")
    put("b.py")
    put("c.py", OLD.encode() + b"# \xff\n")
    put("d.py", b"# -*- coding: nonsense -*-\n" + OLD.encode())
    put("e.py", OLD + "\0")
    put("f.py", OLD + "x = " + "(" * 300 + ")" * 300)
    put("g.py", OLD + "x = " + "-" * 100_000 + "1")
    put("h.py", OLD + f"x = {'9' * 5000}\n")
    ran = called(".", "--write")
    assert (ran.status, ran.out) == (2, "./b.py: rewritten\n")
    told = dict(line.split(": ", 2)[1:] for line in ran.err.splitlines())
    assert told["./a.py"] == "line 2: syntax error: invalid syntax"
    assert told["./c.py"] == told["./d.py"] == "its encoding is unknown, or not that of its bytes"
    assert set(told) == {f"./{name}.py" for name in "acdefgh"}
    assert "nested" in told["./f.py"] + told["./g.py"]


def test_no_python_but_nothing_to_find(called: Any) -> None:
    """What has none of the words is not parsed: a template of something else is no fault."""
    put("a.py", "{{ cookiecutter }} def f(:\n    csrf_token\n")
    assert called(".") == (0, "", "")


def test_a_path_that_is_not_there(called: Any) -> None:
    put("a.py")
    for name in ("no", "a.py/b", "a\0b", "whsec_abcd"):
        ran = called("a.py", name, "--write")
        assert (ran.status, ran.out) == (2, "")
        assert ran.err.startswith("hookseal: cannot read ")
        assert "abcd" not in ran.err
    assert Path("a.py").read_text() == OLD
    assert called().status == 2


@pytest.mark.skipif(os.name != "posix", reason="pipes with names are POSIX")
def test_what_is_no_file(called: Any) -> None:
    os.mkfifo("pipe.py")
    ran = called("pipe.py")
    assert ran == (2, "", "hookseal: pipe.py: it is no file\n")
    assert called(".") == (2, "", "hookseal: ./pipe.py: it is no file\n")


def test_one_that_is_too_long(called: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_files, "MAX_SOURCE_BYTES", len(OLD))
    put("a.py")
    put("b.py", OLD + "\n")
    ran = called(".")
    assert (ran.status, ran.out) == (2, DIFF)
    assert ran.err == f"hookseal: ./b.py: it has more than {len(OLD)} bytes\n"


def test_lines_within_texts(called: Any) -> None:
    """Some versions of Python count them from elsewhere."""
    check = 'hmac.compare_digest(hmac.new(K, b, "sha256").hexdigest(), h["X-Hub-Signature-256"])'
    quotes = "'" * 3
    for text in (
        f"import hmac\nx = f{quotes}\n\n\n{{{check}}}\n{quotes}",
        f"import hmac\nx = (f'' f''\n f{quotes}{{ {check}\n\n }}{quotes})",
    ):
        put("a.py", text)
        ran = called("a.py", "--json")
        assert ran.status == 1
        assert 1 <= ran.json["found"][0]["line"] <= 6


# As a process.


def test_through_pipes() -> None:
    put("a.py", OLD + BY_HAND)
    ran = run("migrate", "a.py")
    assert ran.status == 1
    assert ran.out.startswith("--- a/a.py\n")
    assert run("migrate", "--", "a.py").out == ran.out
    for name in ("-a.py", "--write"):
        put(name)
        assert run("migrate", "a.py", "--", name).out.count("\n-from standardwebhooks") == 2


def test_a_path_outside_of_here(tmp_path: Path) -> None:
    put("a/b.py")
    (tmp_path / "elsewhere").mkdir()
    os.chdir("elsewhere")
    assert run("migrate", "../a").out.startswith(f"--- a{tmp_path}/a/b.py\n")
    os.chdir("..")
    assert run("migrate", tmp_path / "a").out.startswith("--- a/a/b.py\n")


@pytest.mark.skipif(os.name != "posix", reason="terminals are POSIX")
def test_on_a_terminal() -> None:
    """No byte of a source or of a name acts on it."""
    import pty

    put("a.py", b"# coding: latin-1\n# \x1b[31m\x9b\n" + OLD.encode())
    put("\x1b[32m.py")
    master, slave = pty.openpty()
    with started("migrate", ".", stdin=slave, stdout=slave, stderr=slave) as child:
        os.close(slave)
        child.wait(PATIENCE_SECONDS)
        out = os.read(master, 65536)
    os.close(master)
    assert b"\x1b" not in out
    assert b"\x9b" not in out
    assert rb"# \x1b[31m\x9b" in out
    assert NEW.encode().rstrip() in out


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")
def test_killed_at_any_time(tmp_path: Path) -> None:
    """Each file is the old one or the new one, and the next run ends the work."""
    old, new = OLD + "# x\n" * 5000, NEW + "# x\n" * 5000
    for round_ in range(8):
        for number in range(60):
            put(f"s/{number:02}.py", old)
        with started("migrate", "s", "--write", stdout=subprocess.DEVNULL) as child:
            goal = round_ * 7
            wait_for(
                lambda n=goal: (
                    sum(Path("s", f"{i:02}.py").read_text() == new for i in range(60)) > n
                    or child.poll() is not None
                )
            )
            child.send_signal(signal.SIGKILL)
            child.wait(PATIENCE_SECONDS)
        left = [Path("s", f"{number:02}.py").read_text() for number in range(60)]
        assert set(left) <= {old, new}
        assert left.count(new) > goal
        run("migrate", "s", "--write")
        assert {Path("s", f"{number:02}.py").read_text() for number in range(60)} == {new}


def test_nobody_reads() -> None:
    for number in range(500):
        put(f"s/{number}.py", "# x\n" * 3 + OLD + "# y\n" * 100)
    with started("migrate", "s", stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.read(10)
        child.stdout.close()
        assert child.wait(PATIENCE_SECONDS) == 74
        assert child.stderr is not None
        assert child.stderr.read() == b""


def test_it_imports_none_of_the_others() -> None:
    script = (
        "import sys\nfrom hookseal._cli import main\nmain(['migrate', '.'])\n"
        "print(json.dumps(sorted(sys.modules)) if (json := __import__('json')) else '')"
    )
    child = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    loaded = set(json.loads(child.stdout))
    assert "hookseal._cli._migrate._command" in loaded
    assert {
        "hookseal._cli._batch",
        "standardwebhooks",
        "svix",
        "gidgethub",
        "tomlkit",
    } & loaded == set()
