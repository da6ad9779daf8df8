"""Look for branches and addresses that depend on a secret: docs/constant-time.md says what of.

    python tools/constant_time.py

Builds rust/harness's program `constant-time`, and runs each of its cases under each tool:

- valgrind's memcheck: the machine code as it is shipped; valgrind has no AVX-512 and no SHA-NI.
- The memory sanitizer of the Rust toolchain: every kernel of this processor.
- Traces of the instructions executed with several secrets, by ptrace: every kernel, machine code.

Fails on a place that is not declared in PLACES, on a declared one that is not found, on a control
that is not found, on a result that lost its marks (then the tool looked away), and on results that
differ between tools. A tool that this machine does not have is skipped, and said so.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILDS = ROOT / "target/constant-time"
TRIPLE = "x86_64-unknown-linux-gnu"
SANITIZER_FLAGS = [
    "-Zsanitizer=memory",
    # All places are wanted, not the first alone.
    "-Zsanitizer-recover=memory",
    # The toolchain's std was compiled without; what that costs is said in the document.
    "-Cunsafe-allow-abi-mismatch=sanitizer",
    # Handing a marked value to a function, or back, is no branch.
    "-Cllvm-args=-msan-eager-checks=0",
    "--cfg=hookseal_msan",
]

# What the program says before it does anything with the secrets that it drew.
BEGIN = "work begins\n"

VERDICT = "the verdict, which is public"
WELL_FORMED = "whether text is well-formed"
WEAKNESS = "the search for weak secrets"
VECTOR_LOGIC = "an instruction unknown to the sanitizer"
CONTROL = "the control"

# What may depend on a secret: file, part of the line, why. By what the case does.
Allowed = tuple[str, str, str]
SECRET = "rust/engine/src/secret.rs"
FINDING = "rust/engine/src/finding.rs"
WORDS = "rust/engine/src/dictionary.rs"
BLANK: list[Allowed] = [
    (SECRET, "value.iter().all(|byte| is_space(*byte))", WELL_FORMED),
    (SECRET, "if text.bytes().any(is_space)", WELL_FORMED),
]
BASE64: list[Allowed] = [
    *BLANK,
    (SECRET, "text.trim_end_matches('=')", WELL_FORMED),
    ("/src/encoding.rs", "if err == 0 {", WELL_FORMED),
    ("/src/encoding.rs", "if block", WELL_FORMED),  # the unused bits of the last character
]
PLACES: dict[str, list[Allowed]] = {
    "verify": [("rust/engine/src/verify.rs", "if matches_any(", VERDICT)],
    "verify-token": [("rust/engine/src/verify.rs", "if matches_any(", VERDICT)],
    "batch": [("rust/engine/src/batch/grain.rs", "if matches_any(mac, part", VERDICT)],
    "base64": BASE64,
    "hex": [*BLANK, (SECRET, "decode(&mut key)?", WELL_FORMED)],
    "endpoint": [
        *BASE64,
        (SECRET, "str::from_utf8(&self.value)", WELL_FORMED),
        (SECRET, "if text.starts_with(start)", WELL_FORMED),
        (SECRET, "text.strip_prefix(prefix)", WELL_FORMED),
        (SECRET, "if rest.starts_with(prefix)", WELL_FORMED),
        (FINDING, "seen[usize::from(*byte)] = true", WEAKNESS),
        (FINDING, "key.chunks(*size).all(", WEAKNESS),
        (FINDING, "window.eq_ignore_ascii_case(word)", WEAKNESS),
        (FINDING, "dictionary::letters_in_words(key)", WEAKNESS),
        (FINDING, "text.strip_prefix(&scheme.key_prefix)", WEAKNESS),
        (FINDING, "digits.bytes().all(", WEAKNESS),
        (FINDING, "text.starts_with(&scheme.key_prefix)", WEAKNESS),
        (FINDING, "OF_OTHERS.iter().any(", WEAKNESS),
        (FINDING, "is_of_others && !is_own", WEAKNESS),
        (WORDS, "WORDS.partition_point(", WEAKNESS),
        (WORDS, "for word in &WORDS[first..]", WEAKNESS),
        (WORDS, "if word[..START] != rest[..START]", WEAKNESS),
    ],
}
# What the sanitizer reports beside it, where many messages go through that kernel.
SANITIZER_PLACES: dict[str, list[Allowed]] = {
    "avx512": [("rust/lanes/src/avx512.rs", "_mm512_ternarylogic_epi32::<", VECTOR_LOGIC)],
}
CONTROLS = {
    "control-early-exit": ("controls.rs", "while at <"),
    "control-lookup": ("controls.rs", "TABLE[usize::from(byte)]"),
}
# These ask std whether text is UTF-8, or subtract and look at the carry: the sanitizer has not
# seen std compiled, and does not follow carries. They have nothing to do with kernels. Nor does it
# know the instructions of SHA-1.
NOT_FOR_SANITIZER = ("base64", "hex", "endpoint", "verify-token", "macs-sha1")
# A trace does not see addresses of data, and a kernel's control would repeat its `macs`. One
# message at a time is hashed by the same code in all kernels but `portable`.
TRACED = re.compile(
    r"compare|token|verify-token|base64|hex|control-early-exit|macs-\w+|(mac|verify|batch)-single"
)


class Skipped(Exception):
    """A tool that is not here, and why."""


@dataclass(frozen=True)
class Place:
    """A line of source."""

    file: str
    line: int

    @property
    def name(self) -> str:
        """The path inside this repository, or inside the crate's folder."""
        inside = re.search(r"registry/src/[^/]+/(.*)", self.file)
        return inside[1] if inside else self.file.removeprefix(f"{ROOT}/")

    def text(self) -> str:
        """What the line says."""
        lines = source(self.file)
        return lines[self.line - 1].strip() if 0 < self.line <= len(lines) else ""

    def __str__(self) -> str:
        return f"{self.name}:{self.line}: {self.text()}"


