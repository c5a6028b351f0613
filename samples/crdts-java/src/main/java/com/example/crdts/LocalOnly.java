package com.example.crdts;

import com.example.counters.Consistency;
import io.cloudstate.javasupport.crdt.CommandContext;

/** The library has no way to ask for another consistency. */
final class LocalOnly {
  static void check(Consistency consistency, CommandContext context) {
    if (consistency != Consistency.LOCAL) throw context.fail("This library knows only LOCAL consistency.");
  }

  private LocalOnly() {}
}
