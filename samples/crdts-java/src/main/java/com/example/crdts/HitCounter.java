package com.example.crdts;

import com.example.counters.Count;
import com.google.protobuf.Empty;
import io.cloudstate.javasupport.crdt.CommandHandler;
import io.cloudstate.javasupport.crdt.CrdtEntity;
import io.cloudstate.javasupport.crdt.GCounter;

/** As little as a command can do that changes something. */
@CrdtEntity
public class HitCounter {
  private final GCounter counter;

  public HitCounter(GCounter counter) {
    this.counter = counter;
  }

  @CommandHandler
  public Empty hit() {
    counter.increment(1);
    return Empty.getDefaultInstance();
  }

  @CommandHandler
  public Count get() {
    return Count.newBuilder().setValue(counter.getValue()).build();
  }
}
