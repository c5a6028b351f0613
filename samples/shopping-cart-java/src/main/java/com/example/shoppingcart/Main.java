package com.example.shoppingcart;

import com.example.shoppingcart.persistence.Domain;
import io.cloudstate.javasupport.CloudState;

public final class Main {
  public static void main(String[] args) throws Exception {
    // HOST and PORT the library reads itself.
    String snapshotEvery = System.getenv("SNAPSHOT_EVERY");
    if (snapshotEvery != null) System.setProperty("cloudstate.eventsourced.snapshot-every", snapshotEvery);

    new CloudState()
        .registerEventSourcedEntity(
            CartEntity.class,
            Shoppingcart.getDescriptor().findServiceByName("ShoppingCart"),
            Domain.getDescriptor())
        .start()
        .toCompletableFuture()
        .get();
  }
}
