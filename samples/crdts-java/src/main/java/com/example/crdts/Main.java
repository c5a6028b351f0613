package com.example.crdts;

import com.example.chat.ChatOuterClass;
import com.example.counters.CountersOuterClass;
import com.example.presence.PresenceOuterClass;
import com.google.protobuf.Descriptors.FileDescriptor;
import io.cloudstate.javasupport.CloudState;

public final class Main {
  public static void main(String[] args) throws Exception {
    CloudState functions = new CloudState();
    FileDescriptor counters = CountersOuterClass.getDescriptor();
    register(functions, PresenceEntity.class, PresenceOuterClass.getDescriptor(), "Presence");
    register(functions, RoomEntity.class, ChatOuterClass.getDescriptor(), "Chat");
    register(functions, GrowingCounter.class, counters, "Counters");
    register(functions, UpDownCounter.class, counters, "UpDownCounters");
    register(functions, HitCounter.class, counters, "Hits");
    functions.start().toCompletableFuture().get();
  }

  private static void register(CloudState functions, Class<?> entity, FileDescriptor file, String service) {
    // Of a CRDT's service the library does not find the file by itself.
    functions.registerCrdtEntity(entity, file.findServiceByName(service), file);
  }
}
