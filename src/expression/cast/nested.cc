#include <arrow/util/bitmap_ops.h>

#include "base/error.h"
#include "expression/cast/cast_kernels.h"

namespace millrace::expression {

using types::TypeId;

namespace {

// Validity of a column from its first row on.
arrow::Result<std::shared_ptr<arrow::Buffer>> ValidityOf(const arrow::ArrayData& data, arrow::MemoryPool* pool) {
  if (data.GetNullCount() == 0) return nullptr;
  if (data.offset == 0) return data.buffers[0];
  return arrow::internal::CopyBitmap(pool, data.buffers[0]->data(), data.offset, data.length);
}

CastResult CastStruct(const CastInput& input) {
  arrow::StructArray array(input.column);
  std::vector<std::shared_ptr<arrow::ArrayData>> children;
  for (size_t i = 0; i < input.to.fields().size(); ++i) {
    // Flattened: a field of a null struct is null, so that a stray value there cannot raise.
    ARROW_ASSIGN_OR_RAISE(auto field, array.GetFlattenedField(static_cast<int>(i), input.context.memory_pool));
    ARROW_ASSIGN_OR_RAISE(auto child, CastColumnData({input.context, field->data(), *input.from.fields()[i].type,
                                                      *input.to.fields()[i].type, input.mode}));
    children.push_back(std::move(child));
  }
  ARROW_ASSIGN_OR_RAISE(auto validity, ValidityOf(*input.column, input.context.memory_pool));
  return arrow::ArrayData::Make(types::ToArrow(input.to), input.length(), {std::move(validity)}, std::move(children));
}

// Arrays, and maps as arrays of entries.
CastResult CastList(const CastInput& input, const types::DataType& from_element, const types::DataType& to_element) {
  const arrow::ArrayData& data = *input.column;
  const auto* offsets = data.GetValues<int32_t>(1);
  int32_t first = input.length() == 0 ? 0 : offsets[0];
  int32_t last = input.length() == 0 ? 0 : offsets[input.length()];
  ARROW_ASSIGN_OR_RAISE(auto elements, CastColumnData({input.context, data.child_data[0]->Slice(first, last - first),
                                                       from_element, to_element, input.mode}));
  ARROW_ASSIGN_OR_RAISE(
      std::shared_ptr<arrow::Buffer> new_offsets,
      arrow::AllocateBuffer((input.length() + 1) * static_cast<int64_t>(sizeof(int32_t)), input.context.memory_pool));
  auto* out = reinterpret_cast<int32_t*>(new_offsets->mutable_data());
  out[0] = 0;
  for (int64_t i = 0; i < input.length(); ++i) out[i + 1] = offsets[i + 1] - first;
  ARROW_ASSIGN_OR_RAISE(auto validity, ValidityOf(data, input.context.memory_pool));
  return arrow::ArrayData::Make(types::ToArrow(input.to), input.length(), {std::move(validity), std::move(new_offsets)},
                                {std::move(elements)});
}

}  // namespace

CastResult CastNested(const CastInput& input) {
  if (input.from.id() != input.to.id() || input.from.fields().size() != input.to.fields().size()) {
    return InternalError("Cannot cast " + input.from.Sql() + " to " + input.to.Sql());
  }
  switch (input.to.id()) {
    case TypeId::kArray:
      return CastList(input, *input.from.element(), *input.to.element());
    case TypeId::kMap:
      return CastList(input, *types::Struct(input.from.fields()), *types::Struct(input.to.fields()));
    default:
      return CastStruct(input);
  }
}

}  // namespace millrace::expression
