"""``python -m hookseal``: the command ``hookseal``."""

from __future__ import annotations

import sys

from hookseal._cli import main

if __name__ == "__main__":
    sys.exit(main())
