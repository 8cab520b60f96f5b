#include "delta/snapshot/file_columns.h"

#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/builder.h>

#include <functional>

namespace millrace::delta {

namespace {

template <typename Array>
const Array* Field(const arrow::StructArray& from, const char* name) {
  int index = static_cast<const arrow::StructType&>(*from.type()).GetFieldIndex(name);
  return index < 0 ? nullptr : static_cast<const Array*>(from.field(index).get());
}

std::shared_ptr<arrow::DataType> VectorType() {
  return arrow::struct_({arrow::field("storageType", arrow::utf8()), arrow::field("pathOrInlineDv", arrow::utf8()),
                         arrow::field("offset", arrow::int32()), arrow::field("sizeInBytes", arrow::int32()),
                         arrow::field("cardinality", arrow::int64())});
}

/// Columns under construction. Those that no row has are left out at the end.
class AddBuilder {
 public:
  AddBuilder()
      : partition_values_(pool_, std::make_shared<arrow::StringBuilder>(), std::make_shared<arrow::StringBuilder>()),
        tags_(pool_, std::make_shared<arrow::StringBuilder>(), std::make_shared<arrow::StringBuilder>()) {}

  arrow::Status Append(const Add& add) {
    ARROW_RETURN_NOT_OK(path_.Append(add.path));
    ARROW_RETURN_NOT_OK(AppendPartitionValues(add.partition_values));
    ARROW_RETURN_NOT_OK(size_.Append(add.size_bytes));
    ARROW_RETURN_NOT_OK(modification_time_.Append(add.modification_time_ms));
    ARROW_RETURN_NOT_OK(data_change_.Append(add.data_change));
    ARROW_RETURN_NOT_OK(AppendOptional(&stats_, add.stats));
    ARROW_RETURN_NOT_OK(AppendTags(add.tags));
    ARROW_RETURN_NOT_OK(AppendVector(add.deletion_vector));
    ARROW_RETURN_NOT_OK(AppendOptional(&base_row_id_, add.base_row_id));
    ARROW_RETURN_NOT_OK(AppendOptional(&default_row_commit_version_, add.default_row_commit_version));
    return AppendOptional(&clustering_provider_, add.clustering_provider);
  }

  arrow::Result<AddArrays> Finish() {
    AddArrays arrays;
    arrays.num_rows = path_.length();
    ARROW_RETURN_NOT_OK(path_.Finish(&arrays.path));
    ARROW_RETURN_NOT_OK(FinishColumn(&partition_values_, &arrays.partition_values));
    ARROW_RETURN_NOT_OK(size_.Finish(&arrays.size));
    ARROW_RETURN_NOT_OK(modification_time_.Finish(&arrays.modification_time));
    ARROW_RETURN_NOT_OK(data_change_.Finish(&arrays.data_change));
    ARROW_RETURN_NOT_OK(FinishColumn(&stats_, &arrays.stats));
    ARROW_RETURN_NOT_OK(FinishColumn(&tags_, &arrays.tags));
    ARROW_RETURN_NOT_OK(FinishVector(&arrays.deletion_vector));
    ARROW_RETURN_NOT_OK(FinishColumn(&base_row_id_, &arrays.base_row_id));
    ARROW_RETURN_NOT_OK(FinishColumn(&default_row_commit_version_, &arrays.default_row_commit_version));
    ARROW_RETURN_NOT_OK(FinishColumn(&clustering_provider_, &arrays.clustering_provider));
    return arrays;
  }

 private:
  template <typename Builder, typename Value>
  static arrow::Status AppendOptional(Builder* builder, const std::optional<Value>& value) {
    return value ? builder->Append(*value) : builder->AppendNull();
  }

  static arrow::Status AppendEntry(arrow::MapBuilder* map, const std::string& key,
                                   const std::optional<std::string>& value) {
    ARROW_RETURN_NOT_OK(static_cast<arrow::StringBuilder*>(map->key_builder())->Append(key));
    return AppendOptional(static_cast<arrow::StringBuilder*>(map->item_builder()), value);
  }

