"""One case of the report, in a minute: prints how many times as long each contender takes.

python -m benches.one_case "batch of 10,000, 1 KiB, H5"

Without a name, or with one that is no case's, it lists the cases. It writes nothing.
"""

from __future__ import annotations

import sys

from benches import cases, machine
from benches.contenders import HOOKSEAL
from benches.figures import ratio, short


def main(arguments: list[str]) -> int:
    """Returns the exit status."""
    by_name = {str(case): case for case in cases.every()}
    if len(arguments) != 1 or arguments[0] not in by_name:
        print("\n".join(by_name), file=sys.stderr)
        return 2
    print(f"bare hmac.digest of 1 KiB: {machine.bare_digest_micros():.2f} µs")
    rounds = by_name[arguments[0]].run()
    print(f"{HOOKSEAL}: {short(rounds.micros_of(HOOKSEAL).median)} µs a message")
    for name in rounds.micros:
        if name != HOOKSEAL:
            print(f"{name}: {ratio(rounds.ratio(name, HOOKSEAL))} ×")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
