#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "format/column_writer.h"
#include "format/json/json_options.h"
#include "format/text_value.h"

namespace millrace::format {

/// Reads well-formed records that fit their schema straight into columns; anything else it refuses, and the caller
/// takes the record back and gives it to JsonRecordReader. So it may be strict, but must never accept what Spark would
/// treat as malformed: also what is skipped is checked.
///
/// Each node of the schema remembers the order of the names of the object before, so that a name is one comparison.
/// REQUIRES: options that change RFC 8259's limits (maxNumLen …) are at their defaults.
/// Thread: confined.
class JsonFastReader {
 public:
  /// `fields_of_root`: which columns of `root` the fields of `schema` are (the corrupt-record column is not among
  /// them).
  JsonFastReader(const types::DataType& schema, ColumnWriter* root, const std::vector<int>& fields_of_root,
                 bool exact_strings, const TextValueParser& values);

  /// Text the positions refer to, and how far behind it may be read.
  void SetText(const uint8_t* text, size_t readable_size) {
    text_ = text;
    readable_ = readable_size;
  }

  /// Reads the record that ends before `end` and whose first position is *p. Appends to the root's columns, and leaves
  /// the closing of the root's row to the caller (kStruct) or closes it (kArray, kMap).
  /// Returns the position after the record, or nullptr when it refuses; columns may then hold a part of the record.
  const uint32_t* ReadRecord(const uint32_t* p, uint32_t end) {
    end_ = end;
    may_have_escapes_ = *p < end && std::memchr(text_ + *p, '\\', end - *p) != nullptr;
    return root_.id == types::TypeId::kStruct ? ReadObject(root_, p, 0) : ReadValue(root_, p, 0);
  }

 private:
  struct ExpectedName {
    /// As it stands in the text, with quotes.
    std::string bytes;
    /// Index into Node::children, or -1 for a name the schema does not have.
    int child = -1;
  };
  struct Node {
    types::TypeId id = types::TypeId::kNull;
    types::DataTypePtr type;
    ColumnWriter* column = nullptr;
    std::vector<Node> children;
    std::vector<ExpectedName> expected;
    std::unordered_map<std::string, int> names;
  };

  Node MakeNode(const types::DataTypePtr& type, ColumnWriter* column);
  const uint32_t* ReadObject(Node& node, const uint32_t* p, int depth);
  const uint32_t* ReadArray(Node& node, const uint32_t* p, int depth);
  const uint32_t* ReadMap(Node& node, const uint32_t* p, int depth);
  const uint32_t* ReadValue(Node& node, const uint32_t* p, int depth);
  const uint32_t* ReadString(Node& node, const uint32_t* p);
  const uint32_t* ReadIntoString(Node& node, const uint32_t* p, int depth);
  const uint32_t* ReadInteger(Node& node, const uint32_t* p);
  const uint32_t* ReadFloating(Node& node, const uint32_t* p);
  const uint32_t* ReadFromText(Node& node, const uint32_t* p);
  const uint32_t* Skip(const uint32_t* p, int depth);
  bool IsName(const std::string& bytes, uint32_t name, uint32_t colon) const;
  int FindName(Node& node, const uint32_t* p, size_t place);

  /// Bytes between the quotes of the string at *p, or false.
  bool StringAt(const uint32_t* p, std::string_view* raw) const;
  /// The scalar at *p without blanks behind it.
  std::string_view ScalarAt(const uint32_t* p) const;
  bool IsLiteral(const uint32_t* p, std::string_view literal) const;
  bool HasEscapes(std::string_view raw) const {
    return may_have_escapes_ && raw.find('\\') != std::string_view::npos;
  }
  bool AppendText(ColumnWriter* column, std::string_view raw);
  bool LocalToUtc(int64_t local_us, int64_t* utc_us) const;

  Node root_;
  const TextValueParser& values_;
  bool exact_strings_;
  bool zone_is_utc_;
  bool allow_non_numeric_ = true;
  const uint8_t* text_ = nullptr;
  size_t readable_ = 0;
  uint32_t end_ = 0;
  /// Of the record: most have none, and none of their skipped strings is then looked through.
  bool may_have_escapes_ = false;
  std::string scratch_;
};

}  // namespace millrace::format