  arrow::Status AppendPartitionValues(const PartitionValues& values) {
    ARROW_RETURN_NOT_OK(partition_values_.Append());
    for (const auto& [key, value] : values.entries()) {
      ARROW_RETURN_NOT_OK(AppendEntry(&partition_values_, key, value));
    }
    return arrow::Status::OK();
  }

  arrow::Status AppendTags(const std::optional<StringMap>& tags) {
    if (!tags) return tags_.AppendNull();
    ARROW_RETURN_NOT_OK(tags_.Append());
    for (const auto& [key, value] : *tags) ARROW_RETURN_NOT_OK(AppendEntry(&tags_, key, value));
    return arrow::Status::OK();
  }

  arrow::Status AppendVector(const std::optional<DeletionVectorDescriptor>& vector) {
    has_vectors_ = has_vectors_ || vector.has_value();
    ARROW_RETURN_NOT_OK(vector_valid_.Append(vector.has_value()));
    if (!vector) {
      ARROW_RETURN_NOT_OK(storage_type_.AppendNull());
      ARROW_RETURN_NOT_OK(path_or_inline_.AppendNull());
      ARROW_RETURN_NOT_OK(offset_.AppendNull());
      ARROW_RETURN_NOT_OK(vector_size_.AppendNull());
      return cardinality_.AppendNull();
    }
    ARROW_RETURN_NOT_OK(storage_type_.Append(std::string_view(&vector->storage_type, 1)));
    ARROW_RETURN_NOT_OK(path_or_inline_.Append(vector->path_or_inline));
    ARROW_RETURN_NOT_OK(AppendOptional(&offset_, vector->offset));
    ARROW_RETURN_NOT_OK(vector_size_.Append(vector->size_bytes));
    return cardinality_.Append(vector->cardinality);
  }

  template <typename Builder, typename Array>
  static arrow::Status FinishColumn(Builder* builder, std::shared_ptr<Array>* out) {
    bool empty = builder->null_count() == builder->length();
    std::shared_ptr<arrow::Array> array;
    ARROW_RETURN_NOT_OK(builder->Finish(&array));
    if (!empty) *out = std::static_pointer_cast<Array>(array);
    return arrow::Status::OK();
  }

  arrow::Status FinishVector(std::shared_ptr<arrow::StructArray>* out) {
    if (!has_vectors_) return arrow::Status::OK();
    std::shared_ptr<arrow::BooleanArray> valid;
    ARROW_RETURN_NOT_OK(vector_valid_.Finish(&valid));
    arrow::ArrayVector children(5);
    ARROW_RETURN_NOT_OK(storage_type_.Finish(&children[0]));
    ARROW_RETURN_NOT_OK(path_or_inline_.Finish(&children[1]));
    ARROW_RETURN_NOT_OK(offset_.Finish(&children[2]));
    ARROW_RETURN_NOT_OK(vector_size_.Finish(&children[3]));
    ARROW_RETURN_NOT_OK(cardinality_.Finish(&children[4]));
    *out = std::make_shared<arrow::StructArray>(VectorType(), valid->length(), std::move(children), valid->values());
    return arrow::Status::OK();
  }

