"""CRDT entities on two nodes that are parted and come together again, through each node's own port."""

import concurrent.futures
import contextlib
import json

from emulator import expect, expect_part, message, wait_until

ENVIRONMENT = {}
NODES = (1, 2)
AGREED_WITHIN = 20  # seconds
OFFLINE, ONLINE = {"online": False}, {"online": True}
NOTHING_BUT_LOCAL = "This library knows only LOCAL consistency."


def options(sample, run):
    """In the first run nodes take their time to give up one another, so that both go on while they are parted. Entities
    stay active meanwhile: one that is activated then waits three seconds for what the other node has."""
    return ["--nodes", "2", *(["--stable-after", "1m", "--passivation-timeout", "20s"] if run == 1 else [])]


def has_effects(sample):
    """Java's library leaves out all side effects."""
    return sample.endswith("node")


def get(emulator, node, path):
    code, body = emulator.http("GET", path, node=node)
    expect(f"code of GET {path} at node {node}: {body}", code, 200)
    return json.loads(body)


def post(emulator, node, path, body=None):
    code, answer = emulator.http("POST", path, body, node)
    expect(f"code of POST {path} at node {node}: {answer}", code, 200)
    return json.loads(answer)


def wait_until_agreed(emulator, path, expected):
    wait_until(
        f"{expected} at both nodes for {path}",
        lambda: all(get(emulator, node, path) == expected for node in NODES),
        AGREED_WITHIN,
    )


def increment(emulator, node, name, by):
    return int(post(emulator, node, f"/counters/{name}/increment", {"by": by})["value"])


def change(emulator, node, name, by):
    return int(post(emulator, node, f"/up-down-counters/{name}/change", {"by": by})["value"])


def say(emulator, node, author, text):
    kept = post(emulator, node, "/chat/lobby/messages", {"author": author, "text": text})
    expect(f"what {author} said", (kept["author"], kept["text"]), (author, text))


def said(emulator, node):
    return [one["text"] for one in get(emulator, node, "/chat/lobby/messages")["messages"]]


def people(emulator, node):
    return get(emulator, node, "/chat/lobby/people")["names"]


def expect_line(what, stream, expected):
    line = stream.stdout.readline()
    expect(what, json.loads(line) if line else "the end of the stream", expected)


def is_online(emulator, node, name):
    with emulator.stream_http(f"/presence/{name}", node) as stream:
        return json.loads(stream.stdout.readline())["online"]


def wait_until_offline(emulator, name):
    wait_until(
        f"{name} is offline at both nodes",
        lambda: not any([is_online(emulator, node, name) for node in NODES]),
        AGREED_WITHIN,
    )


def wait_for_news(stream, joined=(), left=(), texts=()):
    """What comes together, and what one by one, is left to the time it takes."""
    expected = {"joined": sorted(joined), "left": sorted(left), "texts": sorted(texts)}
    told = {"joined": [], "left": [], "texts": []}
    while told != expected:
        line = stream.stdout.readline()
        if not line:
            raise AssertionError(f"a visitor was told {told}\n  and should have been {expected}")
        news = json.loads(line)
        news["texts"] = [one["text"] for one in news["messages"]]
        told = {key: sorted(known + news[key]) for key, known in told.items()}


def check_counters(emulator):
    increment(emulator, 1, "visits", 2)
    increment(emulator, 2, "visits", 3)
    change(emulator, 1, "seats", -2)
    change(emulator, 2, "seats", 7)
    for node in NODES:
        post(emulator, node, "/hits/home")
    wait_until_agreed(emulator, "/counters/visits", {"value": "5"})
    wait_until_agreed(emulator, "/up-down-counters/seats", {"value": "5"})
    wait_until_agreed(emulator, "/hits/home", {"value": "2"})
    expect("an increment of 1 unless told", increment(emulator, 1, "once", 0), 1)


def check_a_counter_that_others_began(emulator):
    """Java's library makes a value anew with its own first change, though it was told of that of others."""
    wait_until_agreed(emulator, "/counters/theirs", {"value": "0"})
    increment(emulator, 1, "theirs", 5)
    wait_until_agreed(emulator, "/counters/theirs", {"value": "5"})
    expect("what node 2 adds to the count of node 1", increment(emulator, 2, "theirs", 1), 6)
    wait_until_agreed(emulator, "/counters/theirs", {"value": "6"})