@cache
def source(file: str) -> list[str]:
    """The lines of a file, none if it is not here."""
    path = Path(file)
    return path.read_text().splitlines() if path.is_file() else []


@dataclass
class Run:
    """What came of one case under one tool."""

    marked: int
    size: int
    result: str
    places: set[Place] = field(default_factory=set)


def is_of_std(file: str) -> bool:
    """Whether a file is the standard library's: the caller of it is the place to name."""
    return file.startswith(("/rustc/", "library/")) or "/library/" in file


def first_own(frames: Iterable[tuple[str, int]]) -> Place:
    """The innermost frame that is not of the standard library."""
    known = [(file, line) for file, line in frames if file not in ("", "??")]
    for file, line in known:
        if not is_of_std(file):
            return Place(os.path.normpath(file), line)
    return Place(*known[0]) if known else Place("unknown", 0)


def parsed(output: str, case: str) -> Run:
    """What the program says at its end."""
    said = re.search(r"^marked (\d+) of (\d+) result (\w+)$", output, re.MULTILINE)
    if said is None or BEGIN not in output:
        raise SystemExit(f"{case}: the program did not come to its end:\n{output[-2000:]}")
    return Run(int(said[1]), int(said[2]), said[3])


def at_work(output: str) -> str:
    """What was said after the secrets were drawn."""
    return output.partition(BEGIN)[2]


