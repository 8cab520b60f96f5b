#include "function/aggregate/typed_buffers.h"

#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>

#include <array>
#include <string>
#include <unordered_map>
#include <vector>

#include "expression/compare.h"

namespace millrace::function {

using arrow::Result;
using arrow::Status;

namespace {

void AppendInt(int32_t value, std::string* out) {
  auto bits = static_cast<uint32_t>(value);
  for (int shift : {24, 16, 8, 0}) out->push_back(static_cast<char>(bits >> shift));
}

Result<int32_t> TakeInt(std::string_view* bytes) {
  if (bytes->size() < 4) return Status::Invalid("The buffer of an aggregate ends within a record");
  uint32_t bits = 0;
  for (char c : bytes->substr(0, 4)) bits = bits << 8 | static_cast<uint8_t>(c);
  bytes->remove_prefix(4);
  return static_cast<int32_t>(bits);
}

}  // namespace

ListBuffers::ListBuffers(const types::DataTypePtr& list_type, arrow::MemoryPool* pool)
    : pool_(pool), encoder_({list_type}), decoder_({list_type}) {}

Result<std::shared_ptr<arrow::Array>> ListBuffers::Encode(const arrow::Array& lists) const {
  state::UnsafeRows rows;
  encoder_.Encode(std::array{lists.data()}, lists.length(), &rows);
  arrow::BinaryBuilder bytes(pool_);
  ARROW_RETURN_NOT_OK(bytes.Reserve(rows.num_rows()));
  ARROW_RETURN_NOT_OK(bytes.ReserveData(rows.num_bytes()));
  for (int64_t i = 0; i < rows.num_rows(); ++i) bytes.UnsafeAppend(rows[i]);
  return bytes.Finish();
}

Status ListBuffers::Decode(std::span<const uint32_t> group_ids, const arrow::Array& buffers,
                           CollectedRows* rows) const {
  const auto& bytes = static_cast<const arrow::BinaryArray&>(buffers);
  std::vector<std::string_view> views(static_cast<size_t>(bytes.length()));
  for (size_t i = 0; i < views.size(); ++i) views[i] = bytes.GetView(static_cast<int64_t>(i));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::ArrayData> lists, decoder_.DecodeColumn(views, 0));
  return rows->AddLists(group_ids, *arrow::MakeArray(lists));
}

CountBuffers::CountBuffers(types::DataTypePtr type, arrow::MemoryPool* pool)
    : type_(type), pool_(pool), encoder_({type, types::Long()}), decoder_({type, types::Long()}) {}

Result<std::shared_ptr<arrow::Array>> CountBuffers::Encode(const CollectedRows::Grouped& grouped) const {
  const arrow::ArrayData& values = *grouped.values->data();
  std::vector<int64_t> firsts, counts;
  std::vector<size_t> ends;
  std::unordered_multimap<uint64_t, size_t> seen;
  for (size_t g = 0; g + 1 < grouped.offsets.size(); ++g) {
    seen.clear();
    for (int64_t i = grouped.offsets[g]; i < grouped.offsets[g + 1]; ++i) {
      uint64_t hash = expression::HashValue(*type_, values, i);
      auto [it, end] = seen.equal_range(hash);
      while (it != end && !expression::ValuesEqual(*type_, values, i, values, firsts[it->second])) ++it;
      if (it != end) {
        ++counts[it->second];
        continue;
      }
      seen.emplace(hash, firsts.size());
      firsts.push_back(i);
      counts.push_back(1);
    }
    ends.push_back(firsts.size());
  }
  auto num_rows = static_cast<int64_t>(firsts.size());
  arrow::Int64Array indices(num_rows, arrow::Buffer::Wrap(firsts));
  arrow::compute::ExecContext exec(pool_);
  ARROW_ASSIGN_OR_RAISE(
      std::shared_ptr<arrow::Array> distinct,
      arrow::compute::Take(*grouped.values, indices, arrow::compute::TakeOptions::NoBoundsCheck(), &exec));
  arrow::Int64Array numbers(num_rows, arrow::Buffer::Wrap(counts));
  state::UnsafeRows rows;
  encoder_.Encode(std::array{distinct->data(), numbers.data()}, num_rows, &rows);
  arrow::BinaryBuilder out(pool_);
  std::string bytes;
  size_t row = 0;
  for (size_t end : ends) {
    bytes.clear();
    for (; row < end; ++row) {
      std::string_view one = rows[static_cast<int64_t>(row)];
      AppendInt(static_cast<int32_t>(one.size()), &bytes);
      bytes.append(one);
    }
    AppendInt(-1, &bytes);
    ARROW_RETURN_NOT_OK(out.Append(bytes));
  }
  return out.Finish();
}

Status CountBuffers::Decode(std::span<const uint32_t> group_ids, const arrow::Array& buffers,
                            CollectedRows* rows) const {
  const auto& bytes = static_cast<const arrow::BinaryArray&>(buffers);
  std::vector<std::string_view> records;
  std::vector<uint32_t> groups;
  for (size_t i = 0; i < group_ids.size(); ++i) {
    std::string_view rest = bytes.GetView(static_cast<int64_t>(i));
    for (;;) {
      ARROW_ASSIGN_OR_RAISE(int32_t size, TakeInt(&rest));
      if (size < 0) break;
      if (rest.size() < static_cast<size_t>(size)) {
        return Status::Invalid("The buffer of an aggregate ends within a record");
      }
      records.push_back(rest.substr(0, static_cast<size_t>(size)));
      groups.push_back(group_ids[i]);
      rest.remove_prefix(static_cast<size_t>(size));
    }
  }
  if (records.empty()) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(auto columns, decoder_.Decode(records));
  const int64_t* counts = columns[1]->GetValues<int64_t>(1);
  arrow::Int64Builder places(pool_);
  std::vector<uint32_t> of_each;
  for (size_t i = 0; i < groups.size(); ++i) {
    for (int64_t n = 0; n < counts[i]; ++n) {
      ARROW_RETURN_NOT_OK(places.Append(static_cast<int64_t>(i)));
      of_each.push_back(groups[i]);
    }
  }
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> indices, places.Finish());
  arrow::compute::ExecContext exec(pool_);
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> values,
                        arrow::compute::Take(*arrow::MakeArray(columns[0]), *indices,
                                             arrow::compute::TakeOptions::NoBoundsCheck(), &exec));
  return rows->Add(of_each, values);
}

}  // namespace millrace::function