  arrow::MemoryPool* pool_ = arrow::default_memory_pool();
  arrow::StringBuilder path_;
  arrow::MapBuilder partition_values_;
  arrow::Int64Builder size_;
  arrow::Int64Builder modification_time_;
  arrow::BooleanBuilder data_change_;
  arrow::StringBuilder stats_;
  arrow::MapBuilder tags_;
  bool has_vectors_ = false;
  arrow::BooleanBuilder vector_valid_;
  arrow::StringBuilder storage_type_;
  arrow::StringBuilder path_or_inline_;
  arrow::Int32Builder offset_;
  arrow::Int32Builder vector_size_;
  arrow::Int64Builder cardinality_;
  arrow::Int64Builder base_row_id_;
  arrow::Int64Builder default_row_commit_version_;
  arrow::StringBuilder clustering_provider_;
};

// Rows of an array that are live, without a copy where all are.
arrow::Result<arrow::ArrayVector> LiveRuns(const arrow::Array& array, const std::vector<uint8_t>* live) {
  if (live == nullptr) return arrow::ArrayVector{array.Slice(0)};
  arrow::ArrayVector runs;
  for (size_t row = 0; row < live->size();) {
    size_t end = row;
    while (end < live->size() && (*live)[end] != 0) ++end;
    if (end > row) runs.push_back(array.Slice(static_cast<int64_t>(row), static_cast<int64_t>(end - row)));
    row = end + 1;
  }
  return runs;
}

// Checkpoints of different writers have the same columns with types that are not quite the same.
bool SameTypes(std::span<const FileColumns::Rows> parts) {
  auto same = [&](auto AddArrays::* column) {
    const arrow::DataType* type = nullptr;
    for (const FileColumns::Rows& part : parts) {
      const auto& array = part.columns->arrays().*column;
      if (array == nullptr) continue;
      if (type != nullptr && !array->type()->Equals(*type)) return false;
      type = array->type().get();
    }
    return true;
  };
  return same(&AddArrays::partition_values) && same(&AddArrays::tags) && same(&AddArrays::deletion_vector) &&
         same(&AddArrays::stats_parsed);
}

// One column of all parts; null where none has it.
template <typename Array>
arrow::Status JoinColumn(std::span<const FileColumns::Rows> parts, std::shared_ptr<Array> AddArrays::* column,
                         std::shared_ptr<Array>* out) {
  std::shared_ptr<arrow::DataType> type;
  for (const FileColumns::Rows& part : parts) {
    if (const auto& array = part.columns->arrays().*column; array != nullptr) type = array->type();
  }
  if (type == nullptr) return arrow::Status::OK();
  arrow::ArrayVector pieces;
  for (const FileColumns::Rows& part : parts) {
    std::shared_ptr<arrow::Array> array = part.columns->arrays().*column;
    if (array == nullptr) {
      ARROW_ASSIGN_OR_RAISE(array, arrow::MakeArrayOfNull(type, part.columns->num_rows()));
    }
    ARROW_ASSIGN_OR_RAISE(arrow::ArrayVector runs, LiveRuns(*array, part.live));
    pieces.insert(pieces.end(), runs.begin(), runs.end());
  }
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> joined, arrow::Concatenate(pieces));
  *out = std::static_pointer_cast<Array>(joined);
  return arrow::Status::OK();
}

}  // namespace

uint64_t FileKeyHash(std::string_view path, std::string_view deletion_vector_id) {
  uint64_t hash = std::hash<std::string_view>()(path);
  if (!deletion_vector_id.empty()) {
    hash ^= std::hash<std::string_view>()(deletion_vector_id) + 0x9e3779b97f4a7c15ull + (hash << 6) + (hash >> 2);
  }
  return hash;
}

FileColumns::FileColumns(AddArrays arrays) : arrays_(std::move(arrays)) {}

arrow::Result<std::shared_ptr<const FileColumns>> FileColumns::FromAdds(std::span<const Add* const> adds) {
  AddBuilder builder;
  for (const Add* add : adds) ARROW_RETURN_NOT_OK(builder.Append(*add));
  ARROW_ASSIGN_OR_RAISE(AddArrays arrays, builder.Finish());
  return std::make_shared<const FileColumns>(std::move(arrays));
}

