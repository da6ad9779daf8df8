"""``hookseal verify-batch``: counts, files, what becomes of lines. The core and the twin."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hookseal._cli import main
from tests.command import AS_OF_NOW, VARIABLE, WITH_SECRET, Ran, forged, line
from tests.implementations import BODY, NOW, SECRET, key, secret, signed

Command = Callable[..., Ran]

needs_posix = pytest.mark.skipif(os.name != "posix", reason="pipes and devices are POSIX")


@pytest.fixture(params=["core", "twin"], autouse=True)
def implementation(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The command with the core, and as it is where there is no binary."""
    name = str(request.param)
    if name == "core":
        pytest.importorskip("hookseal._core")
    monkeypatch.setattr("hookseal._cli._implementation.is_core", lambda: name == "core")
    return name


@pytest.fixture
def batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Runs ``verify-batch`` over files of these contents, named 0.jsonl, 1.jsonl, …"""
    monkeypatch.setenv(VARIABLE, SECRET)
    monkeypatch.chdir(tmp_path)

    def run(*contents: bytes, options: Any = (), keys: Any = AS_OF_NOW) -> Ran:
        names = []
        for number, content in enumerate(contents):
            names.append(f"{number}.jsonl")
            Path(names[-1]).write_bytes(content)
        capsys.readouterr()
        status = main(["verify-batch", *names, *keys, *map(str, options)])
        return Ran(status, *capsys.readouterr())

    return run


def words(ran: Ran) -> str:
    """Standard error without the warning that there is no compiled module."""
    return "".join(
        line for line in ran.err.splitlines(keepends=True) if "no compiled module" not in line
    )


def test_all_valid(batch: Command) -> None:
    ran = batch(line() * 3)
    assert (ran.status, words(ran)) == (0, "")
    verdicts, secrets, total = ran.out.split("\n\n")
    assert verdicts == "verdict  messages   share\nVALID           3  100.0%"
    assert secrets.splitlines()[1].split() == [
        VARIABLE,
        "3",
        *["2023-11-14", "22:13:20Z"] * 2,
    ]
    assert total.startswith("3 messages, ")
    assert "messages/s, " in total


def test_one_message(batch: Command) -> None:
    assert "\n1 message, " in batch(line()).out


@pytest.mark.parametrize("content", [b"", b"\n", b"\r\n \n\t\n", b"\xef\xbb\xbf"])
def test_nothing(batch: Command, content: bytes) -> None:
    ran = batch(content, options=["--rejects", "r", "--reasons", "s"])
    assert ran == Ran(0, "0 messages\n", ran.err)
    assert words(ran) == ""
    assert Path("r").read_bytes() == Path("s").read_bytes() == b""


def test_refused(batch: Command) -> None:
    old = line(headers=signed(timestamp=NOW - 1000))
    ran = batch(line() + forged() + old + line(), options=["--rejects", "r", "--reasons", "s"])
    assert ran.status == 1
    assert words(ran) == ""
    assert [row.split() for row in ran.out.splitlines()[:4]] == [
        ["verdict", "messages", "share"],
        ["VALID", "2", "50.0%"],
        ["TOO_OLD", "1", "25.0%"],
        ["SIGNATURE_MISMATCH", "1", "25.0%"],
    ]
    assert Path("r").read_bytes() == forged() + old
    reasons = [json.loads(text) for text in Path("s").read_text().splitlines()]
    assert reasons == [
        {
            "file": "0.jsonl",
            "line": 2,
            "verdict": "SIGNATURE_MISMATCH",
            "error": "header 'webhook-signature' matches no live secret (1 tried)",
            "endpoint": None,
        },
        {
            "file": "0.jsonl",
            "line": 3,
            "verdict": "TOO_OLD",
            "error": "header 'webhook-timestamp' lies 700 s before the window",
            "endpoint": None,
        },
    ]


def test_json(batch: Command, implementation: str) -> None:
    late = line(headers=signed(timestamp=NOW - 1000), received_at=NOW - 900)
    content = line() + forged() + late + b"{}\n"
    told = batch(content, options=["--json"]).json
    for name in ("seconds", "messages_per_second", "bytes_per_second"):
        assert told.pop(name) > 0
    assert told == {
        "messages": 4,
        "valid": 2,
        "refused": 1,
        "broken": 1,
        "bytes": len(content),
        "verdicts": {"VALID": 2, "SIGNATURE_MISMATCH": 1},
        "endpoints": [{"endpoint": None, "valid": 2, "refused": 1}],
        "secrets": [
            {"endpoint": None, "label": VARIABLE, "matched": 2, "first": NOW - 900, "last": NOW}
        ],
        "complete": True,
        "implementation": "core" if implementation == "core" else "pure",
    }


def test_the_twin_says_so(batch: Command, implementation: str) -> None:
    assert ("plain Python" in batch(line()).err) is (implementation == "twin")


# Secrets.


def test_a_rotation(batch: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NEW", secret(1))
    Path("old.secret").write_text(SECRET + "\n")
    keys = ["--secret-env", "NEW", "--secret-file", tmp_path / "old.secret", "--now", NOW]
    content = line() * 2 + line(headers=signed(key=key(1)))
    told = batch(content, options=["--json"], keys=map(str, keys)).json
    matched = [(one["label"], one["matched"]) for one in told["secrets"]]
    assert matched == [("NEW", 1), ("old.secret", 2)]


def test_a_secret_that_never_matched_is_shown(batch: Command, monkeypatch: Any) -> None:
    monkeypatch.setenv("NEW", secret(1))
    rows = batch(line(), options=["--secret-env", "NEW"]).out.splitlines()
    assert ["NEW", "0", "never", "never"] in [row.split() for row in rows]


def test_labels_that_cannot_be_are_counted(batch: Command, tmp_path: Path) -> None:
    """Two files of one name, and a name that is no label."""
    paths = [tmp_path / "a" / "key", tmp_path / "b" / "key", tmp_path / "schlüssel"]
    for number, path in enumerate(paths):
        path.parent.mkdir(exist_ok=True)
        path.write_text(secret(number))
    options = [word for path in paths for word in ("--secret-file", path)]
    told = batch(line(), options=["--json", *options], keys=["--now", str(NOW)]).json
    assert [one["label"] for one in told["secrets"]] == ["key", "0", "1"]


KEYRING = f"""
[endpoints.acme]
secrets = [{{ env = "{VARIABLE}", label = "a" }}]
[endpoints."ini\\u001b[31mtech"]
scheme = "github"
secrets = [{{ env = "{VARIABLE}", label = "b" }}]
"""


def test_a_keyring(batch: Command) -> None:
    Path("ring.toml").write_text(KEYRING)
    content = line(endpoint="acme") + line() + line(endpoint="emca") + line(endpoint="acme")
    content += line(endpoint="ini\x1b[31mtech")
    keys = ["--keyring", "ring.toml", "--now", str(NOW)]
    told = batch(content, options=["--json", "--reasons", "s"], keys=keys).json
    assert told["verdicts"] == {"VALID": 2, "UNKNOWN_ENDPOINT": 2, "MISSING_HEADER": 1}
    assert told["endpoints"] == [
        {"endpoint": "acme", "valid": 2, "refused": 0},
        {"endpoint": None, "valid": 0, "refused": 2},
        {"endpoint": "ini\x1b[31mtech", "valid": 0, "refused": 1},
    ]
    assert [(one["endpoint"], one["matched"]) for one in told["secrets"]] == [
        ("acme", 2),
        ("ini\x1b[31mtech", 0),
    ]
    reasons = [json.loads(text) for text in Path("s").read_text().splitlines()]
    assert [one["endpoint"] for one in reasons] == [None, "emca", "ini\x1b[31mtech"]
    shown = batch(content, keys=keys).out
    assert "\x1b" not in shown
    assert r"ini\x1b[31mtech" in shown
    assert "(not in the keyring)" in shown


def test_many_endpoints_are_cut_for_a_person(batch: Command) -> None:
    names = [f"tenant-{number}" for number in range(50)]
    tables = [f"[endpoints.{name}]\nsecrets = [{{ env = '{VARIABLE}' }}]\n" for name in names]
    Path("ring.toml").write_text("".join(tables))
    content = b"".join(line(endpoint=name) for name in names)
    keys = ["--keyring", "ring.toml", "--now", str(NOW)]
    shown = batch(content, keys=keys).out
    assert shown.count("and 10 more (--json has all)") == 2
    assert (shown.count("tenant-39"), shown.count("tenant-40")) == (2, 0)
    told = batch(content, options=["--json"], keys=keys).json
    assert [one["endpoint"] for one in told["endpoints"]] == names


@pytest.mark.parametrize(
    ("tolerance", "age", "status"),
    [
        ("300", 300, 0),
        ("300", 301, 1),
        ("60,10", 60, 0),
        ("60,10", 61, 1),
        ("60,10", -10, 0),
        ("60,10", -11, 1),
        ("off", 10**6, 0),
    ],
)
def test_tolerance(batch: Command, tolerance: str, age: int, status: int) -> None:
    content = line(headers=signed(timestamp=NOW - age))
    assert batch(content, options=["--tolerance", tolerance]).status == status


def test_the_clock(batch: Command, clock: Any) -> None:
    assert batch(line(), keys=WITH_SECRET).status == 0
    clock.now += 301
    assert batch(line(), keys=WITH_SECRET).status == 1


def test_threads(batch: Command) -> None:
    assert batch(line() * 2000, options=["--threads", "1"]).status == 0
    assert batch(line() * 2000, options=["--threads", "2"]).status == 0


# Lines.


def test_a_broken_line_is_named(batch: Command) -> None:
    ran = batch(line() + b"nonsense\n" + line() + b"[]\n")
    assert ran.status == 1
    first, second = words(ran).splitlines()
    assert first.startswith("hookseal: 0.jsonl, line 2: ")
    assert second.startswith("hookseal: 0.jsonl, line 4: ")
    assert ["broken", "lines", "2", "50.0%"] in [row.split() for row in ran.out.splitlines()]


def test_many_broken_lines_are_not_all_named(batch: Command) -> None:
    ran = batch((b"nonsense\n" + forged()) * 25)
    assert words(ran).count(", line ") == 20
    assert words(ran).endswith("hookseal: and 5 more broken lines; --reasons FILE would name all\n")
    ran = batch(b"nonsense\n" * 21, options=["--reasons", "s"])
    assert words(ran).endswith("hookseal: and 1 more broken line; --reasons names all\n")
    assert len(Path("s").read_text().splitlines()) == 21


def _broken() -> Iterator[bytes]:
    """Lines that are no message, of two hundred kinds."""
    good = json.loads(line())
    values: list[Any] = [None, True, False, 0, -1, 1.5, "", "x", [], [1], {}, {"a": 1}, [[]]]
    for name, right in (
        ("headers", (dict,)),
        ("body_b64", (str,)),
        ("endpoint", (str, type(None))),
        ("received_at", (int, float, type(None))),
    ):
        for value in values:
            no_headers = name == "headers" and value == []
            if not no_headers and (not isinstance(value, right) or isinstance(value, bool)):
                yield json.dumps({**good, name: value}).encode()
    pairs: list[list[Any]] = [
        [["a"]],
        [["a", "b", "c"]],
        [[1, "b"]],
        [["a", 1]],
        ["ab"],
        [None],
        [{}],
    ]
    for wrong in pairs:
        yield json.dumps({**good, "headers": wrong}).encode()
    for value in (1, True, 1.5, {}, [1], [None], [[]], ["a", 1]):
        yield json.dumps({**good, "headers": {"a": value}}).encode()
    for text in (
        "A",
        "AA",
        "AAA",
        "AA=",
        "A===",
        "AB==",
        "A A=",
        "AA==AA==",
        "AA\n==",
        "-_==",
        "é",
    ):
        yield json.dumps({**good, "body_b64": text}).encode()
    for value in (-1, 1e12, 1e400, 10**30, 10**11 + 1, "1", [1]):
        yield json.dumps({**good, "received_at": value}).encode()
    yield json.dumps({**good, "body": "x"}).encode()
    yield json.dumps({"headers": {}}).encode()
    yield json.dumps({"body": "x"}).encode()
    for name in (
        "Headers",
        "",
        "body_hex",
        "id",
        "receivedAt",
        "BODY",
        "body ",
        "x" * 1000,
        "\x1b[2J",
        "\u202e",
    ):
        yield json.dumps({**good, name: 1}).encode()
    for name in good:
        yield line()[:-2] + f', "{name}": {json.dumps(good[name])}}}'.encode()
    whole = line()[:-1]
    for at in range(1, len(whole), len(whole) // 60):
        yield whole[:at]
    for junk in (b"x", b"}", b",", b"{}", b"\x00", b"\xff", b" 1", b"//", b"\xc2\xa0"):
        yield whole + junk
        if junk != b"\xc2\xa0":
            yield junk + whole
    for bad in (b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\x80", b"\xe2\x82"):
        yield whole.replace(b"msg_1", b"msg" + bad)
    for bad in (b"\x00", b"\x1f", b"\t", b"\\x", b"\\u12", b"\\"):
        yield whole.replace(b"msg_1", b"msg" + bad)
    for text in ("NaN", "Infinity", "-Infinity", "1.", ".5", "01", "+1", "0x1", "1e", "--1"):
        yield whole[:-1] + f', "received_at": {text}}}'.encode()
    yield from (b"null", b"true", b"1", b'"x"', b"[]", b"nan", b"[" * 10**5, b'{"a":' * 10**5)
    yield b"{" + b'"headers": {}, ' * 3 + b'"body": "x"}'
    yield b"'headers'"
    yield b"\xef\xbb\xbf\xef\xbb\xbf" + whole


BROKEN = list(_broken())


def test_two_hundred_kinds_of_broken_line(batch: Command) -> None:
    assert len(set(BROKEN)) >= 200
    content = b"".join(line() + one + b"\n" for one in BROKEN)
    ran = batch(content, options=["--json", "--rejects", "r", "--reasons", "s"])
    assert ran.status == 1
    reasons = [json.loads(text) for text in Path("s").read_text().splitlines()]
    # An answer for each, and each is that it is no message.
    assert [one["line"] for one in reasons] == [2 * n + 2 for n in range(len(BROKEN))]
    assert ran.json["valid"] == len(BROKEN)
    assert {one["verdict"] for one in reasons} == {None}
    assert ran.json["broken"] == len(BROKEN)
    assert Path("r").read_bytes() == b"".join(one + b"\n" for one in BROKEN)
    assert all(text.isprintable() for text in ran.err.splitlines())


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_line_ends(batch: Command, end: bytes) -> None:
    """A last line needs none, and rejects keep those that came."""
    good, bad = line().rstrip(), forged().rstrip()
    crlf = end if end else b"\n"
    content = good + crlf + bad + crlf + good + crlf + bad + end
    ran = batch(content, options=["--json", "--rejects", "r"])
    assert (ran.json["valid"], ran.json["refused"]) == (2, 2)
    assert Path("r").read_bytes() == bad + crlf + bad + end


def test_a_byte_order_mark(batch: Command) -> None:
    ran = batch(b"\xef\xbb\xbf" + line(), b"\xef\xbb\xbf" + forged(), options=["--rejects", "r"])
    assert ran.status == 1
    assert "broken" not in ran.out
    assert Path("r").read_bytes() == b"\xef\xbb\xbf" + forged()
    marked = b"\xef\xbb\xbf" + forged()
    ran = batch(marked, marked, options=["--rejects", "r"])
    assert Path("r").read_bytes() == marked * 2
    again = batch(marked * 2, options=["--json"]).json
    assert (again["refused"], again["broken"]) == (1, 1)


def test_a_line_of_100_megabytes(batch: Command, implementation: str) -> None:
    """It is broken; those around it are judged; its bytes are rejected as they are."""
    count = 100_000_000
    long = b'{"headers": {}, "body": "' + b"x" * count + b'"}\n'
    ran = batch(line() + long + line(), options=["--json", "--rejects", "r"])
    assert (ran.json["valid"], ran.json["broken"]) == (2, 1)
    assert "0.jsonl, line 2: " in ran.err
    assert Path("r").read_bytes() == long
    Path("0.jsonl").unlink()
    Path("r").unlink()


# Files.


def test_several_files(batch: Command) -> None:
    """In the order given; line numbers begin anew; a last line without an end stays one."""
    bad = forged().rstrip()
    ran = batch(
        line() + bad, b"", line() + bad, line(), options=["--rejects", "r", "--reasons", "s"]
    )
    assert ran.status == 1
    reasons = [json.loads(text) for text in Path("s").read_text().splitlines()]
    assert [(one["file"], one["line"]) for one in reasons] == [("0.jsonl", 2), ("2.jsonl", 2)]
    assert Path("r").read_bytes() == bad + b"\n" + bad
    assert "\n5 messages, " in ran.out


def test_rejects_are_a_queue(batch: Command) -> None:
    content = line() + forged() + b"nonsense\n"
    batch(content, options=["--rejects", "r"])
    again = batch(Path("r").read_bytes(), options=["--json"]).json
    assert (again["refused"], again["broken"], again["valid"]) == (1, 1, 0)


def test_lines_across_blocks(batch: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    content = (line(b"x" * 300) + forged() + b"nonsense\r\n") * 4
    whole = batch(content, options=["--rejects", "whole", "--json"]).json
    assert whole["valid"] == whole["refused"] == whole["broken"] == 4
    for size in (1, 7, 100, 1000):
        monkeypatch.setattr("hookseal._cli._ahead.BLOCK_BYTES", size)
        told = batch(content, options=["--rejects", "r", "--json"]).json
        for name in ("messages", "verdicts", "endpoints", "secrets", "bytes"):
            assert told[name] == whole[name]
        assert Path("r").read_bytes() == Path("whole").read_bytes()


def test_rejects_replace_what_was_there(batch: Command) -> None:
    for name in ("r", "s"):
        Path(name).write_text("yesterday's\n" * 1000)
    batch(forged(), options=["--rejects", "r", "--reasons", "s"])
    assert Path("r").read_bytes() == forged()
    assert Path("s").read_text().count("\n") == 1


@pytest.mark.parametrize(
    "options",
    [
        ["--rejects", "0.jsonl"],
        ["--reasons", "./0.jsonl"],
        ["--rejects", "link"],
        ["--rejects", "x", "--reasons", "x"],
        ["--rejects", "-"],
        ["--rejects", "."],
        ["--rejects", "no/such/folder"],
        ["--rejects", "a\0b"],
        ["--rejects", "fine", "--reasons", "0.jsonl"],
    ],
)
def test_outputs_that_cannot_be(batch: Command, options: list[str]) -> None:
    """Nothing is judged, and nothing that was there is lost."""
    content = line() + forged()
    Path("0.jsonl").touch()
    os.link("0.jsonl", "link")
    Path("fine").write_text("yesterday's")
    ran = batch(content, options=options)
    assert (ran.status, ran.out) == (2, "")
    assert words(ran).startswith("hookseal: ")
    assert len(words(ran).splitlines()) == 1
    assert Path("0.jsonl").read_bytes() == content
    assert Path("fine").read_text() == "yesterday's"


def test_outputs_that_hold_secrets(batch: Command) -> None:
    """Neither the keyring nor a secret file is emptied, by whatever name it is called."""
    ring = '[endpoints.a]\nsecrets = [{ file = "ring.key" }]'
    contents = {"ring/ring.toml": ring, "ring/ring.key": SECRET, "own.key": SECRET}
    Path("ring").mkdir()
    for name, content in contents.items():
        Path(name).write_text(content)
    os.link("own.key", "link")
    with_ring = ["--keyring", "ring/ring.toml"]
    for keys, output, what in (
        (with_ring, "ring/ring.toml", "the keyring ring/ring.toml"),
        (with_ring, "ring/../ring/ring.key", "the secret file ring/ring.key"),
        (["--secret-file", "own.key"], "link", "the secret file own.key"),
    ):
        for option in ("--rejects", "--reasons"):
            ran = batch(forged(), keys=keys, options=[option, output])
            assert (ran.status, ran.out) == (2, "")
            assert words(ran) == f"hookseal: {output} is also {what}: nothing was written\n"
    assert {name: Path(name).read_text() for name in contents} == contents


@pytest.mark.parametrize("wrong", ["new", "no/such/folder", "0.jsonl", "-"])
def test_outputs_that_cannot_be_leave_no_new_file(batch: Command, wrong: str) -> None:
    ran = batch(forged(), options=["--rejects", "new", "--reasons", wrong])
    assert ran.status == 2
    assert not Path("new").exists()


@needs_posix
def test_the_null_device_may_be_both(batch: Command) -> None:
    assert batch(forged(), options=["--rejects", os.devnull, "--reasons", os.devnull]).status == 1


@pytest.mark.parametrize("name", ["no.jsonl", ".", "a\0b", ""])
def test_an_input_that_cannot_be_read(batch: Command, name: str) -> None:
    """Before any verdict, though it comes second."""
    ran = batch(line(), options=[name, "--rejects", "r"])
    assert (ran.status, ran.out) == (2, "")
    assert words(ran).startswith("hookseal: cannot read ")
    assert not Path("r").exists()


def test_a_file_that_vanished(batch: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was there when the run began."""
    from hookseal._cli._ahead import Ahead

    begin = Ahead.__init__

    def vanishing(self: Ahead, *arguments: Any) -> None:
        Path("1.jsonl").unlink()
        begin(self, *arguments)

    monkeypatch.setattr(Ahead, "__init__", vanishing)
    ran = batch(forged(), line(), line(), options=["--json", "--rejects", "r"])
    assert ran.status == 74
    assert "cannot read on in 1.jsonl: No such file or directory" in ran.err
    # What was judged until then counts.
    assert (ran.json["refused"], ran.json["valid"], ran.json["complete"]) == (1, 0, False)
    assert Path("r").read_bytes() == forged()


