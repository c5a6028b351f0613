#pragma once

namespace cloudstate::userfunction {

// The generation of the Cloudstate protocol that a user function speaks. Both have the same wire package names, with
// fields and extension numbers that differ.
enum class Dialect { k0_1, k0_2 };

}  // namespace cloudstate::userfunction
