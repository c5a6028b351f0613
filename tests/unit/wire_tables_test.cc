#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/descriptor.pb.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "protocol/descriptors/descriptor_sets.h"

namespace cloudstate {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;
using google::protobuf::FileDescriptorProto;
using google::protobuf::FileDescriptorSet;
using google::protobuf::Message;
using google::protobuf::ServiceDescriptor;

// Statements, each with the file and the declaration that it belongs to, in the form of tests/data/wire.
using Statements = std::multiset<std::string>;

Statements FromTable(const std::string& name) {
  std::ifstream table(absl::StrCat(TEST_DATA, "/wire/", name));
  EXPECT_TRUE(table.is_open()) << name;
  Statements statements;
  std::string file;
  std::string owner;
  for (std::string line; std::getline(table, line);) {
    if (line.empty()) continue;
    const std::string kind = line.substr(0, line.find(' '));
    if (kind == "file") std::tie(file, owner) = std::pair(line, std::string());
    if (kind == "extend") owner.clear();
    if (kind == "message" || kind == "enum" || kind == "service") owner = line;
    statements.insert(absl::StrCat(file, " / ", owner, " / ", line));
  }
  return statements;
}

// The same statements from a descriptor.
class FromDescriptors {
 public:
  void AddFile(const FileDescriptor& file) {
    const char* syntax = file.syntax() == FileDescriptor::SYNTAX_PROTO3 ? "proto3" : "proto2";
    file_ = absl::StrCat("file ", file.name(), " ", file.package(), " ", syntax);
    owner_.clear();
    Say(file_);
    for (int i = 0; i < file.dependency_count(); ++i) Say(absl::StrCat("import ", file.dependency(i)->name()));
    AddOptions(file.options());
    for (int i = 0; i < file.extension_count(); ++i) AddExtension(*file.extension(i));
    for (int i = 0; i < file.message_type_count(); ++i) AddMessage(*file.message_type(i));
    for (int i = 0; i < file.enum_type_count(); ++i) AddEnum(*file.enum_type(i));
    for (int i = 0; i < file.service_count(); ++i) AddService(*file.service(i));
  }

  const Statements& statements() const { return statements_; }

 private:
  void Say(const std::string& statement) { statements_.insert(absl::StrCat(file_, " / ", owner_, " / ", statement)); }

  // Whatever options are set, those of fields and messages too.
  void AddOptions(const Message& options) {
    std::vector<const FieldDescriptor*> fields;
    options.GetReflection()->ListFields(options, &fields);
    for (const FieldDescriptor* field : fields) {
      std::string value;
      google::protobuf::TextFormat::PrintFieldValueToString(options, field, -1, &value);
      std::erase(value, '"');
      Say(absl::StrCat("option ", field->name(), " ", value));
    }
  }

  static std::string TypeName(const FieldDescriptor& field) {
    if (field.message_type() != nullptr) return field.message_type()->full_name();
    return field.enum_type() != nullptr ? field.enum_type()->full_name() : field.type_name();
  }

  void AddExtension(const FieldDescriptor& field) {
    Say(absl::StrCat("extend ", field.containing_type()->full_name(), " ", field.full_name(), " ", field.number(), " ",
                     field.is_repeated() ? "repeated " : "", TypeName(field)));
  }

  void AddMessage(const Descriptor& message) {
    owner_ = absl::StrCat("message ", message.full_name());
    Say(owner_);
    AddOptions(message.options());
    for (int i = 0; i < message.field_count(); ++i) {
      const FieldDescriptor& field = *message.field(i);
      const auto* oneof = field.containing_oneof();
      Say(absl::StrCat("field ", field.number(), " ", field.name(), " ", field.is_repeated() ? "repeated " : "",
                       TypeName(field), oneof != nullptr ? absl::StrCat(" oneof ", oneof->name()) : ""));
      AddOptions(field.options());
    }
    for (int i = 0; i < message.extension_count(); ++i) AddExtension(*message.extension(i));
    for (int i = 0; i < message.enum_type_count(); ++i) AddEnum(*message.enum_type(i));
    for (int i = 0; i < message.nested_type_count(); ++i) AddMessage(*message.nested_type(i));
  }

  void AddEnum(const EnumDescriptor& type) {
    owner_ = absl::StrCat("enum ", type.full_name());
    Say(owner_);
    AddOptions(type.options());
    for (int i = 0; i < type.value_count(); ++i) {
      Say(absl::StrCat("value ", type.value(i)->number(), " ", type.value(i)->name()));
    }
  }

  void AddService(const ServiceDescriptor& service) {
    owner_ = absl::StrCat("service ", service.full_name());
    Say(owner_);
    AddOptions(service.options());
    for (int i = 0; i < service.method_count(); ++i) {
      const auto& method = *service.method(i);
      Say(absl::StrCat("rpc ", method.name(), " (", method.client_streaming() ? "stream " : "",
                       method.input_type()->full_name(), ") (", method.server_streaming() ? "stream " : "",
                       method.output_type()->full_name(), ")"));
      AddOptions(method.options());
    }
  }

  Statements statements_;
  std::string file_;
  std::string owner_;
};

struct WireDialect {
  std::string table;
  std::string_view set;
};

void AddToPool(std::string_view bytes, DescriptorPool& pool, std::vector<const FileDescriptor*>* built) {
  FileDescriptorSet set;
  ASSERT_TRUE(set.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
  // Each file after what it imports: files that cannot be built yet are tried again.
  std::vector<FileDescriptorProto> waiting(set.file().begin(), set.file().end());
  for (std::size_t rounds = waiting.size(); rounds > 0 && !waiting.empty(); --rounds) {
    std::vector<FileDescriptorProto> later;
    for (const FileDescriptorProto& file : waiting) {
      const bool ready = std::ranges::all_of(
          file.dependency(), [&](const auto& import) { return pool.FindFileByName(import) != nullptr; });
      if (!ready) {
        later.push_back(file);
        continue;
      }
      const FileDescriptor* descriptor = pool.BuildFile(file);
      ASSERT_NE(descriptor, nullptr) << file.name();
      if (built != nullptr) built->push_back(descriptor);
    }
    waiting = std::move(later);
  }
  ASSERT_TRUE(waiting.empty());
}

class WireTables : public ::testing::TestWithParam<WireDialect> {};

TEST_P(WireTables, TheProtosDeclareExactlyWhatTheTablesSay) {
  DescriptorPool pool;
  std::vector<const FileDescriptor*> files;
  AddToPool(protocol::DescriptorSetGoogle(), pool, nullptr);
  AddToPool(GetParam().set, pool, &files);
  FromDescriptors declared;
  for (const FileDescriptor* file : files) declared.AddFile(*file);
  const Statements expected = FromTable(GetParam().table);
  std::vector<std::string> missing;
  std::vector<std::string> surplus;
  std::ranges::set_difference(expected, declared.statements(), std::back_inserter(missing));
  std::ranges::set_difference(declared.statements(), expected, std::back_inserter(surplus));
  EXPECT_EQ(absl::StrJoin(missing, "\n"), "") << "in the table only";
  EXPECT_EQ(absl::StrJoin(surplus, "\n"), "") << "in the protos only";
  EXPECT_GT(expected.size(), 150U) << "the table is not whole";
}

INSTANTIATE_TEST_SUITE_P(Dialects, WireTables,
                         ::testing::Values(WireDialect{"v0_1.txt", protocol::DescriptorSetV01()},
                                           WireDialect{"v0_2.txt", protocol::DescriptorSetV02()}));

}  // namespace
}  // namespace cloudstate