def test_a_disk_that_fails(batch: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    from hookseal._cli._sources import read

    monkeypatch.setattr("hookseal._cli._ahead.BLOCK_BYTES", len(forged()))
    calls = iter(range(100))

    def failing(*arguments: Any) -> bytes:
        if next(calls) == 2:
            raise OSError(5, "Input/output error")
        return read(*arguments)

    monkeypatch.setattr("hookseal._cli._ahead.read", failing)
    ran = batch(forged() * 5, options=["--json", "--rejects", "r"])
    assert ran.status == 74
    assert "cannot read on in 0.jsonl: Input/output error" in ran.err
    assert ran.json["messages"] == 2
    assert Path("r").read_bytes() == forged() * 2


@needs_posix
def test_a_full_disk(batch: Command) -> None:
    """/dev/full takes nothing. The counts are shown all the same."""
    for option in ("--rejects", "--reasons"):
        ran = batch(forged(), options=[option, "/dev/full", "--json"])
        assert ran.status == 74
        assert words(ran) == "hookseal: cannot write to /dev/full: No space left on device\n"
        assert (ran.json["refused"], ran.json["complete"]) == (1, False)


@needs_posix
def test_an_output_that_fails_takes_nothing_from_the_other(batch: Command) -> None:
    """It ends the run, after what was judged until then is in the other file."""
    content = (forged() + b"nonsense\n") * 30
    ran = batch(content, options=["--rejects", "/dev/full", "--reasons", "s", "--json"])
    assert ran.status == 74
    assert len(Path("s").read_text().splitlines()) == ran.json["messages"] == 60
    failed, *told = words(ran).splitlines()
    assert failed == "hookseal: cannot write to /dev/full: No space left on device"
    assert len(told) == 21
    assert told[-1] == "hookseal: and 10 more broken lines"
    for end in (b"", b"nonsense"):
        ran = batch(content + end, options=["--rejects", "r", "--reasons", "/dev/full"])
        assert ran.status == 74
        assert Path("r").read_bytes() == content
        assert words(ran).endswith("hookseal: and 10 more broken lines\n")
    # The last line of a file is whole without a line end, too.
    ran = batch(b"nonsense", options=["--rejects", "r", "--reasons", "/dev/full"])
    assert (ran.status, Path("r").read_bytes()) == (74, b"nonsense")


def test_body_forms(batch: Command) -> None:
    text = {"headers": signed(), "body": BODY.decode()}
    pairs = {"headers": list(signed().items()), "body": BODY.decode()}
    content = b"".join(json.dumps(one).encode() + b"\n" for one in (text, pairs))
    assert batch(content + line()).status == 0
