package com.example.crdts;

import com.example.counters.Balance;
import com.example.counters.ChangeBy;
import io.cloudstate.javasupport.crdt.CommandContext;
import io.cloudstate.javasupport.crdt.CommandHandler;
import io.cloudstate.javasupport.crdt.CrdtEntity;
import io.cloudstate.javasupport.crdt.PNCounter;

/** A counter that goes up and down. */
@CrdtEntity
public class UpDownCounter {
  private final PNCounter counter;

  public UpDownCounter(PNCounter counter) {
    this.counter = counter;
  }

  @CommandHandler
  public Balance change(ChangeBy command, CommandContext context) {
    LocalOnly.check(command.getConsistency(), context);
    counter.increment(command.getBy());
    return get();
  }

  @CommandHandler
  public Balance get() {
    return Balance.newBuilder().setValue(counter.getValue()).build();
  }
}
