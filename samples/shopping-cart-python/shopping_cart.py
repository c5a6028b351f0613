"""A shopping cart: one event-sourced entity per user."""

import os
import sys
from dataclasses import dataclass, field

import google

generated = os.path.join(os.path.dirname(os.path.abspath(__file__)), "generated")
sys.path.insert(0, generated)
google.__path__.append(os.path.join(generated, "google"))  # for google.api

from google.protobuf.empty_pb2 import Empty
from cloudstate.cloudstate import CloudState
from cloudstate.event_sourced_context import EventSourcedCommandContext
from cloudstate.event_sourced_entity import EventSourcedEntity
from shoppingcart import shoppingcart_pb2 as api
from shoppingcart.persistence import domain_pb2 as domain


@dataclass
class CartState:
    items: dict = field(default_factory=dict)  # domain.LineItem by product id


def initial(entity_id: str) -> CartState:
    return CartState()


# The library adds the files that these import by itself.
entity = EventSourcedEntity(
    api.DESCRIPTOR.services_by_name["ShoppingCart"],
    [api.DESCRIPTOR],
    initial,
    persistence_id="shopping-cart",
    snapshot_every=int(os.environ.get("SNAPSHOT_EVERY", "100")),
)


@entity.snapshot()
def snapshot(state: CartState):
    return domain.Cart(items=[state.items[key] for key in sorted(state.items)])


@entity.snapshot_handler()
def handle_snapshot(state: CartState, cart: domain.Cart):
    state.items = {item.productId: item for item in cart.items}


@entity.event_handler(domain.ItemAdded)
def item_added(state: CartState, event: domain.ItemAdded):
    known = state.items.get(event.item.productId)
    item = domain.LineItem()
    item.CopyFrom(event.item)
    if known:
        item.quantity += known.quantity
    state.items[item.productId] = item


@entity.event_handler(domain.ItemRemoved)
def item_removed(state: CartState, event: domain.ItemRemoved):
    state.items.pop(event.productId, None)


@entity.command_handler("AddItem")
def add_item(command: api.AddLineItem, context: EventSourcedCommandContext):
    if command.quantity <= 0:
        context.fail(f"Cannot add {command.quantity} of {command.product_id}: the quantity must be positive.")
    else:
        item = domain.LineItem(productId=command.product_id, name=command.name, quantity=command.quantity)
        context.emit(domain.ItemAdded(item=item))
    return Empty()


@entity.command_handler("RemoveItem")
def remove_item(state: CartState, command: api.RemoveLineItem, context: EventSourcedCommandContext):
    if command.product_id not in state.items:
        context.fail(f"Cannot remove {command.product_id}: it is not in the cart.")
    else:
        context.emit(domain.ItemRemoved(productId=command.product_id))
    return Empty()


@entity.command_handler("GetCart")
def get_cart(state: CartState):
    items = [state.items[key] for key in sorted(state.items)]
    return api.Cart(
        items=[api.LineItem(product_id=item.productId, name=item.name, quantity=item.quantity) for item in items]
    )


if __name__ == "__main__":
    CloudState().register_event_sourced_entity(entity).start()
