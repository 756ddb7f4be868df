"""What the client scripts share: the command line, records as JSON lines, waiting with a deadline.

    SCRIPT BOOTSTRAP check NAME TOPIC      run one check; exit code 0 means it held
    SCRIPT BOOTSTRAP list                  the names of all checks
    SCRIPT BOOTSTRAP produce TOPIC CODEC   records as JSON lines on stdin
    SCRIPT BOOTSTRAP consume TOPIC COUNT   the first COUNT records of partition 0 as JSON lines on stdout
    SCRIPT BOOTSTRAP flood TOPIC COUNT     acks=all; prints each number the broker acknowledged, at once

A record is {"key", "value": hex or null, "timestamp": ms, "headers": [[name, hex or null], ...]}, so that any two clients can be compared.
"""

import json
import sys
import time

CHECKS = {}
DEADLINE_SECONDS = 30


def check(function):
    """Registers a check under its own name; it takes (bootstrap, topic) and raises when the broker misbehaves."""
    CHECKS[function.__name__] = function
    return function


def equal(expected, actual, what):
    if expected == actual:
        return
    where = ""
    if isinstance(expected, list) and isinstance(actual, list):
        same = next((i for i, pair in enumerate(zip(expected, actual)) if pair[0] != pair[1]), min(len(expected), len(actual)))
        where = f" ({len(expected)} and {len(actual)} items, different from index {same})"
        expected, actual = expected[same : same + 3], actual[same : same + 3]
    raise AssertionError(f"{what}: expected {shortened(expected)}, got {shortened(actual)}{where}")


def shortened(value):
    text = repr(value)
    return text if len(text) <= 300 else text[:300] + "..."


def wait_until(condition, what, poll=lambda: time.sleep(0.01), seconds=DEADLINE_SECONDS):
    """Polls until condition() is true and returns its value; what happens between two looks is up to the caller."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        poll()


def to_hex(data):
    return None if data is None else bytes(data).hex()


def from_hex(text):
    return None if text is None else bytes.fromhex(text)


def as_json(key, value, timestamp, headers):
    return json.dumps(
        {
            "key": to_hex(key),
            "value": to_hex(value),
            "timestamp": timestamp,
            "headers": [[name, to_hex(data)] for name, data in headers or []],
        }
    )


def read_records():
    for line in sys.stdin:
        record = json.loads(line)
        yield (
            from_hex(record["key"]),
            from_hex(record["value"]),
            record["timestamp"],
            [(name, from_hex(data)) for name, data in record["headers"]],
        )


def say(text):
    """Unbuffered: whoever reads must see a line even if this process is killed right after."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main(produce=None, consume=None, flood=None):
    """Runs the command of the command line; a script that leaves commands out cannot be asked for them."""
    bootstrap, command, *rest = sys.argv[1:]
    if command == "list":
        for name in sorted(CHECKS):
            say(name)
    elif command == "check":
        name, topic = rest
        CHECKS[name](bootstrap, topic)
    elif command == "produce":
        topic, codec = rest
        produce(bootstrap, topic, codec, read_records())
    elif command == "consume":
        topic, count = rest
        consume(bootstrap, topic, int(count))
    elif command == "flood":
        topic, count = rest
        flood(bootstrap, topic, int(count))
    else:
        raise SystemExit(f"unknown command {command!r}")
