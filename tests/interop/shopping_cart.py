"""A day in the life of a shopping cart, through HTTP, gRPC and the command line."""

import json

from emulator import expect, expect_part, message

SNAPSHOT_EVERY = 3
ENVIRONMENT = {"SNAPSHOT_EVERY": str(SNAPSHOT_EVERY)}
SERVICE = "com.example.shoppingcart.ShoppingCart"
USER = "anna"
ENTITY = "shopping-cart|" + USER


def options(sample, run):
    """Python's library serves ten streams at most, and the last is for discovery."""
    return ["--max-active-entities", "9"] if sample.endswith("python") else []


def failure_text(sample, text):
    """Python's library sends the list of failures, as Python prints it."""
    return f"['{text}']" if sample.endswith("python") else text


def check_carts(emulator, items):
    """The cart as all three ways in tell it. Items: product id to (name, quantity)."""
    expected = [{"productId": key, "name": items[key][0], "quantity": items[key][1]} for key in sorted(items)]
    for path, answer in (("", {"items": expected}), ("/items", expected)):
        code, body = emulator.http("GET", f"/carts/{USER}{path}")
        expect(f"GET /carts/{USER}{path}: {body}", (code, json.loads(body) if code == 200 else None), (200, answer))
    lines = [message(f1=key, f2=items[key][0], f3=items[key][1]) for key in sorted(items)]
    cart = b"".join(message(f1=line) for line in lines)
    expect("GetCart over gRPC", emulator.grpc(SERVICE + "/GetCart", message(f1=USER)), (0, "", cart))
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
        expect("AddItem over gRPC", emulator.grpc(SERVICE + "/AddItem", request), (0, "", b""))
        body = {"userId": USER, "productId": "fig", "name": "Fig", "quantity": quantity}
        done, _ = emulator.tool("call", SERVICE + "/AddItem", json.dumps(body))
        expect(f"`call` AddItem: {done.stderr}", done.returncode, 0)


def check_failures(emulator, sample):
    text = failure_text(sample, "Cannot add 0 of kiwi: the quantity must be positive.")
    code, body = emulator.http("POST", f"/cart/{USER}/items/add", {"productId": "kiwi", "quantity": 0})
    expect("HTTP code of a failure is not 200", code != 200, True)
    expect_part("HTTP body of a failure", body, text)
    text = failure_text(sample, "Cannot remove kiwi: it is not in the cart.")
    code, told, _ = emulator.grpc(SERVICE + "/RemoveItem", message(f1=USER, f2="kiwi"))
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


def remove(emulator, product):
    code, body = emulator.http("POST", f"/cart/{USER}/items/{product}/remove")
    expect(f"remove over HTTP: {body}", code, 200)


def first_run(emulator, sample):
    add_items(emulator)
    items = {"pear": ("Pear", 3), "apple": ("Apple", 3), "fig": ("Fig", 3)}
    check_carts(emulator, items)
    check_failures(emulator, sample)
    check_carts(emulator, items)
    check_journal(emulator, 6)

    # Each passivation is followed by a replay, from a snapshot where there is one.
    for event_count, product in ((7, "fig"), (8, "pear")):
        emulator.wait_for_passivation()
        remove(emulator, product)
        del items[product]
        check_carts(emulator, items)
        check_journal(emulator, event_count)

    # The first event of its stream and the ninth in all: a snapshot is due by any library's way of counting.
    emulator.wait_for_passivation()
    add(emulator, "apple", "Apple", 1)
    expect("there is a snapshot at event 9", 9 in check_journal(emulator, 9), True)
    emulator.wait_for_passivation()
    items = {"apple": ("Apple", 4)}
    check_carts(emulator, items)

    add_items(emulator)
    items = {"apple": ("Apple", 7), "pear": ("Pear", 3), "fig": ("Fig", 3)}
    emulator.wait_until_restarted(emulator.crash_user_function())
    check_carts(emulator, items)
    check_journal(emulator, 15)
    return items


def second_run(emulator, items):
    check_carts(emulator, items)
    remove(emulator, "pear")
    del items["pear"]
    check_carts(emulator, items)
    check_journal(emulator, 16)