def check_failures(emulator):
    body = {"by": 1, "consistency": "ALL"}
    code, answer = emulator.http("POST", "/counters/visits/increment", body, node=1)
    expect("HTTP code of a failure is not 200", code != 200, True)
    expect_part("HTTP body of a failure", answer, NOTHING_BUT_LOCAL)
    code, answer = emulator.http("POST", "/chat/lobby/messages", {"author": "ann"}, node=2)
    expect("HTTP code of a failure is not 200", code != 200, True)
    expect_part("HTTP body of a failure", answer, "A message needs an author and a text.")
    code, told, replies = emulator.stream_grpc("com.example.chat.Chat/Join", [message(f1="lobby")])
    expect("Join without a name", (code != 0, told, replies), (True, "Nobody can join without a name.", []))
    wait_until_agreed(emulator, "/counters/visits", {"value": "5"})


def check_partition(emulator, sample):
    with contextlib.ExitStack() as streams:

        def follow(path, node):
            return streams.enter_context(emulator.stream_http(path, node))

        ann_at_1, ann_at_2 = (follow("/presence/ann", node) for node in NODES)
        bob_at_1, bob_at_2 = (follow("/presence/bob", node) for node in NODES)
        for stream in (ann_at_1, ann_at_2, bob_at_1, bob_at_2):
            expect_line("that nobody is there", stream, OFFLINE)
        ann = follow("/presence/ann/connect", 2)
        expect_line("that ann is connected", ann, {})
        for stream in (ann_at_1, ann_at_2):
            expect_line("that ann is online", stream, ONLINE)

        eve = follow("/chat/lobby/join/eve", 1)
        wait_for_news(eve, joined=["eve"])
        dan = follow("/chat/lobby/join/dan", 2)
        wait_for_news(dan, joined=["dan", "eve"])
        wait_for_news(eve, joined=["dan"])
        say(emulator, 2, "dan", "hello")
        for visitor in (eve, dan):
            wait_for_news(visitor, texts=["hello"])
        if has_effects(sample):
            wait_until_agreed(emulator, "/counters/lobby", {"value": "1"})

        emulator.steer("network", "partition", "1/2")
        expect("visits at node 1", increment(emulator, 1, "visits", 10), 15)
        expect("visits at node 2", increment(emulator, 2, "visits", 20), 25)
        expect("seats at node 1", change(emulator, 1, "seats", -9), -4)
        expect("seats at node 2", change(emulator, 2, "seats", 1), 6)
        with concurrent.futures.ThreadPoolExecutor() as pool:
            new = pool.map(lambda node: increment(emulator, node, "new", node), NODES)
            expect("a counter that begins at both nodes", list(new), [1, 2])
        ann.kill()
        expect_line("that ann has gone, where she was", ann_at_2, OFFLINE)
        expect_line("that bob is connected", follow("/presence/bob/connect", 1), {})
        expect_line("that bob is there, where he is", bob_at_1, ONLINE)
        expect("whether ann is online, at both nodes", [is_online(emulator, node, "ann") for node in NODES], [True, False])
        expect("whether bob is online, at both nodes", [is_online(emulator, node, "bob") for node in NODES], [True, False])
        fay = follow("/chat/lobby/join/fay", 2)
        wait_for_news(fay, joined=["dan", "eve", "fay"], texts=["hello"])
        wait_for_news(dan, joined=["fay"])
        say(emulator, 1, "eve", "are you there?")
        say(emulator, 2, "fay", "where is she?")
        wait_for_news(eve, texts=["are you there?"])
        for visitor in (dan, fay):
            wait_for_news(visitor, texts=["where is she?"])
        expect("what node 1 knows was said", said(emulator, 1), ["hello", "are you there?"])
        expect("what node 2 knows was said", said(emulator, 2), ["hello", "where is she?"])
        expect("whom node 1 knows to be in the lobby", people(emulator, 1), ["dan", "eve"])
        expect("whom node 2 knows to be in the lobby", people(emulator, 2), ["dan", "eve", "fay"])

        emulator.steer("network", "heal")
        expect_line("that ann has gone, at the other node", ann_at_1, OFFLINE)
        expect_line("that bob is there, at the other node", bob_at_2, ONLINE)
        wait_for_news(eve, joined=["fay"], texts=["where is she?"])
        for visitor in (dan, fay):
            wait_for_news(visitor, texts=["are you there?"])
        wait_until_agreed(emulator, "/counters/visits", {"value": "35"})
        wait_until_agreed(emulator, "/up-down-counters/seats", {"value": "-3"})
        wait_until_agreed(emulator, "/counters/new", {"value": "3"})
        wait_until_agreed(emulator, "/chat/lobby/people", {"names": ["dan", "eve", "fay"]})
        for node in NODES:
            expect(f"what was said, at node {node}", said(emulator, node), ["hello", "are you there?", "where is she?"])
        if has_effects(sample):
            wait_until_agreed(emulator, "/counters/lobby", {"value": "3"})
    # With its clients their votes have gone.
    wait_until_agreed(emulator, "/chat/lobby/people", {"names": []})
    wait_until_offline(emulator, "bob")


