package com.example.crdts;

import com.example.presence.OnlineStatus;
import com.google.protobuf.Empty;
import io.cloudstate.javasupport.crdt.CommandHandler;
import io.cloudstate.javasupport.crdt.CrdtEntity;
import io.cloudstate.javasupport.crdt.StreamedCommandContext;
import io.cloudstate.javasupport.crdt.Vote;
import java.util.Optional;

/** Whether one user is online: a node votes for them while a client of theirs is connected to it. */
@CrdtEntity
public class PresenceEntity {
  private final Vote vote;
  private int connected; // clients of the user, on this node

  public PresenceEntity(Vote vote) {
    this.vote = vote;
  }

  @CommandHandler
  public Empty connect(StreamedCommandContext<Empty> context) {
    connected++;
    vote.vote(true);
    context.onCancel(
        cancelled -> {
          connected--;
          if (connected == 0) vote.vote(false);
        });
    return Empty.getDefaultInstance();
  }

  @CommandHandler
  public OnlineStatus monitor(StreamedCommandContext<OnlineStatus> context) {
    // A stream that ended together with its calls has left this node's vote behind.
    if (connected == 0) vote.vote(false);
    OnlineStatus status = status();
    OnlineStatus[] told = {status};
    context.onChange(
        changed -> {
          OnlineStatus now = status();
          if (now.equals(told[0])) return Optional.empty();
          told[0] = now;
          return Optional.of(now);
        });
    return status;
  }

  private OnlineStatus status() {
    return OnlineStatus.newBuilder().setOnline(vote.isAtLeastOne()).build();
  }
}
