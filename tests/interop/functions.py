"""Functions in every shape of call, and entities that go on to them, through HTTP, gRPC and the command line."""

import json
import signal
import subprocess

from emulator import STOPPED_WITHIN, expect, expect_part, message, wait_until

ENVIRONMENT = {}
SHIPPING = "com.example.shipping.Shipping"
PARCELS = "com.example.shipping.Parcels"
CANCELLED, UNKNOWN, DEADLINE_EXCEEDED = 1, 2, 4
PROBLEM = "No parcels are sent to de."
PLACES = ["Munich", "Innsbruck", "Verona", "Rome"]
# Long enough to do something meanwhile.
SLOW_TRACK = "/shipping/track/it?milliseconds_between=2000"


def options(sample, run):
    return []


def place_line(name):
    return f'{{"name":"{name}"}}\n'


def check_unary(emulator):
    expect("Quote over HTTP", emulator.http("GET", "/shipping/quote/it?grams=120"), (200, '{"cents":512}'))
    request = message(f1="it", f2=120)
    expect("Quote over gRPC", emulator.grpc(SHIPPING + "/Quote", request), (0, "", message(f1=512)))
    done, answer = emulator.tool("call", "Shipping.Quote", '{"country": "it", "grams": 120}')
    expect(f"`call` Quote: {done.stderr}", answer.get("replies"), [{"cents": 512}])


def check_failures(emulator):
    """A thrown error is all that the library has for them."""
    code, body = emulator.http("GET", "/shipping/quote/de")
    expect("HTTP code of a failure", code, 500)
    expect_part("HTTP body of a failure", body, PROBLEM)
    for method in ("Quote", "Track"):
        code, told, replies = emulator.stream_grpc(f"{SHIPPING}/{method}", [message(f1="de")])
        expect(f"gRPC status of {method} that fails", (code, replies), (UNKNOWN, []))
        expect_part(f"gRPC message of {method} that fails", told, PROBLEM)
    with emulator.stream_http("/shipping/track/de") as stream:
        expect_part("Track over HTTP that fails", stream.stdout.read(), PROBLEM)


def check_streamed_out(emulator):
    request = message(f1="it", f2=1)
    expected = [message(f1=name) for name in PLACES]
    expect("Track over gRPC", emulator.stream_grpc(SHIPPING + "/Track", [request]), (0, "", expected))
    with emulator.stream_http("/shipping/track/it?milliseconds_between=300") as stream:
        for name in PLACES[:-1]:
            expect("a line of Track over HTTP", stream.stdout.readline(), place_line(name))
            expect("Track has not ended, so its lines come one by one", stream.poll(), None)
        expect("the rest of Track over HTTP", stream.stdout.read(), place_line(PLACES[-1]))
        expect("exit code of curl after Track", stream.wait(), 0)


def check_streamed_both_ways(emulator):
    method = SHIPPING + "/QuoteEach"
    requests = [message(f1="it", f2=100), message(f1="de"), message(f1="at", f2=30, f3=1)]
    offers = [message(f1="it", f2=510), message(f1="de", f3=PROBLEM), message(f1="at", f2=403)]
    expect("QuoteEach over gRPC", emulator.stream_grpc(method, requests), (0, "", offers))

    arguments = emulator.tool_arguments("call", "Shipping.QuoteEach")
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as call:
        for country, cents, last in (("it", 500, False), ("fr", 400, False), ("at", 400, True)):
            call.stdin.write(json.dumps({"country": country, "last": last}) + "\n")
            call.stdin.flush()
            # Before the next one is sent.
            expected = {"country": country, "cents": cents, "problem": ""}
            expect("an answer of QuoteEach by `call`", json.loads(call.stdout.readline()), expected)
        call.stdin.close()
        expect("exit code of `call` QuoteEach", call.wait(STOPPED_WITHIN), 0)


def check_deadline(emulator):
    """The library does not hear of a half-close: without a last parcel only the client's deadline ends the stream."""
    method = SHIPPING + "/QuoteEach"
    code, _, replies = emulator.stream_grpc(method, [message(f1="it")], timeout="500m")
    expect("QuoteEach without an end", (code, replies), (DEADLINE_EXCEEDED, [message(f1="it", f2=500)]))


def last_call(emulator, method):
    calls = emulator.tool("calls", "ls", "--method", method)[1].get("commands", [])
    return calls[0] if calls else {}


def check_cancellation(emulator):
    with emulator.stream_http(SLOW_TRACK) as stream:
        expect("the first line of Track", stream.stdout.readline(), place_line(PLACES[0]))
        stream.send_signal(signal.SIGKILL)
    wait_until("a Track that was cancelled", lambda: last_call(emulator, "Track").get("code") == CANCELLED, 20)
    check_unary(emulator)


def check_totals(emulator, parcels, grams):
    expected = (200, f'{{"parcels":{parcels},"grams":{grams}}}')
    for sender in ("anna", "everybody"):
        expect(f"parcels of {sender}", emulator.http("GET", f"/parcels/{sender}"), expected)


def check_forward_and_effect(emulator):
    sent = emulator.http("POST", "/parcels/anna/send", {"country": "fr", "grams": 250})
    expect("Send, which forwards to Quote", sent, (200, '{"cents":425}'))
    caused = [(one["origin"], one["service"], one["method"]) for one in last_call(emulator, "Send")["caused"]]
    expect("what Send caused", caused, [("SIDE_EFFECT", PARCELS, "Note"), ("FORWARD", SHIPPING, "Quote")])
    failed = emulator.http("POST", "/parcels/anna/send", {"country": "de", "grams": 250})
    expect("Send that fails", failed, (500, PROBLEM))
    check_totals(emulator, 1, 250)
    emulator.wait_for_passivation()
    check_totals(emulator, 1, 250)


def check_crash_of_the_user_function(emulator):
    with emulator.stream_http(SLOW_TRACK) as stream:
        expect("the first line of Track", stream.stdout.readline(), place_line(PLACES[0]))
        child = emulator.crash_user_function()
        error = json.loads(stream.stdout.read())["error"]
        expect(f"what ends Track when its function has died: {error}", error["code"], "UNAVAILABLE")
    emulator.wait_until_restarted(child)
    check_unary(emulator)
    check_totals(emulator, 1, 250)


def first_run(emulator, sample):
    check_unary(emulator)
    check_failures(emulator)
    check_streamed_out(emulator)
    check_streamed_both_ways(emulator)
    check_deadline(emulator)
    check_cancellation(emulator)
    check_forward_and_effect(emulator)
    check_crash_of_the_user_function(emulator)


def second_run(emulator, _):
    check_streamed_both_ways(emulator)
    check_totals(emulator, 1, 250)