def output_of(command: list[str | Path], **environ: str) -> str:
    """Everything that a command says."""
    run = subprocess.run(
        command,
        env={**os.environ, **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return run.stdout


def build(name: str, *options: str, **environ: str) -> Path:
    """The program, as it is shipped but for the line numbers."""
    command = ["cargo", "build", "--release", "--locked", "--quiet"]
    command += ["--package=hookseal-harness", "--bin=constant-time", f"--target={TRIPLE}"]
    environ = {
        **os.environ,
        "CARGO_PROFILE_RELEASE_DEBUG": "line-tables-only",
        "CARGO_PROFILE_RELEASE_STRIP": "none",
        **environ,
    }
    folder = BUILDS / name
    subprocess.run(
        [*command, f"--target-dir={folder}", *options], cwd=ROOT, env=environ, check=True
    )
    return folder / TRIPLE / "release/constant-time"


class Valgrind:
    """Memcheck over the machine code."""

    name = "valgrind"

    def __init__(self) -> None:
        if shutil.which("valgrind") is None:
            raise Skipped("valgrind is not on PATH")
        self.program = build("plain")
        self.command: list[str | Path] = ["valgrind", "-q", "--error-limit=no"]
        self.command += ["--num-callers=40", "--fullpath-after=", self.program]

    def cases(self) -> list[str]:
        """What it can run: valgrind hides the instructions that it does not know."""
        return output_of([*self.command, "list"]).split()

    def run(self, case: str) -> Run:
        """Runs one case."""
        output = output_of([*self.command, "run", case])
        run = parsed(output, case)
        reports = re.split(r"^==\d+== (?=Cond|Use of|Syscall)", at_work(output), flags=re.MULTILINE)
        for report in reports[1:]:
            frames = re.findall(
                r"^==\d+==    (?:at|by) .*\(([^()]+):(\d+)\)$", report, re.MULTILINE
            )
            run.places.add(first_own((file, int(line)) for file, line in frames))
        return run


class Sanitizer:
    """The memory sanitizer, which the compiler weaves in before it makes machine code."""

    name = "sanitizer"

    def __init__(self) -> None:
        if shutil.which("addr2line") is None:
            raise Skipped("addr2line (binutils) is not on PATH")
        command = ["rustc", f"--target={TRIPLE}", "--print=target-libdir"]
        library = Path(output_of([*command]).strip())
        if not any(library.glob("librustc-*_rt.msan.a")):
            raise Skipped("the Rust toolchain has no memory sanitizer for this system")
        flags = "\x1f".join(SANITIZER_FLAGS)
        # Unstable options of the stable compiler, for this run alone: nothing of it is shipped.
        self.program = build("sanitizer", RUSTC_BOOTSTRAP="1", CARGO_ENCODED_RUSTFLAGS=flags)

    def cases(self) -> list[str]:
        """What it can run."""
        cases = self._output("list").split()
        return [case for case in cases if case not in NOT_FOR_SANITIZER]

    def run(self, case: str) -> Run:
        """Runs one case."""
        output = self._output("run", case)
        run = parsed(output, case)
        stacks = set()
        for report in re.split(r"MemorySanitizer: use-of", at_work(output))[1:]:
            stack = report.partition("SUMMARY")[0]
            # Three frames: the innermost may be the sanitizer's own memcmp.
            stacks.add(tuple(re.findall(r"constant-time\+(0x[0-9a-f]+)", stack)[:3]))
        lines = self._lines({address for stack in stacks for address in stack})
        for stack in stacks:
            run.places.add(first_own(frame for address in stack for frame in lines[address]))
        return run

    def _output(self, *arguments: str) -> str:
        return output_of([self.program, *arguments], MSAN_OPTIONS="symbolize=0:exitcode=0")

    def _lines(self, addresses: set[str]) -> dict[str, list[tuple[str, int]]]:
        """The lines that an address is of, the innermost first: functions are inlined."""
        lines = {}
        for address in addresses:
            output = output_of(["addr2line", "-i", "-e", self.program, address])
            found = re.findall(r"^(.*):(\d+|\?)", output, re.MULTILINE)
            lines[address] = [(file, int(line.replace("?", "0"))) for file, line in found]
        return lines


def places_allowed(case: str, tool: str) -> list[Allowed]:
    """What may be found in a case."""
    what, _, kernel = case.rpartition("-")
    allowed = list(PLACES.get(case) or PLACES.get(what, []))
    if tool == Sanitizer.name and what not in ("mac", "verify"):
        allowed += SANITIZER_PLACES.get(kernel, [])
    control = next((CONTROLS[name] for name in CONTROLS if case.startswith(name)), None)
    if control:
        allowed.append((*control, CONTROL))
    return allowed


def problems(case: str, run: Run, allowed: list[Allowed]) -> Iterator[str]:
    """What is wrong with a run."""
    unmet = set(allowed)
    for place in sorted(run.places, key=str):
        met = {it for it in allowed if place.name.endswith(it[0]) and it[1] in place.text()}
        unmet -= met
        if not met:
            yield f"depends on a secret: {place}"
    for file, text, _ in sorted(unmet):
        yield f"not found, though declared: {file}: {text}"
    if not case.startswith("control-") and run.marked < run.size:
        yield f"{run.size - run.marked} of {run.size} bytes of the result lost their marks"


def check(tool: Valgrind | Sanitizer, results: dict[str, str]) -> tuple[int, int]:
    """Runs all cases under a tool; returns how many there were, and how many problems."""
    cases = tool.cases()
    found = 0
    for case in cases:
        run = tool.run(case)
        allowed = places_allowed(case, tool.name)
        wrong = list(problems(case, run, allowed))
        # Marks change no value: what is computed is the same under every tool.
        if results.setdefault(case, run.result) != run.result:
            wrong.append("another result than under the other tool")
        reasons = "; ".join(dict.fromkeys(it[2] for it in allowed)) or "nothing"
        marks = f"{run.marked:3} of {run.size:3} bytes marked" if run.size else ""
        print(f"{tool.name:9}  {case:28} {marks:24} found: {reasons}", flush=True)
        for problem in wrong:
            print(f"{tool.name:9}  {case:28} FAILED: {problem}", flush=True)
        found += len(wrong)
    return len(cases), found


def check_traces() -> tuple[int, int]:
    """Traces the cases that decide by nothing secret, and the control that does."""
    program = build("plain")
    cases = [it for it in output_of([program, "list"]).split() if TRACED.fullmatch(it)]
    found = 0
    for case in cases:
        said = output_of([program, "trace", case]).strip()
        counted = re.fullmatch(r"secrets (\d+) traces (\d+) steps (\d+)", said)
        if counted is None:
            raise Skipped(said)
        is_right = (int(counted[2]) > 1) == case.startswith("control-")
        print(f"trace      {case:28} {'' if is_right else 'FAILED: '}{said}", flush=True)
        found += not is_right
    return len(cases), found


def main() -> int:
    """Returns the exit status."""
    if not sys.platform.startswith("linux") or os.uname().machine != "x86_64":
        print("constant-time: SKIPPED, the tools are for Linux on x86-64")
        return 0
    results: dict[str, str] = {}
    works: dict[str, Callable[[], tuple[int, int]]] = {
        "valgrind": lambda: check(Valgrind(), results),
        "sanitizer": lambda: check(Sanitizer(), results),
        "trace": check_traces,
    }
    summary, total = [], 0
    for name, work in works.items():
        try:
            cases, found = work()
            summary.append(f"{name}: {cases} cases, {found} problems")
            total += found
        except Skipped as reason:
            summary.append(f"{name}: SKIPPED, {reason}")
    print("\n".join(summary))
    return 1 if total else 0


if __name__ == "__main__":
    sys.exit(main())