arrow::Result<std::shared_ptr<const FileColumns>> FileColumns::Join(std::span<const Rows> parts) {
  if (!SameTypes(parts)) {
    std::vector<Add> adds;
    for (const Rows& part : parts) {
      for (int64_t row = 0; row < part.columns->num_rows(); ++row) {
        if (part.live == nullptr || (*part.live)[static_cast<size_t>(row)] != 0)
          adds.push_back(part.columns->ToAdd(row));
      }
    }
    std::vector<const Add*> pointers;
    for (const Add& add : adds) pointers.push_back(&add);
    return FromAdds(pointers);
  }
  AddArrays joined;
  ARROW_RETURN_NOT_OK(JoinColumn(parts, &AddArrays::path, &joined.path));
  ARROW_RETURN_NOT_OK(JoinColumn(parts, &AddArrays::partition_values, &joined.partition_values));
  ARROW_RETURN_NOT_OK(JoinColumn(parts, &AddArrays::size, &joined.size));
  ARROW_RETURN_NOT_OK(JoinColumn(parts, &AddArrays::modification_time, &joined.modification_time));
  ARROW_RETURN_NOT_OK(JoinColumn(parts, &AddArrays::data_change, &joined.data_change));
  ARROW_RETURN_NOT_OK(JoinColumn(parts, &AddArrays::stats, &joined.stats));
  ARROW_RETURN_NOT_OK(JoinColumn(parts, &AddArrays::stats_parsed, &joined.stats_parsed));
  ARROW_RETURN_NOT_OK(JoinColumn(parts, &AddArrays::tags, &joined.tags));
  ARROW_RETURN_NOT_OK(JoinColumn(parts, &AddArrays::deletion_vector, &joined.deletion_vector));
  ARROW_RETURN_NOT_OK(JoinColumn(parts, &AddArrays::base_row_id, &joined.base_row_id));
  ARROW_RETURN_NOT_OK(JoinColumn(parts, &AddArrays::default_row_commit_version, &joined.default_row_commit_version));
  ARROW_RETURN_NOT_OK(JoinColumn(parts, &AddArrays::clustering_provider, &joined.clustering_provider));
  joined.num_rows = joined.path->length();
  return std::make_shared<const FileColumns>(std::move(joined));
}

std::optional<std::string_view> FileColumns::stats(int64_t row) const {
  if (arrays_.stats == nullptr || arrays_.stats->IsNull(row)) return std::nullopt;
  return arrays_.stats->GetView(row);
}

std::optional<std::string_view> FileColumns::partition_value(int64_t row, std::string_view physical_name) const {
  if (arrays_.partition_values == nullptr || arrays_.partition_values->IsNull(row)) return std::nullopt;
  const auto& keys = static_cast<const arrow::StringArray&>(*arrays_.partition_values->keys());
  const auto& values = static_cast<const arrow::StringArray&>(*arrays_.partition_values->items());
  for (int64_t i = arrays_.partition_values->value_offset(row); i < arrays_.partition_values->value_offset(row + 1);
       ++i) {
    if (keys.GetView(i) != physical_name) continue;
    if (values.IsNull(i)) return std::nullopt;
    return values.GetView(i);
  }
  return std::nullopt;
}

std::optional<DeletionVectorDescriptor> FileColumns::deletion_vector(int64_t row) const {
  if (!has_deletion_vector(row)) return std::nullopt;
  const arrow::StructArray& from = *arrays_.deletion_vector;
  DeletionVectorDescriptor vector;
  const auto* storage = Field<arrow::StringArray>(from, "storageType");
  const auto* place = Field<arrow::StringArray>(from, "pathOrInlineDv");
  const auto* offset = Field<arrow::Int32Array>(from, "offset");
  const auto* size = Field<arrow::Int32Array>(from, "sizeInBytes");
  const auto* cardinality = Field<arrow::Int64Array>(from, "cardinality");
  if (storage != nullptr && storage->IsValid(row) && !storage->GetView(row).empty()) {
    vector.storage_type = storage->GetView(row)[0];
  }
  if (place != nullptr && place->IsValid(row)) vector.path_or_inline = std::string(place->GetView(row));
  if (offset != nullptr && offset->IsValid(row)) vector.offset = offset->Value(row);
  if (size != nullptr && size->IsValid(row)) vector.size_bytes = size->Value(row);
  if (cardinality != nullptr && cardinality->IsValid(row)) vector.cardinality = cardinality->Value(row);
  return vector;
}

