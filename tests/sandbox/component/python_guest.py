# ruff: noqa
# mypy: ignore-errors
"""The guest of `test_component_python.py`; built by componentize-py, never imported here."""

import json
import os
import socket
import time

import wit_world


def files():
    with open("/tmp/f", "w") as file:
        file.write("hi")
    os.mkdir("/tmp/d")
    os.rename("/tmp/f", "/tmp/d/g")  # WASI is handed two directories
    os.replace("/tmp/d/g", "/tmp/f")
    with open("/tmp/f") as file:
        return [file.read(), sorted(os.listdir("/tmp")), os.path.getsize("/tmp/f")]


def fill():
    with open("/tmp/f", "wb") as file:
        while True:
            file.write(bytes(1 << 20))


def sockets():
    socket.socket().connect(("127.0.0.1", 80))


def memory():
    kept = []
    while True:
        kept.append(bytes(1 << 20))


def loop():
    while True:
        pass


def storm():
    count = 0
    for _ in range(2_000):
        try:
            raise ValueError("again")
        except ValueError:
            count += 1
    return count


def fail():
    raise ValueError("on purpose")


def sleep(seconds):
    time.sleep(seconds)
    return "slept"


def random():
    print("drawn")
    return os.urandom(16).hex()


CASES = {
    "hello": lambda: "hello",
    "files": files,
    "outside": lambda: open("/etc/passwd"),
    "upwards": lambda: open("/tmp/../etc/passwd", "w"),
    "fill": fill,
    "sockets": sockets,
    "memory": memory,
    "loop": loop,
    "sleep": lambda: sleep(0.01),
    "oversleep": lambda: sleep(3600),
    "exit": lambda: os._exit(3),
    "raise": fail,
    "environment": lambda: dict(os.environ),
    "storm": storm,
    "random": random,
}


class WitWorld(wit_world.WitWorld):
    def handle(self, envelope):
        case = json.loads(envelope)["event"]["case"]
        try:
            return json.dumps({"ok": CASES[case]()})
        except Exception as error:
            failure = {"errorType": type(error).__name__, "errorMessage": str(error)}
            return json.dumps({"error": failure})
