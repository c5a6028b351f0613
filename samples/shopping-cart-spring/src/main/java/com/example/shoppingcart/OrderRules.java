package com.example.shoppingcart;

import org.springframework.stereotype.Component;

/** What may be ordered: a bean like any other, for the entities to be given. */
@Component
public class OrderRules {
  public boolean permits(Shoppingcart.AddLineItem line) {
    return line.getQuantity() > 0;
  }
}
