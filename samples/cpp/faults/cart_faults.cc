#include "samples/cpp/faults/cart_faults.h"

#include <cstdlib>
#include <functional>
#include <map>
#include <mutex>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "google/protobuf/any.pb.h"
#include "google/protobuf/empty.pb.h"
#include "shoppingcart/persistence/domain.pb.h"
#include "shoppingcart/shoppingcart.pb.h"

namespace cloudstate::samples {
namespace {

using google::protobuf::Any;
namespace api = com::example::shoppingcart;
namespace domain = com::example::shoppingcart::persistence;
using Cart = std::unique_ptr<EventSourcedEntity>;

// A cart that is the real one but for what a fault overrides.
class FaultyCart : public EventSourcedEntity {
 public:
  explicit FaultyCart(Cart cart) : cart_(std::move(cart)) {}
  absl::Status OnSnapshot(const Any& snapshot) override { return cart_->OnSnapshot(snapshot); }
  absl::Status OnEvent(const Any& event) override { return cart_->OnEvent(event); }
  absl::Status OnCommand(const std::string& name, const Any& payload, EventSourcedContext& context) override {
    return cart_->OnCommand(name, payload, context);
  }
  void WriteSnapshot(Any& snapshot) const override { cart_->WriteSnapshot(snapshot); }

 protected:
  EventSourcedEntity& cart() { return *cart_; }
  const EventSourcedEntity& cart() const { return *cart_; }

 private:
  const Cart cart_;
};

// Changes its state in the command's handler, and forgets the event.
class UnstoredChange final : public FaultyCart {
 public:
  using FaultyCart::FaultyCart;
  absl::Status OnCommand(const std::string& name, const Any& payload, EventSourcedContext& context) override {
    api::AddLineItem add;
    if (name != "AddItem" || !payload.UnpackTo(&add) || add.quantity() <= 0) {
      return cart().OnCommand(name, payload, context);
    }
    domain::ItemAdded added;
    added.mutable_item()->set_productid(add.product_id());
    added.mutable_item()->set_name(add.name());
    added.mutable_item()->set_quantity(add.quantity());
    if (!had_one_) context.Emit(added);
    if (had_one_) {
      Any event;
      event.PackFrom(added);
      if (absl::Status status = cart().OnEvent(event); !status.ok()) return status;
    }
    had_one_ = true;
    context.Reply(google::protobuf::Empty());
    return absl::OkStatus();
  }

 private:
  bool had_one_ = false;
};

// Has no handler for removals.
class IgnoredEvent final : public FaultyCart {
 public:
  using FaultyCart::FaultyCart;
  absl::Status OnEvent(const Any& event) override {
    return event.Is<domain::ItemRemoved>() ? absl::OkStatus() : cart().OnEvent(event);
  }
};

// An item that comes back has the quantity that it had before it was removed as well.
class WrongTotal final : public FaultyCart {
 public:
  using FaultyCart::FaultyCart;
  absl::Status OnEvent(const Any& event) override {
    domain::ItemAdded added;
    if (!event.UnpackTo(&added)) return cart().OnEvent(event);
    std::int32_t& total = totals_[added.item().productid()];
    const std::int32_t before = std::exchange(total, total + added.item().quantity());
    if (absl::Status status = Remove(added.item().productid()); !status.ok()) return status;
    added.mutable_item()->set_quantity(before + added.item().quantity());
    Any changed;
    changed.PackFrom(added);
    return cart().OnEvent(changed);
  }

 private:
  absl::Status Remove(const std::string& product_id) {
    domain::ItemRemoved removed;
    removed.set_productid(product_id);
    Any event;
    event.PackFrom(removed);
    return cart().OnEvent(event);
  }

  std::map<std::string, std::int32_t> totals_;
};

// Draws lots when an event is applied.
class RandomEvent final : public FaultyCart {
 public:
  using FaultyCart::FaultyCart;
  absl::Status OnEvent(const Any& event) override {
    domain::ItemAdded added;
    if (!event.UnpackTo(&added)) return cart().OnEvent(event);
    added.mutable_item()->set_quantity(static_cast<std::int32_t>(random_() % 1'000'000));
    Any changed;
    changed.PackFrom(added);
    return cart().OnEvent(changed);
  }

 private:
  std::random_device random_;
};

// One state for all carts.
class SharedState final : public FaultyCart {
 public:
  explicit SharedState(Cart cart) : FaultyCart(nullptr), first_(Shared(std::move(cart))) {}
  absl::Status OnSnapshot(const Any& snapshot) override {
    const std::lock_guard lock(mutex_);
    return first_.OnSnapshot(snapshot);
  }
  absl::Status OnEvent(const Any& event) override {
    const std::lock_guard lock(mutex_);
    return first_.OnEvent(event);
  }
  absl::Status OnCommand(const std::string& name, const Any& payload, EventSourcedContext& context) override {
    const std::lock_guard lock(mutex_);
    return first_.OnCommand(name, payload, context);
  }
  void WriteSnapshot(Any& snapshot) const override {
    const std::lock_guard lock(mutex_);
    first_.WriteSnapshot(snapshot);
  }

