package com.example.shoppingcart;

import com.example.shoppingcart.persistence.Domain;
import com.google.protobuf.Empty;
import io.cloudstate.javasupport.eventsourced.CommandContext;
import io.cloudstate.javasupport.eventsourced.CommandHandler;
import io.cloudstate.javasupport.eventsourced.EventHandler;
import io.cloudstate.javasupport.eventsourced.EventSourcedEntity;
import io.cloudstate.javasupport.eventsourced.Snapshot;
import io.cloudstate.javasupport.eventsourced.SnapshotHandler;
import io.cloudstate.springboot.starter.CloudstateEntityBean;
import java.util.Map;
import java.util.TreeMap;

/** A shopping cart: one event-sourced entity per user, and for each a bean that Spring makes. */
@EventSourcedEntity(persistenceId = "shopping-cart")
@CloudstateEntityBean
public class CartEntity {
  private final OrderRules rules;
  private final Map<String, Domain.LineItem> items = new TreeMap<>(); // by product id

  public CartEntity(OrderRules rules) {
    this.rules = rules;
  }

  @CommandHandler
  public Empty addItem(Shoppingcart.AddLineItem command, CommandContext context) {
    if (!rules.permits(command)) {
      context.fail(
          String.format(
              "Cannot add %d of %s: the quantity must be positive.", command.getQuantity(), command.getProductId()));
    }
    Domain.LineItem item =
        Domain.LineItem.newBuilder()
            .setProductId(command.getProductId())
            .setName(command.getName())
            .setQuantity(command.getQuantity())
            .build();
    context.emit(Domain.ItemAdded.newBuilder().setItem(item).build());
    return Empty.getDefaultInstance();
  }

  @CommandHandler
  public Empty removeItem(Shoppingcart.RemoveLineItem command, CommandContext context) {
    if (!items.containsKey(command.getProductId())) {
      context.fail(String.format("Cannot remove %s: it is not in the cart.", command.getProductId()));
    }
    context.emit(Domain.ItemRemoved.newBuilder().setProductId(command.getProductId()).build());
    return Empty.getDefaultInstance();
  }

  @CommandHandler
  public Shoppingcart.Cart getCart() {
    Shoppingcart.Cart.Builder cart = Shoppingcart.Cart.newBuilder();
    for (Domain.LineItem item : items.values()) {
      cart.addItemsBuilder()
          .setProductId(item.getProductId())
          .setName(item.getName())
          .setQuantity(item.getQuantity());
    }
    return cart.build();
  }

  @EventHandler
  public void itemAdded(Domain.ItemAdded event) {
    Domain.LineItem item = event.getItem();
    Domain.LineItem known = items.getOrDefault(item.getProductId(), Domain.LineItem.getDefaultInstance());
    items.put(item.getProductId(), item.toBuilder().setQuantity(known.getQuantity() + item.getQuantity()).build());
  }

  @EventHandler
  public void itemRemoved(Domain.ItemRemoved event) {
    items.remove(event.getProductId());
  }

  @Snapshot
  public Domain.Cart snapshot() {
    return Domain.Cart.newBuilder().addAllItems(items.values()).build();
  }

  @SnapshotHandler
  public void handleSnapshot(Domain.Cart cart) {
    items.clear();
    for (Domain.LineItem item : cart.getItemsList()) items.put(item.getProductId(), item);
  }
}
