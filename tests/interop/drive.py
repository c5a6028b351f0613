"""drive.py BINARY LANGUAGE COMMAND...: a day in the life of a shopping cart, through HTTP, gRPC and the command line.

Runs in the folder of the user function. Only Python's own library and curl are used.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

SNAPSHOT_EVERY = 3
# Short enough to wait for, long enough that one burst of calls meets one stream.
PASSIVATION_TIMEOUT = "1s"
READY_WITHIN = 90  # seconds; a Java process on a busy machine takes its time
STOPPED_WITHIN = 20
SERVICE = "com.example.shoppingcart.ShoppingCart"
USER = "anna"
ENTITY = "shopping-cart|" + USER


def run_arguments(data_directory, ports, language):
    """The emulator's command line, up to the user function's."""
    client, admin, metrics = ports
    arguments = ["run", "--data-dir", data_directory, "--port", str(client), "--admin-port", str(admin)]
    arguments += ["--metrics-port", str(metrics), "--user-function-port", "0"]
    arguments += ["--passivation-timeout", PASSIVATION_TIMEOUT]
    if language == "python":
        arguments += ["--max-active-entities", "9"]
    return arguments + ["--"]


def failure_text(language, text):
    """Python's library sends the list of failures, as Python prints it."""
    return f"['{text}']" if language == "python" else text


def free_ports(count):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def wait_until(what, condition, seconds):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"after {seconds} s there is still not: {what}")
        time.sleep(0.05)


def expect(what, actual, expected):
    if actual != expected:
        raise AssertionError(f"{what}:\n  expected {expected!r}\n  but got  {actual!r}")


def expect_part(what, text, part):
    if part not in text:
        raise AssertionError(f"{what}:\n  expected to find {part!r}\n  in {text!r}")


def message(**fields):
    """A protobuf message of strings (under 128 bytes), small numbers and messages, its fields named f1, f2…"""
    out = b""
    for name, value in fields.items():
        number = int(name[1:])
        if isinstance(value, int):
            out += bytes([number << 3, value])
        else:
            data = value.encode() if isinstance(value, str) else value
            out += bytes([number << 3 | 2, len(data)]) + data
    return out