 private:
  static EventSourcedEntity& Shared(Cart cart) {
    static const Cart shared = std::move(cart);
    return *shared;
  }
  static inline std::recursive_mutex mutex_;  // a command applies its events on the way
  EventSourcedEntity& first_;
};

// Forgets the names of the items.
class LossySnapshot final : public FaultyCart {
 public:
  using FaultyCart::FaultyCart;
  void WriteSnapshot(Any& snapshot) const override {
    cart().WriteSnapshot(snapshot);
    domain::Cart items;
    snapshot.UnpackTo(&items);
    for (domain::LineItem& item : *items.mutable_items()) item.clear_name();
    snapshot.PackFrom(items);
  }
};

// Takes no more events than come behind one of its snapshots, but for those of its own commands.
class ForgottenEvent final : public FaultyCart {
 public:
  static constexpr std::int64_t kSnapshotEvery = 3;

  using FaultyCart::FaultyCart;
  absl::Status OnEvent(const Any& event) override {
    if (!has_answered_ && ++loaded_ >= kSnapshotEvery) return absl::InternalError("no handler for old events");
    return cart().OnEvent(event);
  }
  absl::Status OnCommand(const std::string& name, const Any& payload, EventSourcedContext& context) override {
    has_answered_ = true;
    return cart().OnCommand(name, payload, context);
  }

 private:
  bool has_answered_ = false;
  std::int64_t loaded_ = 0;
};

// Keeps something of each command for ever.
class Leak final : public FaultyCart {
 public:
  using FaultyCart::FaultyCart;
  absl::Status OnCommand(const std::string& name, const Any& payload, EventSourcedContext& context) override {
    constexpr std::size_t kBytes = 64 << 10;
    {
      const std::lock_guard lock(mutex_);
      kept_.emplace_back(kBytes, 'x');
    }
    return cart().OnCommand(name, payload, context);
  }

 private:
  static inline std::mutex mutex_;
  static inline std::vector<std::string> kept_;
};

// Allows less than it did before.
class DifferentAnswer final : public FaultyCart {
 public:
  using FaultyCart::FaultyCart;
  absl::Status OnCommand(const std::string& name, const Any& payload, EventSourcedContext& context) override {
    api::AddLineItem add;
    if (name != "AddItem" || !payload.UnpackTo(&add) || add.quantity() <= 5) {
      return cart().OnCommand(name, payload, context);
    }
    context.Fail("No more than five of a kind.");
    return absl::OkStatus();
  }
};

// Answers GetCart with the reply of another command.
class WrongReplyType final : public FaultyCart {
 public:
  using FaultyCart::FaultyCart;
  absl::Status OnCommand(const std::string& name, const Any& payload, EventSourcedContext& context) override {
    if (name != "GetCart") return cart().OnCommand(name, payload, context);
    context.Reply(google::protobuf::Empty());
    return absl::OkStatus();
  }
};

// Ends the process where a quantity is negative.
class Crash final : public FaultyCart {
 public:
  using FaultyCart::FaultyCart;
  absl::Status OnCommand(const std::string& name, const Any& payload, EventSourcedContext& context) override {
    if (api::AddLineItem add; name == "AddItem" && payload.UnpackTo(&add) && add.quantity() < 0) std::_Exit(3);
    return cart().OnCommand(name, payload, context);
  }
};

template <class Faulty>
std::function<void(UserFunction&)> Carts(std::int64_t snapshot_every = 100) {
  return [snapshot_every](UserFunction& model) {
    for (EventSourcedService& service : model.event_sourced) {
      service.snapshot_every = snapshot_every;
      service.create = [create = service.create] { return std::make_unique<Faulty>(create()); };
    }
  };
}

}  // namespace

std::vector<Fault> CartCodeFaults() {
  return {
      {.name = "unstored-change",
       .description = "changes its state for the second item without an event",
       .model = Carts<UnstoredChange>()},
      {.name = "ignored-event", .description = "has no handler for ItemRemoved", .model = Carts<IgnoredEvent>()},
      {.name = "wrong-total",
       .description = "counts what was removed once more when an item comes back",
       .model = Carts<WrongTotal>()},
      {.name = "random-event", .description = "draws lots in the handler of an event", .model = Carts<RandomEvent>()},
      {.name = "shared-state", .description = "has one state for all carts", .model = Carts<SharedState>()},
      {.name = "lossy-snapshot",
       .description = "forgets the names of the items in snapshots",
       .model = Carts<LossySnapshot>(3)},
      {.name = "forgotten-event",
       .description = "takes old events from a snapshot only",
       .model = Carts<ForgottenEvent>(ForgottenEvent::kSnapshotEvery)},
      {.name = "leak", .description = "keeps 64 KiB of each command for ever", .model = Carts<Leak>()},
      {.name = "different-answer",
       .description = "fails a command that it carried out before",
       .model = Carts<DifferentAnswer>()},
      {.name = "wrong-reply-type",
       .description = "answers GetCart with a message of another type",
       .model = Carts<WrongReplyType>()},
      {.name = "crash", .description = "ends the process on a negative quantity", .model = Carts<Crash>()},
  };
}

}  // namespace cloudstate::samples
