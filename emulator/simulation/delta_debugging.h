#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

namespace cloudstate::simulation {

// The items without one of so many parts of them that are about as long as each other, the first that fails so; all of
// them where none does.
template <class Item, class Fails>
std::vector<Item> DropOneOf(std::size_t parts, const std::vector<Item>& items, const Fails& fails) {
  for (std::size_t part = 0; part < parts; ++part) {
    const auto begin = static_cast<std::ptrdiff_t>(items.size() * part / parts);
    const auto end = static_cast<std::ptrdiff_t>(items.size() * (part + 1) / parts);
    std::vector<Item> left(items.begin(), items.begin() + begin);
    left.insert(left.end(), items.begin() + end, items.end());
    if (fails(left)) return left;
  }
  return items;
}

// Leaves out items as long as the others fail without them: delta debugging (Zeller, Hildebrandt: Simplifying and
// Isolating Failure-Inducing Input, 2002), with complements only: that a small part fails by itself is found on the
// way as well. `goes_on` is asked before each round.
template <class Item, class Fails>
std::vector<Item> DropItems(std::vector<Item> items, const Fails& fails, const std::function<bool()>& goes_on) {
  std::size_t parts = 1;  // first without any
  while (!items.empty() && goes_on()) {
    parts = std::min(parts, items.size());
    std::vector<Item> left = DropOneOf(parts, items, fails);
    if (left.size() < items.size()) {
      items = std::move(left);
      parts = std::max<std::size_t>(parts - 1, 2);
    } else if (parts == items.size()) {
      break;
    } else {
      parts *= 2;
    }
  }
  return items;
}

}  // namespace cloudstate::simulation
