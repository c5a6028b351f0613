package com.example.shoppingcart;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;

/** The cart beside an emulator of its own: {@code cloudstate-dev exec} sets the variables. */
@EnabledIfEnvironmentVariable(named = "CLOUDSTATE_DEV_ADDRESS", matches = ".+")
class ShoppingCartTest {
  private static final String CLIENT = "http://" + System.getenv("CLOUDSTATE_DEV_ADDRESS");
  private static final String ADMIN = "http://" + System.getenv("CLOUDSTATE_DEV_ADMIN");

  private final HttpClient http = HttpClient.newHttpClient();

  @BeforeEach
  void nothingOfTheTestBeforeIsLeft() throws Exception {
    assertEquals(200, post(ADMIN + "/v1/testing/reset", "{}").statusCode());
  }

  @Test
  void quantitiesOfAProductAddUp() throws Exception {
    assertEquals(200, add("pear", 2).statusCode());
    assertEquals(200, add("pear", 3).statusCode());
    assertEquals(
        JsonParser.parseString("{'items': [{'productId': 'pear', 'name': 'pear', 'quantity': 5}]}"),
        JsonParser.parseString(get(CLIENT + "/carts/anna").body()));
  }

  @Test
  void whatWasAddedAndRemovedIsStoredAsEvents() throws Exception {
    add("pear", 2);
    post(CLIENT + "/cart/anna/items/pear/remove", "{}");
    assertEquals(
        List.of(
            "ItemAdded {\"item\":{\"productId\":\"pear\",\"name\":\"pear\",\"quantity\":2}}",
            "ItemRemoved {\"productId\":\"pear\"}"),
        storedEvents());
  }

  @Test
  void aQuantityBelowOneIsRefusedAndNothingIsStored() throws Exception {
    HttpResponse<String> refused = add("pear", 0);
    assertNotEquals(200, refused.statusCode());
    assertTrue(refused.body().contains("the quantity must be positive"), refused.body());
    assertEquals(List.of(), storedEvents());
  }

  private HttpResponse<String> add(String product, int quantity) throws Exception {
    JsonObject item = new JsonObject();
    item.addProperty("productId", product);
    item.addProperty("name", product);
    item.addProperty("quantity", quantity);
    return post(CLIENT + "/cart/anna/items/add", item.toString());
  }

  /** Type and content of each; none where nothing was ever stored. */
  private List<String> storedEvents() throws Exception {
    HttpResponse<String> response = get(ADMIN + "/v1/entities/shopping-cart/anna/events");
    List<String> events = new ArrayList<>();
    if (response.statusCode() == 404) return events;
    JsonArray stored = JsonParser.parseString(response.body()).getAsJsonObject().getAsJsonArray("events");
    for (JsonElement event : stored) {
      JsonObject payload = event.getAsJsonObject().getAsJsonObject("payload");
      String type = payload.get("typeUrl").getAsString();
      events.add(type.substring(type.lastIndexOf('.') + 1) + " " + payload.get("json").getAsString());
    }
    return events;
  }

  private HttpResponse<String> get(String url) throws Exception {
    return http.send(HttpRequest.newBuilder(URI.create(url)).build(), BodyHandlers.ofString());
  }

  private HttpResponse<String> post(String url, String body) throws Exception {
    HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url)).header("content-type", "application/json");
    return http.send(request.POST(BodyPublishers.ofString(body)).build(), BodyHandlers.ofString());
  }
}
