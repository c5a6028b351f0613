package com.example.crdts;

import com.example.counters.Count;
import com.example.counters.IncrementBy;
import io.cloudstate.javasupport.crdt.CommandContext;
import io.cloudstate.javasupport.crdt.CommandHandler;
import io.cloudstate.javasupport.crdt.CrdtEntity;
import io.cloudstate.javasupport.crdt.GCounter;

/** A counter that only grows. */
@CrdtEntity
public class GrowingCounter {
  private final GCounter counter;

  public GrowingCounter(GCounter counter) {
    this.counter = counter;
  }

  @CommandHandler
  public Count increment(IncrementBy command, CommandContext context) {
    LocalOnly.check(command.getConsistency(), context);
    counter.increment(command.getBy() == 0 ? 1 : command.getBy());
    return get();
  }

  @CommandHandler
  public Count get() {
    return Count.newBuilder().setValue(counter.getValue()).build();
  }
}
