#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cloudstate/dev/v1/dev.pb.h"
#include "cloudstate/dev/v1/testfile.pb.h"
#include "emulator/testing/known_types.h"

namespace cloudstate::testing {

// An entity that recorded calls got to, with all that is stored of it at the end of the recording.
struct RecordedEntity {
  std::string service;  // full name
  std::string entity_id;
  std::vector<dev::v1::Event> events;
};

enum class RecordedCases { kOne, kForEachEntity };

struct RecordedTest {
  dev::v1::TestFile file;
  std::int64_t calls = 0;             // that became steps
  std::vector<std::string> left_out;  // in sentences: what the file can't tell, and why
};

// Makes of traces a test file that expects the same again: what was stored before the first call of a case that got to
// an entity is given, then the calls follow in the order in which they began, with their replies, errors, events,
// effects and forwards. Left out are calls that a file can't repeat: those whose input is not in their trace, since it
// was too large or never got to the user function, those that their clients ended or gave up, streams that failed, and
// those that were too long for a trace.
RecordedTest MakeRecordedTest(const std::vector<dev::v1::CommandTrace>& traces,
                              const std::vector<RecordedEntity>& entities, const KnownTypes& types,
                              RecordedCases cases);

}  // namespace cloudstate::testing
