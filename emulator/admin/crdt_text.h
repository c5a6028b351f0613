#pragma once

#include <string>

#include "cloudstate/dev/v1/crdt.pb.h"
#include "emulator/admin/payload_decoder.h"

namespace cloudstate::admin {

// Tells what the payloads in a view of CRDT entities mean, and then the texts that need it. Any size of value gives a
// text that fits into a line.
void Describe(const PayloadDecoder& decoder, dev::v1::Crdt& crdt);
void Describe(const PayloadDecoder& decoder, dev::v1::CrdtDetail& detail);
void Describe(const PayloadDecoder& decoder, dev::v1::CrdtEvent& event);

// "3", "1-4,7"
std::string RangesText(const dev::v1::CrdtWrites& writes);
// "write 3 of node 1", "writes 1-4 of node 2 (life 3)"; with commas between.
std::string WritesText(const google::protobuf::RepeatedPtrField<dev::v1::CrdtWrites>& writes);

}  // namespace cloudstate::admin