Add FileColumns::ToAdd(int64_t row) const {
  Add add;
  add.path = std::string(path(row));
  add.size_bytes = size_bytes(row);
  add.modification_time_ms = modification_time_ms(row);
  add.data_change =
      arrays_.data_change == nullptr || arrays_.data_change->IsNull(row) || arrays_.data_change->Value(row);
  if (auto text = stats(row)) add.stats = std::string(*text);
  add.deletion_vector = deletion_vector(row);
  add.base_row_id = base_row_id(row);
  add.default_row_commit_version = default_row_commit_version(row);
  if (arrays_.clustering_provider != nullptr && arrays_.clustering_provider->IsValid(row)) {
    add.clustering_provider = arrays_.clustering_provider->GetString(row);
  }
  auto each = [row](const std::shared_ptr<arrow::MapArray>& map, auto&& visit) {
    if (map == nullptr || map->IsNull(row)) return false;
    const auto& keys = static_cast<const arrow::StringArray&>(*map->keys());
    const auto& values = static_cast<const arrow::StringArray&>(*map->items());
    for (int64_t i = map->value_offset(row); i < map->value_offset(row + 1); ++i) {
      visit(keys.GetString(i), values.IsNull(i) ? std::nullopt : std::optional<std::string>(values.GetString(i)));
    }
    return true;
  };
  each(arrays_.partition_values, [&](std::string key, std::optional<std::string> value) {
    add.partition_values.Add(std::move(key), std::move(value));
  });
  StringMap tags;
  bool has_tags = each(arrays_.tags, [&](std::string key, std::optional<std::string> value) {
    if (value) tags.emplace(std::move(key), std::move(*value));
  });
  if (has_tags) add.tags = std::move(tags);
  return add;
}

bool FileColumns::HasKey(int64_t row, std::string_view wanted_path, std::string_view deletion_vector_id) const {
  if (path(row) != wanted_path) return false;
  if (!has_deletion_vector(row)) return deletion_vector_id.empty();
  return deletion_vector(row)->UniqueId() == deletion_vector_id;
}

std::vector<int64_t> FileColumns::RowsWithHash(uint64_t hash) const {
  std::call_once(index_made_, [this] {
    size_t num_slots = 16;
    while (num_slots < 2 * static_cast<size_t>(arrays_.num_rows)) num_slots *= 2;
    index_.hashes.resize(static_cast<size_t>(arrays_.num_rows));
    index_.slots.resize(num_slots);
    for (int64_t row = 0; row < arrays_.num_rows; ++row) {
      if (arrays_.path->IsNull(row)) continue;  // a checkpoint's row of another action
      uint64_t key = KeyHash(row);
      index_.hashes[static_cast<size_t>(row)] = key;
      size_t slot = key & (num_slots - 1);
      while (index_.slots[slot] != 0) slot = (slot + 1) & (num_slots - 1);
      index_.slots[slot] = static_cast<uint32_t>(row) + 1;
    }
  });
  std::vector<int64_t> rows;
  size_t mask = index_.slots.size() - 1;
  for (size_t slot = hash & mask; index_.slots[slot] != 0; slot = (slot + 1) & mask) {
    uint32_t row = index_.slots[slot] - 1;
    if (index_.hashes[row] == hash) rows.push_back(row);
  }
  return rows;
}

uint64_t FileColumns::KeyHash(int64_t row) const {
  if (!has_deletion_vector(row)) return FileKeyHash(path(row), {});
  return FileKeyHash(path(row), deletion_vector(row)->UniqueId());
}

}  // namespace millrace::delta