class Emulator:
    """One run of the emulator with the user function as its child."""

    def __init__(self, binary, language, command, data_directory, log):
        self.binary, self.data_directory = binary, data_directory
        self.ports = free_ports(3)
        arguments = [binary] + run_arguments(data_directory, self.ports, language) + command
        environment = {**os.environ, "SNAPSHOT_EVERY": str(SNAPSHOT_EVERY)}
        self.process = subprocess.Popen(arguments, stdout=log, stderr=log, env=environment)

    def wait_until_ready(self):
        wait_until("a user function that is ready", self.is_ready, READY_WITHIN)

    def tool(self, *arguments):
        """The outcome of a command of the command line, its output parsed as JSON if it is some."""
        admin = f"127.0.0.1:{self.ports[1]}"
        common = [self.binary, "--admin", admin, "--data-dir", self.data_directory, "--json"]
        done = subprocess.run(common + list(arguments), capture_output=True, text=True, timeout=60)
        try:
            return done, json.loads(done.stdout)
        except ValueError:
            return done, {}

    def status(self):
        return self.tool("status")[1]

    def is_ready(self, not_with_pid=None):
        if self.process.poll() is not None:
            raise AssertionError(f"the emulator ended by itself with exit code {self.process.returncode}")
        user_function = self.status().get("userFunction", {})
        # For an instant after a process has died it is already 0 while the connection still counts as there.
        pid = int(user_function.get("pid", 0))
        return user_function.get("state") == "READY" and pid not in (0, not_with_pid)

    def user_function_pid(self):
        return int(self.status()["userFunction"]["pid"])

    def http(self, method, path, body=None):
        """Status code and body."""
        data = None if body is None else json.dumps(body).encode()
        url = f"http://127.0.0.1:{self.ports[0]}{path}"
        request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def grpc(self, method, request):
        """gRPC status, its message and the reply's bytes, by curl's HTTP/2."""
        url = f"http://127.0.0.1:{self.ports[0]}/{SERVICE}/{method}"
        with tempfile.NamedTemporaryFile() as headers:
            arguments = ["curl", "-s", "--http2-prior-knowledge", "--max-time", "60", "-D", headers.name]
            arguments += ["-H", "content-type: application/grpc", "-H", "te: trailers", "--data-binary", "@-", url]
            frame = b"\0" + len(request).to_bytes(4, "big") + request
            # Its exit code says nothing: a failed call's stream may end before all of the request was read.
            body = subprocess.run(arguments, input=frame, stdout=subprocess.PIPE).stdout
            lines = headers.read().decode().splitlines()
        found = dict(line.split(": ", 1) for line in lines if ": " in line)
        if "grpc-status" not in found:
            raise AssertionError(f"{method} over gRPC was not answered as gRPC is: {lines}")
        return int(found["grpc-status"]), urllib.parse.unquote(found.get("grpc-message", "")), body[5:]

    def stop(self):
        child = self.user_function_pid()
        self.process.send_signal(signal.SIGTERM)
        expect("exit code of the emulator after SIGTERM", self.process.wait(STOPPED_WITHIN), 0)
        wait_until("the end of the user function", lambda: not os.path.exists(f"/proc/{child}"), STOPPED_WITHIN)

    def kill(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOPPED_WITHIN)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def check_carts(emulator, items):
    """The cart as all three ways in tell it. Items: product id to (name, quantity)."""
    expected = [{"productId": key, "name": items[key][0], "quantity": items[key][1]} for key in sorted(items)]
    for path, answer in (("", {"items": expected}), ("/items", expected)):
        code, body = emulator.http("GET", f"/carts/{USER}{path}")
        expect(f"GET /carts/{USER}{path}: {body}", (code, json.loads(body) if code == 200 else None), (200, answer))
    lines = [message(f1=key, f2=items[key][0], f3=items[key][1]) for key in sorted(items)]
    cart = b"".join(message(f1=line) for line in lines)
    expect("GetCart over gRPC", emulator.grpc("GetCart", message(f1=USER)), (0, "", cart))
    done, answer = emulator.tool("call", SERVICE + "/GetCart", json.dumps({"userId": USER}))
    expect(f"`call` GetCart: {done.stderr}", answer.get("replies"), [{"items": expected}])


def add(emulator, product, name, quantity):
    body = {"productId": product, "name": name, "quantity": quantity}
    code, answer = emulator.http("POST", f"/cart/{USER}/items/add", body)
    expect(f"add over HTTP: {answer}", code, 200)


def add_items(emulator):
    """Six events, two through each way in."""
    for quantity in (1, 2):
        add(emulator, "pear", "Pear", quantity)
        request = message(f1=USER, f2="apple", f3="Apple", f4=quantity)
        expect("AddItem over gRPC", emulator.grpc("AddItem", request), (0, "", b""))
        body = {"userId": USER, "productId": "fig", "name": "Fig", "quantity": quantity}
        done, _ = emulator.tool("call", SERVICE + "/AddItem", json.dumps(body))
        expect(f"`call` AddItem: {done.stderr}", done.returncode, 0)


def check_failures(emulator, language):
    text = failure_text(language, "Cannot add 0 of kiwi: the quantity must be positive.")
    code, body = emulator.http("POST", f"/cart/{USER}/items/add", {"productId": "kiwi", "quantity": 0})
    expect("HTTP code of a failure is not 200", code != 200, True)
    expect_part("HTTP body of a failure", body, text)
    text = failure_text(language, "Cannot remove kiwi: it is not in the cart.")
    code, told, _ = emulator.grpc("RemoveItem", message(f1=USER, f2="kiwi"))
    expect("gRPC message of a failure", (code != 0, told), (True, text))
    done, _ = emulator.tool("call", SERVICE + "/RemoveItem", json.dumps({"userId": USER, "productId": "kiwi"}))
    expect("`call` of what fails has an exit code", done.returncode != 0, True)
    expect_part("`call` of what fails", done.stderr, text)


