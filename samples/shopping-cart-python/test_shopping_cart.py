"""The cart beside an emulator of its own, over gRPC.

cloudstate-dev exec --serve '.venv/bin/python shopping_cart.py' -- .venv/bin/python -m unittest
"""

import json
import os
import unittest
import urllib.error
import urllib.request

import grpc
from google.protobuf.empty_pb2 import Empty
from shopping_cart import api

ADMIN = "http://" + os.environ["CLOUDSTATE_DEV_ADMIN"]


def call_admin(path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(ADMIN + path, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)


def stored_events(user):
    """Type and content of each; none where nothing was ever stored."""
    try:
        events = call_admin(f"/v1/entities/shopping-cart/{user}/events")["events"]
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return []
        raise
    return [(event["payload"]["typeUrl"].rsplit(".", 1)[1], json.loads(event["payload"]["json"])) for event in events]


class ShoppingCart(unittest.TestCase):
    def setUp(self):
        call_admin("/v1/testing/reset", {})  # nothing of the test before is left
        channel = grpc.insecure_channel(os.environ["CLOUDSTATE_DEV_ADDRESS"])
        self.addCleanup(channel.close)

        def method(name, reply):
            return channel.unary_unary(
                f"/com.example.shoppingcart.ShoppingCart/{name}",
                request_serializer=lambda request: request.SerializeToString(),
                response_deserializer=reply.FromString,
            )

        self.add_item = method("AddItem", Empty)
        self.remove_item = method("RemoveItem", Empty)
        self.get_cart = method("GetCart", api.Cart)

    def add(self, product, quantity):
        self.add_item(api.AddLineItem(user_id="anna", product_id=product, name=product, quantity=quantity), timeout=30)

    def test_quantities_of_a_product_add_up(self):
        self.add("pear", 2)
        self.add("pear", 3)
        cart = self.get_cart(api.GetShoppingCart(user_id="anna"), timeout=30)
        self.assertEqual(cart, api.Cart(items=[api.LineItem(product_id="pear", name="pear", quantity=5)]))

    def test_what_was_added_and_removed_is_stored_as_events(self):
        self.add("pear", 2)
        self.remove_item(api.RemoveLineItem(user_id="anna", product_id="pear"), timeout=30)
        added = {"item": {"productId": "pear", "name": "pear", "quantity": 2}}
        self.assertEqual(stored_events("anna"), [("ItemAdded", added), ("ItemRemoved", {"productId": "pear"})])

    def test_a_quantity_below_one_is_refused_and_nothing_is_stored(self):
        with self.assertRaises(grpc.RpcError) as refused:
            self.add("pear", 0)
        self.assertIn("the quantity must be positive", refused.exception.details())
        self.assertEqual(stored_events("anna"), [])


if __name__ == "__main__":
    unittest.main()