def check_crash_of_the_user_function(emulator):
    with emulator.stream_http("/presence/gus/connect", 1) as gus, emulator.stream_http("/presence/gus", 2) as monitor:
        expect_line("that gus is connected", gus, {})
        wait_until("gus is online at node 2", lambda: is_online(emulator, 2, "gus"), AGREED_WITHIN)
        child = emulator.crash_user_function()
        for stream in (gus, monitor):
            last = json.loads(stream.stdout.read().splitlines()[-1])
            expect(f"what ends a stream when its function has died: {last}", last["error"]["code"], "UNAVAILABLE")
    emulator.wait_until_restarted(child)
    wait_until_offline(emulator, "gus")
    for node in NODES:
        expect(f"messages after the crash, at node {node}", len(said(emulator, node)), 3)
    expect("visits after the crash", increment(emulator, 2, "visits", 1), 36)
    wait_until_agreed(emulator, "/counters/visits", {"value": "36"})


def wait_until_nodes_are(emulator, *states):
    wait_until(f"nodes that are {states}", lambda: tuple(one["state"] for one in emulator.nodes()) == states, 30)


def first_run(emulator, sample):
    wait_until_nodes_are(emulator, "up", "up")
    check_counters(emulator)
    check_a_counter_that_others_began(emulator)
    check_failures(emulator)
    check_partition(emulator, sample)
    check_crash_of_the_user_function(emulator)


def second_run(emulator, _):
    """A node ends and begins anew: its votes go with it, and what it has counted comes back."""
    wait_until_nodes_are(emulator, "up", "up")
    with contextlib.ExitStack() as streams:
        monitor = streams.enter_context(emulator.stream_http("/presence/zoe", 1))
        expect_line("that zoe is not there", monitor, OFFLINE)
        zoe = streams.enter_context(emulator.stream_http("/presence/zoe/connect", 2))
        expect_line("that zoe is connected", zoe, {})
        expect_line("that zoe is there", monitor, ONLINE)
        expect("laps at node 2", increment(emulator, 2, "laps", 4), 4)
        wait_until_agreed(emulator, "/counters/laps", {"value": "4"})
        emulator.steer("nodes", "kill", "2")
        error = json.loads(zoe.stdout.readline())["error"]
        expect(f"what ends a call at a node that is killed: {error}", error["code"], "UNAVAILABLE")
        expect_line("that zoe has gone with her node", monitor, OFFLINE)
        wait_until_nodes_are(emulator, "up", "stopped")
    expect("laps at node 1", increment(emulator, 1, "laps", 5), 9)
    emulator.steer("nodes", "start", "2")
    wait_until_nodes_are(emulator, "up", "up")
    wait_until_agreed(emulator, "/counters/laps", {"value": "9"})
    expect("laps at node 2", increment(emulator, 2, "laps", 1), 10)
    wait_until_agreed(emulator, "/counters/laps", {"value": "10"})
    emulator.wait_for_passivation()
    for node in NODES:
        expect(f"laps at node {node}, which begins with its replica", get(emulator, node, "/counters/laps"), {"value": "10"})
