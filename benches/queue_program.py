"""The program that drains a queue without hookseal: `json.loads` and `standardwebhooks`.

    python benches/queue_program.py KEYRING FILE [--json]

The rival of `hookseal verify-batch` in benches/queue_file.py, as an engineer writes it in an
hour. Each message must carry a signature by one of its endpoint's secrets, over a fresh time; it
prints which secrets matched and how many messages were refused. With --json the package parses
the bodies too, which is its default.
"""

import json
import sys
import tomllib
from base64 import b64decode
from collections import Counter
from pathlib import Path

from standardwebhooks import Webhook, WebhookVerificationError

keyring, queue, *options = sys.argv[1:]
hooks = {
    name: [(secret["label"], Webhook(secret["value"])) for secret in table["secrets"]]
    for name, table in tomllib.loads(Path(keyring).read_text())["endpoints"].items()
    if "scheme" not in table
}
matched: Counter[tuple[str, str]] = Counter()
refused: Counter[str] = Counter()
with Path(queue).open("rb") as file:
    for line in file:
        message = json.loads(line)
        body = b64decode(message["body_b64"]) if "body_b64" in message else message["body"]
        headers, endpoint = dict(message["headers"]), message["endpoint"]
        for label, hook in hooks[endpoint]:
            try:
                hook.verify(body, headers, json_parse=bool(options))
            except WebhookVerificationError:
                continue
            matched[endpoint, label] += 1
            break
        else:
            refused[endpoint] += 1

rows = [[endpoint, label, count] for (endpoint, label), count in matched.items()]
print(json.dumps({"matched": rows, "refused": sum(refused.values())}))
