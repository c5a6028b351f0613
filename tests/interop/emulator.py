"""One run of the emulator with a user function as its child, and the ways in. Only Python's own library and curl are used."""

import contextlib
import functools
import json
import os
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

READY_WITHIN = 90  # seconds; a Java process on a busy machine takes its time
STOPPED_WITHIN = 20
# Short enough to wait for, long enough that one burst of calls meets one stream.
PASSIVATION_TIMEOUT = "1s"


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


def varint(number):
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def message(**fields):
    """A protobuf message of strings, whole numbers and messages, its fields named f1, f2…"""
    out = b""
    for name, value in fields.items():
        number = int(name[1:])
        if isinstance(value, int):
            out += varint(number << 3) + varint(value)
        else:
            data = value.encode() if isinstance(value, str) else value
            out += varint(number << 3 | 2) + varint(len(data)) + data
    return out


def framed(messages):
    return b"".join(b"\0" + len(one).to_bytes(4, "big") + one for one in messages)


def unframed(body):
    messages = []
    while body:
        end = 5 + int.from_bytes(body[1:5], "big")
        messages.append(body[5:end])
        body = body[end:]
    return messages


class Emulator:
    """One run of the emulator with the user function as its child."""

    def __init__(self, binary, command, data_directory, log, options=(), environment=None):
        self.binary, self.data_directory = binary, data_directory
        self.ports = free_ports(3)
        client, admin, metrics = map(str, self.ports)
        arguments = [binary, "run", "--data-dir", data_directory, "--port", client, "--admin-port", admin]
        arguments += ["--metrics-port", metrics, "--user-function-port", "0"]
        if "--passivation-timeout" not in options:
            arguments += ["--passivation-timeout", PASSIVATION_TIMEOUT]
        arguments += [*options, "--", *command]
        self.process = subprocess.Popen(arguments, stdout=log, stderr=log, env={**os.environ, **(environment or {})})

    def wait_until_ready(self):
        wait_until("a user function that is ready", self.is_ready, READY_WITHIN)

    def tool_arguments(self, *arguments):
        admin = f"127.0.0.1:{self.ports[1]}"
        return [self.binary, "--admin", admin, "--data-dir", self.data_directory, *arguments]

    def tool(self, *arguments):
        """The outcome of a command of the command line, its output parsed as JSON if it is some."""
        done = subprocess.run(self.tool_arguments("--json", *arguments), capture_output=True, text=True, timeout=60)
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

    @functools.cached_property
    def node_addresses(self):
        return {one["node"]: one["clientAddress"] for one in self.nodes()}

    def nodes(self):
        return self.tool("nodes", "ls")[1].get("nodes", [])

    def steer(self, *arguments):
        done, _ = self.tool(*arguments)
        expect(f"exit code of {arguments}: {done.stderr}", done.returncode, 0)

    def http(self, method, path, body=None, node=None):
        """Status code and body. At the port of that node, or else at the common one; so for the others below."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url(path, node), data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def url(self, path, node=None):
        return f"http://{self.node_addresses[node] if node else f'127.0.0.1:{self.ports[0]}'}{path}"

    @contextlib.contextmanager
    def stream_http(self, path, node=None):
        """A process whose standard output is the answer as it comes, and whose end is that of the client."""
        arguments = ["curl", "-s", "--no-buffer", "--max-time", "60", self.url(path, node)]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
            try:
                yield process
            finally:
                process.kill()

    def stream_grpc(self, method, requests, timeout=None):
        """gRPC status, its message and the replies' bytes, by curl's HTTP/2. All requests are sent at once."""
        for _ in range(3):
            # Its exit code says nothing: a failed call's stream may end before all of the request was read. Then it may
            # not write the trailers down either; such a call has done nothing, and is made again.
            found, body = self.curl_grpc(method, requests, timeout)
            if "grpc-status" in found:
                told = urllib.parse.unquote(found.get("grpc-message", ""))
                return int(found["grpc-status"]), told, unframed(body)
        raise AssertionError(f"{method} over gRPC was not answered as gRPC is: {found}")

    def curl_grpc(self, method, requests, timeout):
        with tempfile.NamedTemporaryFile() as headers:
            arguments = ["curl", "-s", "--http2-prior-knowledge", "--max-time", "60", "-D", headers.name]
            arguments += ["-H", "content-type: application/grpc", "-H", "te: trailers", "--data-binary", "@-"]
            arguments += ["-H", f"grpc-timeout: {timeout}"] if timeout else []
            run = subprocess.run([*arguments, self.url("/" + method)], input=framed(requests), stdout=subprocess.PIPE)
            lines = headers.read().decode().splitlines()
        return dict(line.split(": ", 1) for line in lines if ": " in line), run.stdout

    def grpc(self, method, request):
        """The same of a unary call: the one reply's bytes, or none."""
        code, told, replies = self.stream_grpc(method, [request])
        return code, told, b"".join(replies)

    def wait_for_passivation(self):
        wait_until("no active entity", lambda: int(self.status().get("activeEntities", 0)) == 0, 30)

    def crash_user_function(self):
        child = self.user_function_pid()
        os.kill(child, signal.SIGKILL)
        return child

    def wait_until_restarted(self, child):
        wait_until("a user function that was restarted", lambda: self.is_ready(not_with_pid=child), READY_WITHIN)

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
