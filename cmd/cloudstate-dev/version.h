#pragma once

#include <string>

namespace cloudstate::cli {

// "0.1.0".
std::string Version();
// The commit it was built from, abbreviated; "unknown" outside of a checkout.
std::string Commit();
// For --version: those, the protocol versions and the libraries.
std::string VersionText();

}  // namespace cloudstate::cli
