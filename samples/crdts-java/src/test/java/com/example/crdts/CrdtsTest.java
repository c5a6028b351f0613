package com.example.crdts;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.gson.JsonElement;
import com.google.gson.JsonParser;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;

/** Two nodes beside each other: {@code cloudstate-dev exec --nodes 2} sets the variables. */
@EnabledIfEnvironmentVariable(named = "CLOUDSTATE_DEV_ADDRESS", matches = ".+")
class CrdtsTest {
  private static final String CLIENT = "http://" + System.getenv("CLOUDSTATE_DEV_ADDRESS");
  private static final String ADMIN = "http://" + System.getenv("CLOUDSTATE_DEV_ADMIN");

  private final HttpClient http = HttpClient.newHttpClient();

  /** Not even a network that it has cut. */
  @BeforeEach
  void nothingOfTheTestBeforeIsLeft() throws Exception {
    steer("/v1/testing/reset", "{}");
  }

  @Test
  void whatBothNodesCountComesTogether() throws Exception {
    post(1, "/counters/visits/increment", "{\"by\": 2}");
    post(2, "/counters/visits/increment", "{\"by\": 3}");
    awaitConvergence();
    for (int node = 1; node <= 2; node++) assertEquals(JsonParser.parseString("{'value': '5'}"), get(node, "/counters/visits"));
  }

  @Test
  void whatIsSaidAtOneNodeIsHeardAtTheOther() throws Exception {
    post(1, "/chat/lobby/messages", "{\"author\": \"ann\", \"text\": \"hello\"}");
    awaitConvergence();
    JsonElement heard = get(2, "/chat/lobby/messages").getAsJsonObject().getAsJsonArray("messages").get(0);
    assertEquals("ann", heard.getAsJsonObject().get("author").getAsString());
    assertEquals("hello", heard.getAsJsonObject().get("text").getAsString());
  }

  /** Until both nodes know what each of them does. */
  private void awaitConvergence() throws Exception {
    steer("/v1/testing/wait", "{\"converged\": true}");
  }

  private void steer(String path, String body) throws Exception {
    answerOf(HttpRequest.newBuilder(URI.create(ADMIN + path)).POST(BodyPublishers.ofString(body)));
  }

  private JsonElement get(int node, String path) throws Exception {
    return answerOf(HttpRequest.newBuilder(URI.create(CLIENT + path)).header("x-cloudstate-node", String.valueOf(node)));
  }

  private void post(int node, String path, String body) throws Exception {
    answerOf(
        HttpRequest.newBuilder(URI.create(CLIENT + path))
            .header("x-cloudstate-node", String.valueOf(node))
            .POST(BodyPublishers.ofString(body)));
  }

  private JsonElement answerOf(HttpRequest.Builder request) throws Exception {
    HttpResponse<String> response =
        http.send(request.header("content-type", "application/json").build(), BodyHandlers.ofString());
    assertEquals(200, response.statusCode(), response.body());
    return JsonParser.parseString(response.body());
  }
}
