#include "logical/node/local_relation.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/compute/cast.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/reader.h>
#include <arrow/util/key_value_metadata.h>

#include <sstream>

#include "analyzer/local_slices.h"
#include "analyzer/relation_resolver.h"
#include "base/ascii.h"
#include "base/error.h"
#include "expression/cast.h"
#include "expression/vector.h"
#include "spark/connect/relations.pb.h"
#include "types/arrow_type.h"

/// Rows that the client sends along: inside the plan, or before it in blocks that plans name by their hash.

namespace millrace::analyzer {

namespace {

using spark::connect::Relation;

// Spark's defaults: spark.sql.session.localRelationSizeLimit, localRelationChunkSizeLimit.
constexpr size_t kMaxRelationBytes = size_t{3} << 30;
constexpr size_t kMaxChunkBytes = size_t{2000} << 20;

AttributeVector NewColumns(const types::DataType& schema) {
  AttributeVector columns;
  for (const types::StructField& field : schema.fields()) {
    columns.push_back(std::make_shared<expression::AttributeReference>(
        expression::NextAttributeId(), field.name, field.type, field.nullable, std::vector<std::string>{},
        field.metadata_json));
  }
  return columns;
}

// A batch of foreign Arrow types (large strings, narrower decimals) in the memory form of `type`.
arrow::Result<std::shared_ptr<arrow::RecordBatch>> Conform(const expression::EvalContext& eval,
                                                           const arrow::RecordBatch& batch,
                                                           const types::DataType& schema) {
  arrow::ArrayVector columns;
  for (int i = 0; i < batch.num_columns(); ++i) {
    types::DataTypePtr stored = types::WithoutUserClasses(schema.fields()[static_cast<size_t>(i)].type);
    const types::DataType& wanted = *stored;
    auto arrow_type = types::ToArrow(wanted);
    if (batch.column(i)->type()->Equals(*arrow_type)) {
      columns.push_back(batch.column(i));
      continue;
    }
    auto viewed = batch.column(i)->View(arrow_type);
    if (viewed.ok()) {
      columns.push_back(*viewed);
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(types::DataTypePtr from, types::FromArrow(*batch.column(i)->type()));
    if (from->EqualsIgnoreNullability(wanted)) {
      arrow::compute::ExecContext context(eval.memory_pool);
      auto whole = arrow::compute::Cast(batch.column(i), arrow::compute::CastOptions::Safe(arrow_type), &context);
      if (whole.ok()) {
        columns.push_back(whole->make_array());
        continue;
      }
      ARROW_ASSIGN_OR_RAISE(auto builder, arrow::MakeBuilder(arrow_type));
      for (int64_t row = 0; row < batch.num_rows(); ++row) {
        ARROW_ASSIGN_OR_RAISE(auto scalar, batch.column(i)->GetScalar(row));
        if (!scalar->is_valid) {
          ARROW_RETURN_NOT_OK(builder->AppendNull());
          continue;
        }
        ARROW_ASSIGN_OR_RAISE(auto cast, scalar->CastTo(arrow_type));
        ARROW_RETURN_NOT_OK(builder->AppendScalar(*cast));
      }
      ARROW_ASSIGN_OR_RAISE(auto built, builder->Finish());
      columns.push_back(std::move(built));
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(arrow::Datum cast,
                          expression::CastColumn(eval, batch.column(i), *from, wanted, expression::CastMode::kAnsi));
    ARROW_ASSIGN_OR_RAISE(auto array, expression::ToArray(cast, batch.num_rows(), eval.memory_pool));
    columns.push_back(std::move(array));
  }
  return arrow::RecordBatch::Make(types::ToArrowSchema(schema), batch.num_rows(), std::move(columns));
}

// What `millrace submit` says of the rows of its job's createDataFrame in the metadata of their Arrow schema: "sized",
// that a Spark driver would hold them itself (of pandas), or the number of rows of each partition of an RDD.
constexpr const char* kOrigin = "millrace.origin";

// Collects the batches of Arrow streams into one relation.
class RowsInMemory {
 public:
  RowsInMemory(const RelationResolver& resolver, types::DataTypePtr schema)
      : resolver_(resolver), eval_(resolver.context().eval), schema_(std::move(schema)) {}

  arrow::Status AddStream(std::shared_ptr<arrow::Buffer> data) {
    auto input = std::make_shared<arrow::io::BufferReader>(std::move(data));
    ARROW_ASSIGN_OR_RAISE(auto reader, arrow::ipc::RecordBatchStreamReader::Open(input));
    ARROW_ASSIGN_OR_RAISE(types::DataTypePtr arrived, types::FromArrowSchema(*reader->schema()));
    if (schema_ == nullptr) schema_ = arrived;
    if (reader->schema()->metadata() != nullptr) origin_ = reader->schema()->metadata()->Get(kOrigin).ValueOr("");
    if (schema_->fields().size() != arrived->fields().size()) {
      return UserError("ASSIGNMENT_ARITY_MISMATCH", {{"numExpr", std::to_string(arrived->fields().size())},
                                                     {"numTarget", std::to_string(schema_->fields().size())}});
    }
    while (true) {
      ARROW_ASSIGN_OR_RAISE(auto next, reader->ReadNext());
      if (next.batch == nullptr) return arrow::Status::OK();
      ARROW_ASSIGN_OR_RAISE(auto batch, Conform(eval_, *next.batch, *schema_));
      rows_.push_back(std::move(batch));
    }
  }

  PlanPtr Finish() const {
    // Neither rows nor columns: one row without columns, which SELECT without FROM reads.
    if (schema_ == nullptr || (schema_->fields().empty() && rows_.size() == 1 && rows_[0]->num_rows() == 1)) {
      return logical::LocalRelation::OneRow();
    }
    using Rows = logical::LocalRelation::Rows;
    return std::make_shared<logical::LocalRelation>(
        NewColumns(*schema_), CutRows(rows_, Ends()), std::string(),
        origin_ == "sized" || !resolver_.IsClassic() ? Rows::kKnown : Rows::kUnsized);
  }

 private:
  std::vector<int64_t> Ends() const {
    int64_t num_rows = 0;
    for (const auto& batch : rows_) num_rows += batch->num_rows();
    int parallelism = LeafParallelism(resolver_.context());
    if (origin_ == "sized" || !resolver_.IsClassic()) return SliceEnds(num_rows, parallelism);
    std::vector<int64_t> ends;
    std::istringstream counts(origin_);
    for (std::string count; std::getline(counts, count, ',');) {
      ends.push_back((ends.empty() ? 0 : ends.back()) + std::atoll(count.c_str()));
    }
    return ends.empty() || ends.back() != num_rows ? PythonSliceEnds(num_rows, parallelism) : ends;
  }

  const RelationResolver& resolver_;
  const expression::EvalContext& eval_;
  types::DataTypePtr schema_;
  std::string origin_;
  logical::LocalRelation::Partition rows_;
};

arrow::Result<std::shared_ptr<const std::string>> Block(RelationResolver& resolver, const std::string& hash,
                                                        std::string_view condition) {
  const auto& find = resolver.context().cached_block;
  std::shared_ptr<const std::string> block = find ? find(hash) : nullptr;
  if (block == nullptr) return UserError(condition, {{"hash", hash}, {"sessionUUID", resolver.context().session_id}});
  return block;
}

}  // namespace

arrow::Result<PlanPtr> ResolveLocalRelation(RelationResolver& resolver, const Relation& relation) {
  const auto& local = relation.local_relation();
  types::DataTypePtr schema;
  if (local.has_schema() && !local.schema().empty()) {
    ARROW_ASSIGN_OR_RAISE(schema, ParseSchemaText(local.schema()));
  }
  RowsInMemory rows(resolver, std::move(schema));
  // Batches point into the buffer, so it must not be the message's.
  if (local.has_data()) ARROW_RETURN_NOT_OK(rows.AddStream(arrow::Buffer::FromString(local.data())));
  return rows.Finish();
}

arrow::Result<PlanPtr> ResolveCachedLocalRelation(RelationResolver& resolver, const Relation& relation) {
  const std::string& hash = relation.cached_local_relation().hash();
  ARROW_ASSIGN_OR_RAISE(auto block, Block(resolver, hash, "CONNECT_INVALID_PLAN.NOT_FOUND_CACHED_LOCAL_RELATION"));
  Relation local;
  if (!local.mutable_local_relation()->ParseFromString(*block)) {
    return UserError("CONNECT_INVALID_PLAN.CANNOT_PARSE",
                     {{"errorMsg", "the block " + hash + " is no local relation"}});
  }
  return ResolveLocalRelation(resolver, local);
}

arrow::Result<PlanPtr> ResolveChunkedCachedLocalRelation(RelationResolver& resolver, const Relation& relation) {
  const auto& chunked = relation.chunked_cached_local_relation();
  constexpr std::string_view kNotFound = "CONNECT_INVALID_PLAN.NOT_FOUND_CHUNKED_CACHED_LOCAL_RELATION";
  if (chunked.datahashes_size() == 0) {
    return UserError("CONNECT_INVALID_PLAN.CHUNKED_CACHED_LOCAL_RELATION_WITHOUT_DATA");
  }
  types::DataTypePtr schema;
  if (chunked.has_schemahash()) {
    ARROW_ASSIGN_OR_RAISE(auto block, Block(resolver, chunked.schemahash(), kNotFound));
    ARROW_ASSIGN_OR_RAISE(schema, ParseSchemaText(*block));
  }
  std::vector<std::shared_ptr<const std::string>> blocks;
  size_t num_bytes = 0;
  for (const std::string& hash : chunked.datahashes()) {
    ARROW_ASSIGN_OR_RAISE(auto block, Block(resolver, hash, kNotFound));
    num_bytes += block->size();
    if (block->size() > kMaxChunkBytes) {
      return UserError("CONNECT_INVALID_PLAN.LOCAL_RELATION_CHUNK_SIZE_LIMIT_EXCEEDED",
                       {{"limit", std::to_string(kMaxChunkBytes)}});
    }
    blocks.push_back(std::move(block));
  }
  if (num_bytes > kMaxRelationBytes) {
    return UserError("CONNECT_INVALID_PLAN.LOCAL_RELATION_SIZE_LIMIT_EXCEEDED",
                     {{"actualSize", std::to_string(num_bytes)}, {"limit", std::to_string(kMaxRelationBytes)}});
  }
  RowsInMemory rows(resolver, std::move(schema));
  for (const auto& block : blocks) {
    // Each stream's batches keep a buffer of their own: the block may be forgotten while the plan lives.
    ARROW_RETURN_NOT_OK(rows.AddStream(arrow::Buffer::FromString(*block)));
  }
  return rows.Finish();
}

}  // namespace millrace::analyzer
