package com.example.crdts;

import com.example.chat.Message;
import com.example.chat.Messages;
import com.example.chat.News;
import com.example.chat.People;
import com.example.chat.PostMessage;
import com.example.chat.Visitor;
import io.cloudstate.javasupport.crdt.CommandContext;
import io.cloudstate.javasupport.crdt.CommandHandler;
import io.cloudstate.javasupport.crdt.Crdt;
import io.cloudstate.javasupport.crdt.CrdtEntity;
import io.cloudstate.javasupport.crdt.CrdtFactory;
import io.cloudstate.javasupport.crdt.ORMap;
import io.cloudstate.javasupport.crdt.ORSet;
import io.cloudstate.javasupport.crdt.StreamedCommandContext;
import io.cloudstate.javasupport.crdt.Vote;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** A room to chat in: a map of who is there, a vote of the nodes for each name, and of what was said, a set. */
@CrdtEntity
public class RoomEntity {
  private static final int MESSAGES_KEPT = 100;

  private final ORMap<String, Crdt> room;
  private final Map<String, Integer> visits = new HashMap<>(); // calls of join that are open on this node, by name
  private final Random random = new Random();

  public RoomEntity(ORMap<String, Crdt> room) {
    this.room = room;
  }

  @CommandHandler
  public News join(Visitor visitor, StreamedCommandContext<News> context) {
    String visiting = visitor.getName();
    if (visiting.isEmpty()) throw context.fail("Nobody can join without a name.");
    visits.merge(visiting, 1, Integer::sum);
    people().getOrCreate(visiting, CrdtFactory::newVote);
    voteForVisitors();

    Told told = new Told();
    context.onChange(changed -> Optional.of(told.next()).filter(news -> !news.equals(News.getDefaultInstance())));
    context.onCancel(
        cancelled -> {
          visits.computeIfPresent(visiting, (key, calls) -> calls == 1 ? null : calls - 1);
          voteForVisitors();
        });
    return told.next();
  }

  @CommandHandler
  public Message post(PostMessage command, CommandContext context) {
    if (command.getAuthor().isEmpty() || command.getText().isEmpty()) {
      throw context.fail("A message needs an author and a text.");
    }
    Message message =
        Message.newBuilder()
            .setAuthor(command.getAuthor())
            .setText(command.getText())
            .setSentMs(System.currentTimeMillis())
            .setNumber(random.nextLong())
            .build();
    messages().add(message);
    List<Message> all = inOrder();
    messages().removeAll(all.subList(0, Math.max(0, all.size() - MESSAGES_KEPT)));
    return message;
  }

  @CommandHandler
  public Messages listMessages() {
    return Messages.newBuilder().addAllMessages(inOrder()).build();
  }

  @CommandHandler
  public People listPeople() {
    return People.newBuilder().addAllNames(names()).build();
  }

  @SuppressWarnings("unchecked")
  private ORMap<String, Vote> people() {
    return (ORMap<String, Vote>) room.getOrCreate("people", CrdtFactory::newORMap);
  }

  @SuppressWarnings("unchecked")
  private ORSet<Message> messages() {
    return (ORSet<Message>) room.getOrCreate("messages", CrdtFactory::newORSet);
  }

  /**
   * This node votes for those who have calls open here, and no more for others. Of them there is the one who left, and
   * those whose calls ended together with an earlier stream.
   */
  private void voteForVisitors() {
    people().forEach((key, vote) -> vote.vote(visits.containsKey(key)));
  }

  private SortedSet<String> names() {
    SortedSet<String> names = new TreeSet<>();
    if (room.containsKey("people")) {
      people().forEach(
          (key, vote) -> {
            if (vote.isAtLeastOne()) names.add(key);
          });
    }
    return names;
  }

  private List<Message> inOrder() {
    if (!room.containsKey("messages")) return List.of();
    return messages().stream()
        .sorted(Comparator.comparingLong(Message::getSentMs).thenComparingLong(Message::getNumber))
        .collect(Collectors.toList());
  }

  /** What a visitor has been told. */
  private final class Told {
    private SortedSet<String> names = new TreeSet<>();
    private List<Message> messages = List.of();

    /** What is new in the room; from now on it counts as told. */
    News next() {
      SortedSet<String> nowThere = names();
      List<Message> nowSaid = inOrder();
      News.Builder news = News.newBuilder();
      nowThere.stream().filter(each -> !names.contains(each)).forEach(news::addJoined);
      names.stream().filter(each -> !nowThere.contains(each)).forEach(news::addLeft);
      nowSaid.stream().filter(each -> !messages.contains(each)).forEach(news::addMessages);
      names = nowThere;
      messages = nowSaid;
      return news.build();
    }
  }
}