def check_journal(emulator, event_count):
    """Returns the sequence numbers of the snapshots."""
    done, history = emulator.tool("journal", "show", ENTITY, "--all")
    expect(f"`journal show`: {done.stderr}", done.returncode, 0)
    numbers = [int(event["sequence"]) for event in history["events"]]
    expect("sequence numbers in the journal", numbers, list(range(1, event_count + 1)))
    types = {event["payload"]["typeUrl"].rsplit(".", 1)[1] for event in history["events"]}
    expect("event types are known ones", types <= {"ItemAdded", "ItemRemoved"}, True)
    return [int(snapshot["sequence"]) for snapshot in history["snapshots"]]


def wait_for_passivation(emulator):
    wait_until("no active entity", lambda: int(emulator.status().get("activeEntities", 0)) == 0, 30)


def remove(emulator, product):
    code, body = emulator.http("POST", f"/cart/{USER}/items/{product}/remove")
    expect(f"remove over HTTP: {body}", code, 200)


def check_crash_of_the_user_function(emulator, items):
    child = emulator.user_function_pid()
    os.kill(child, signal.SIGKILL)
    wait_until("a user function that was restarted", lambda: emulator.is_ready(not_with_pid=child), READY_WITHIN)
    check_carts(emulator, items)


def first_run(emulator, language):
    add_items(emulator)
    items = {"pear": ("Pear", 3), "apple": ("Apple", 3), "fig": ("Fig", 3)}
    check_carts(emulator, items)
    check_failures(emulator, language)
    check_carts(emulator, items)
    check_journal(emulator, 6)

    # Each passivation is followed by a replay, from a snapshot where there is one.
    for event_count, product in ((7, "fig"), (8, "pear")):
        wait_for_passivation(emulator)
        remove(emulator, product)
        del items[product]
        check_carts(emulator, items)
        check_journal(emulator, event_count)

    # The first event of its stream and the ninth in all: a snapshot is due by any library's way of counting.
    wait_for_passivation(emulator)
    add(emulator, "apple", "Apple", 1)
    expect("there is a snapshot at event 9", 9 in check_journal(emulator, 9), True)
    wait_for_passivation(emulator)
    items = {"apple": ("Apple", 4)}
    check_carts(emulator, items)

    add_items(emulator)
    items = {"apple": ("Apple", 7), "pear": ("Pear", 3), "fig": ("Fig", 3)}
    check_crash_of_the_user_function(emulator, items)
    check_journal(emulator, 15)
    return items


def second_run(emulator, items):
    check_carts(emulator, items)
    remove(emulator, "pear")
    del items["pear"]
    check_carts(emulator, items)
    check_journal(emulator, 16)


def main():
    binary, language, command = sys.argv[1], sys.argv[2], sys.argv[3:]
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as directory, open(os.path.join(directory, "log"), "w+") as log:
        emulator = None
        try:
            data = os.path.join(directory, "data")
            emulator = Emulator(binary, language, command, data, log)
            emulator.wait_until_ready()
            items = first_run(emulator, language)
            emulator.stop()
            emulator = Emulator(binary, language, command, data, log)
            emulator.wait_until_ready()
            second_run(emulator, items)
            emulator.stop()
        except (AssertionError, subprocess.SubprocessError, OSError, KeyError, ValueError) as error:
            log.seek(0)
            print(f"The emulator's output:\n{log.read()}")
            print(f"interop {language}: FAILED: {type(error).__name__}: {error}")
            return 1
        finally:
            if emulator:
                emulator.kill()
    print(f"interop {language}: passed in {time.monotonic() - started:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
