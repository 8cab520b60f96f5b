#include "physical/stateful/join_partition.h"

#include <arrow/array/array_primitive.h>
#include <arrow/array/util.h>
#include <arrow/compute/api_vector.h>

#include "physical/rows.h"

namespace millrace::physical {

using arrow::Result;
using arrow::Status;
using logical::JoinType;

namespace {

constexpr int64_t kMostCandidates = 65536;

// Where the flag of a row of state lies; nowhere in format 1.
std::optional<size_t> FlagAt(const SymmetricHashJoin::Side& side) {
  size_t num_fields = side.value_schema->fields().size();
  if (num_fields == side.num_columns) return std::nullopt;
  return static_cast<size_t>(state::NullBitsBytes(static_cast<int>(num_fields))) + 8 * side.num_columns;
}

bool IsIdentity(const std::vector<int32_t>& rows, int64_t length) {
  if (static_cast<int64_t>(rows.size()) != length) return false;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i] != static_cast<int32_t>(i)) return false;
  }
  return true;
}

std::vector<bool> TrueOf(const arrow::Array& condition, size_t num_rows) {
  std::vector<bool> is_true(num_rows, false);
  if (condition.type_id() != arrow::Type::BOOL) return is_true;  // a NULL
  const auto& values = static_cast<const arrow::BooleanArray&>(condition);
  for (size_t i = 0; i < num_rows; ++i) {
    auto row = static_cast<int64_t>(i);
    is_true[i] = values.IsValid(row) && values.Value(row);
  }
  return is_true;
}

}  // namespace

Result<JoinStores> JoinStores::Open(const SymmetricHashJoin& join, const std::vector<state::StateStore*>& stores) {
  JoinStores opened;
  if (!join.spec().has_families) {
    std::copy(stores.begin(), stores.end(), opened.of_sides.begin());
    return opened;
  }
  auto& store = *static_cast<state::FamilyStore*>(stores[0]);
  std::vector<StateStoreSpec> specs = join.side_stores();
  for (size_t i = 0; i < specs.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(opened.views[i],
                          state::FamilyView::Open(&store, specs[i].name, !specs[i].counts_rows, specs[i].time));
    opened.of_sides[i] = opened.views[i].get();
  }
  return opened;
}

JoinPartition::JoinPartition(const SymmetricHashJoin& join, const StatefulBatch& batch, const JoinStores& stores,
                             expression::EvalContext evaluation, Sink sink)
    : join_(join),
      spec_(join.spec()),
      batch_(batch),
      evaluation_(evaluation),
      sink_(std::move(sink)),
      indexed_{IndexedKeys(spec_.sides[0].key_types), IndexedKeys(spec_.sides[1].key_types)},
      states_{JoinSideState(stores.of_sides[0], stores.of_sides[1], &indexed_[0], FlagAt(spec_.sides[0])),
              JoinSideState(stores.of_sides[2], stores.of_sides[3], &indexed_[1], FlagAt(spec_.sides[1]))} {}

bool JoinPartition::IsOuter(int side) const {
  if (spec_.type == JoinType::kFullOuter) return true;
  return spec_.type == (side == 0 ? JoinType::kLeftOuter : JoinType::kRightOuter);
}

Status JoinPartition::Encode(int side, const std::shared_ptr<arrow::RecordBatch>& rows, Input* input) {
  const auto& spec = spec_.sides[static_cast<size_t>(side)];
  size_t num_columns = spec.num_columns;
  input->side = side;
  input->num_rows = rows->num_rows();
  std::vector<std::shared_ptr<arrow::ArrayData>> values, keys;
  for (size_t c = 0; c < num_columns; ++c) {
    input->columns.push_back(rows->column(static_cast<int>(c)));
    values.push_back(rows->column_data(static_cast<int>(c)));
  }
  for (size_t k = 0; k < spec.key_types.size(); ++k)
    keys.push_back(rows->column_data(static_cast<int>(num_columns + k)));
  if (spec.value_schema->fields().size() > num_columns) {
    ARROW_ASSIGN_OR_RAISE(auto unmatched, arrow::MakeArrayFromScalar(arrow::BooleanScalar(false), rows->num_rows(),
                                                                     evaluation_.memory_pool));
    values.push_back(unmatched->data());
  }
  state::UnsafeRowEncoder(spec.key_types, state::UnsafeRowEncoder::Floats::kNormalized)
      .Encode(keys, rows->num_rows(), &input->keys);
  state::UnsafeRowEncoder(state::FieldTypes(*spec.value_schema)).Encode(values, rows->num_rows(), &input->values);
  input->passes.assign(static_cast<size_t>(rows->num_rows()), true);
  if (!spec.filter.empty()) {
    ARROW_ASSIGN_OR_RAISE(arrow::ArrayVector condition, spec.filter.Evaluate(evaluation_, rows));
    input->passes = TrueOf(*condition[0], input->passes.size());
  }
  return states_[static_cast<size_t>(1 - side)].CountAll(input->keys, &input->counts);
}

Result<JoinPartition::SideColumns> JoinPartition::Decode(int side, std::span<const std::string_view> values) const {
  const auto& spec = spec_.sides[static_cast<size_t>(side)];
  state::UnsafeRowDecoder decoder(state::FieldTypes(*spec.value_schema));
  SideColumns columns(spec.num_columns);
  for (int index : spec.read_columns) {
    ARROW_ASSIGN_OR_RAISE(auto data, decoder.DecodeColumn(values, index));
    columns[static_cast<size_t>(index)] = arrow::MakeArray(data);
  }
  return columns;
}

Result<std::shared_ptr<arrow::RecordBatch>> JoinPartition::PairRows(
    const std::vector<SymmetricHashJoin::Column>& wanted, const std::shared_ptr<arrow::Schema>& schema, int side,
    const SideColumns& mine, const SideColumns& others, Pairs pairs) const {
  arrow::MemoryPool* pool = evaluation_.memory_pool;
  auto num_rows = static_cast<int64_t>(pairs.mine.size());
  auto gather = [&](bool of_mine, std::vector<int32_t> rows) -> Result<arrow::ArrayVector> {
    arrow::ArrayVector columns;
    for (const auto& column : wanted) {
      if ((column.side == side) == of_mine) {
        columns.push_back((of_mine ? mine : others)[static_cast<size_t>(column.index)]);
      }
    }
    // A side without rows (an outer row's partner) has no columns to take from.
    bool nobody = !columns.empty() && columns[0] == nullptr;
    if (columns.empty() || nobody || IsIdentity(rows, columns[0]->length())) return columns;
    ARROW_ASSIGN_OR_RAISE(auto indices, NullableIndexArray(std::move(rows), pool));
    return TakeRows(columns, indices, pool);
  };
  ARROW_ASSIGN_OR_RAISE(arrow::ArrayVector my_columns, gather(true, std::move(pairs.mine)));
  ARROW_ASSIGN_OR_RAISE(arrow::ArrayVector other_columns, gather(false, std::move(pairs.others)));
  arrow::ArrayVector columns;
  size_t next_mine = 0, next_other = 0;
  for (size_t i = 0; i < wanted.size(); ++i) {
    auto& column = wanted[i].side == side ? my_columns[next_mine++] : other_columns[next_other++];
    const auto& type = schema->field(static_cast<int>(i))->type();
    if (column == nullptr) {
      ARROW_ASSIGN_OR_RAISE(column, arrow::MakeArrayOfNull(type, num_rows, pool));
    }
    columns.push_back(Relabel(column, type));
  }
  return arrow::RecordBatch::Make(schema, num_rows, std::move(columns));
}

Status JoinPartition::Emit(int side, const SideColumns& mine, const SideColumns& others, Pairs pairs) {
  if (pairs.mine.empty()) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(auto rows,
                        PairRows(spec_.output_columns, join_.schema(), side, mine, others, std::move(pairs)));
  sink_(std::move(rows));
  return Status::OK();
}

Result<std::vector<bool>> JoinPartition::Matches(const Input& input, const Pairs& pairs, const SideColumns& others) {
  if (spec_.residual.empty() || pairs.mine.empty()) return std::vector<bool>(pairs.mine.size(), true);
  ARROW_ASSIGN_OR_RAISE(
      auto rows, PairRows(spec_.residual_columns, spec_.residual_schema, input.side, input.columns, others, pairs));
  ARROW_ASSIGN_OR_RAISE(arrow::ArrayVector condition, spec_.residual.Evaluate(evaluation_, rows));
  return TrueOf(*condition[0], pairs.mine.size());
}

Status JoinPartition::FindCandidates(const Input& input, int64_t begin, Candidates* candidates) {
  auto other = static_cast<size_t>(1 - input.side);
  candidates->begin = candidates->end = begin;
  candidates->keys.Clear();
  candidates->starts.assign(1, 0);
  Pairs pairs;
  for (; candidates->end < input.num_rows; ++candidates->end) {
    auto row = static_cast<size_t>(candidates->end);
    int64_t count = input.passes[row] ? input.counts[row] : 0;
    if (!pairs.mine.empty() && static_cast<int64_t>(pairs.mine.size()) + count > kMostCandidates) break;
    std::string_view key = input.keys.row(candidates->end);
    for (int64_t i = 0; i < count; ++i) {
      indexed_[other].Append(key, i, &candidates->keys);
      pairs.Add(static_cast<int32_t>(row), static_cast<int32_t>(pairs.mine.size()));
    }
    candidates->starts.push_back(static_cast<int32_t>(pairs.mine.size()));
  }
  ARROW_RETURN_NOT_OK(states_[other].GetAll(candidates->keys, &candidates->values));
  candidates->columns.clear();
  if (pairs.mine.empty()) {
    candidates->columns.resize(spec_.sides[other].num_columns);
    candidates->matches.clear();
    return Status::OK();
  }
  ARROW_ASSIGN_OR_RAISE(candidates->columns, Decode(static_cast<int>(other), candidates->values));
  ARROW_ASSIGN_OR_RAISE(candidates->matches, Matches(input, pairs, candidates->columns));
  return Status::OK();
}

bool JoinPartition::IsOld(const Input& input, int64_t row) const {
  if (spec_.key_time.found()) {
    auto time = spec_.key_time.TimeOf(input.keys.row(row));
    return time && *time <= batch_.eviction_watermark_ms * 1000;
  }
  const auto& side = spec_.sides[static_cast<size_t>(input.side)];
  if (!side.watermark) return false;
  auto time = side.value_time.TimeOf(input.values.row(row));
  return time && *time <= side.watermark->At(batch_.eviction_watermark_ms) * 1000;
}

// Of the rows from `begin` on that pass, those that may still be asked for go into state.
Status JoinPartition::KeepRows(const Input& input, int64_t begin, const std::vector<bool>& matched) {
  kept_keys_.Clear();
  kept_values_.clear();
  kept_matched_.clear();
  for (size_t i = 0; i < matched.size(); ++i) {
    const int64_t row = begin + static_cast<int64_t>(i);
    if (!input.passes[static_cast<size_t>(row)]) continue;
    bool keeps;
    if (input.side == 0) {
      // Kept even when it goes in this batch: the right side's rows have not been looked at.
      keeps = spec_.type != JoinType::kLeftSemi || !matched[i];
    } else {
      keeps = (!matched[i] && IsOuter(1)) || !IsOld(input, row);
    }
    if (!keeps) continue;
    kept_keys_.Append(input.keys.row(row));
    kept_values_.push_back(input.values.row(row));
    kept_matched_.push_back(matched[i]);
  }
  metrics_.rows_updated += kept_keys_.num_rows();
  return states_[static_cast<size_t>(input.side)].AppendAll(kept_keys_, kept_values_, kept_matched_);
}

Status JoinPartition::JoinRange(const Input& input, Candidates* candidates) {
  JoinSideState& others = states_[static_cast<size_t>(1 - input.side)];
  bool is_semi = spec_.type == JoinType::kLeftSemi;
  Pairs pairs;
  std::vector<bool> matched(static_cast<size_t>(candidates->end - candidates->begin), false);
  for (int64_t row = candidates->begin; row < candidates->end; ++row) {
    auto local = static_cast<size_t>(row - candidates->begin);
    if (!input.passes[static_cast<size_t>(row)]) {
      if (IsOuter(input.side)) pairs.Add(static_cast<int32_t>(row), -1);
      continue;
    }
    for (int32_t c = candidates->starts[local]; c < candidates->starts[local + 1]; ++c) {
      if (!candidates->matches[static_cast<size_t>(c)]) continue;
      matched[local] = true;
      ARROW_RETURN_NOT_OK(others.MarkMatched(candidates->keys.row(c), candidates->values[static_cast<size_t>(c)]));
      pairs.Add(static_cast<int32_t>(row), c);
      if (is_semi) break;
    }
  }
  ARROW_RETURN_NOT_OK(Emit(input.side, input.columns, candidates->columns, std::move(pairs)));
  return KeepRows(input, candidates->begin, matched);
}

Status JoinPartition::JoinRows(int side, const std::shared_ptr<arrow::RecordBatch>& rows) {
  Input input;
  ARROW_RETURN_NOT_OK(Encode(side, rows, &input));
  if (spec_.type == JoinType::kLeftSemi && side == 1) return JoinSemiRight(input);
  Candidates candidates;
  for (int64_t begin = 0; begin < input.num_rows; begin = candidates.end) {
    ARROW_RETURN_NOT_OK(FindCandidates(input, begin, &candidates));
    ARROW_RETURN_NOT_OK(JoinRange(input, &candidates));
  }
  return Status::OK();
}

// Right rows of a left semi join take the left rows they match out of state and give them, so what one row matches the
// next no longer sees. Conditions are evaluated for all pairs at once, the taking is then played row by row.
Status JoinPartition::JoinSemiRight(const Input& input) {
  JoinSideState& lefts = states_[0];
  struct Waiting {
    int64_t count = 0;
    int32_t first = 0;  ///< its rows among `values`
    std::vector<JoinSideState::Kept> kept;
    bool changed = false;
  };
  for (int64_t begin = 0, end = 0; begin < input.num_rows; begin = end) {
    std::unordered_map<std::string_view, Waiting> waiting;
    state::UnsafeRows keys;
    Pairs pairs;
    std::vector<int32_t> starts;
    std::vector<int64_t> counts;
    if (begin > 0) ARROW_RETURN_NOT_OK(lefts.CountAll(input.keys, &counts));
    for (end = begin; end < input.num_rows; ++end) {
      auto row = static_cast<size_t>(end);
      int64_t count = !input.passes[row] ? 0 : begin == 0 ? input.counts[row] : counts[row];
      if (!pairs.mine.empty() && static_cast<int64_t>(pairs.mine.size()) + count > kMostCandidates) break;
      starts.push_back(static_cast<int32_t>(pairs.mine.size()));
      if (count == 0) continue;
      auto [it, is_new] = waiting.try_emplace(input.keys.row(end));
      if (is_new) {
        it->second.count = count;
        it->second.first = static_cast<int32_t>(keys.num_rows());
        for (int64_t i = 0; i < count; ++i) indexed_[0].Append(it->first, i, &keys);
      }
      for (int64_t i = 0; i < count; ++i) {
        pairs.Add(static_cast<int32_t>(row), it->second.first + static_cast<int32_t>(i));
      }
    }
    std::vector<bool> matched(static_cast<size_t>(end - begin), false);
    std::vector<std::string_view> values;
    ARROW_RETURN_NOT_OK(lefts.GetAll(keys, &values));
    if (!pairs.mine.empty()) {
      ARROW_ASSIGN_OR_RAISE(SideColumns columns, Decode(0, values));
      ARROW_ASSIGN_OR_RAISE(std::vector<bool> matches, Matches(input, pairs, columns));
      for (auto& [key, rows] : waiting) {
        for (int64_t i = 0; i < rows.count; ++i) {
          rows.kept.push_back({i, values[static_cast<size_t>(rows.first) + static_cast<size_t>(i)]});
        }
      }
      Pairs taken;
      for (int64_t row = begin; row < end; ++row) {
        auto it = waiting.find(input.keys.row(row));
        if (it == waiting.end() || !input.passes[static_cast<size_t>(row)]) continue;
        Waiting& rows = it->second;
        auto start = static_cast<size_t>(starts[static_cast<size_t>(row - begin)]);
        for (size_t i = 0; i < rows.kept.size();) {
          int64_t position = rows.kept[i].position;
          bool was_matched = lefts.IsMatched(rows.kept[i].value);
          if (!was_matched && !matches[start + static_cast<size_t>(position)]) {
            ++i;
            continue;
          }
          if (!was_matched) {
            matched[static_cast<size_t>(row - begin)] = true;
            taken.Add(rows.first + static_cast<int32_t>(position), -1);
            ++metrics_.rows_removed;
          }
          rows.kept[i] = rows.kept.back();
          rows.kept.pop_back();
          rows.changed = true;
        }
      }
      ARROW_RETURN_NOT_OK(Emit(0, columns, SideColumns(spec_.sides[1].num_columns), std::move(taken)));
      // In the order in which the keys came, so that the files are the same each time.
      for (int64_t row = begin; row < end; ++row) {
        auto it = waiting.find(input.keys.row(row));
        if (it == waiting.end() || !it->second.changed) continue;
        it->second.changed = false;
        ARROW_RETURN_NOT_OK(lefts.Rearrange(it->first, it->second.count, it->second.kept));
      }
    }
    ARROW_RETURN_NOT_OK(KeepRows(input, begin, matched));
  }
  return Status::OK();
}

Result<int64_t> JoinPartition::EvictSide(int side, bool emits) {
  const auto& spec = spec_.sides[static_cast<size_t>(side)];
  JoinSideState& mine = states_[static_cast<size_t>(side)];
  state::UnsafeRows removed;
  int64_t num_removed = 0;
  if (spec_.key_time.found()) {
    ARROW_ASSIGN_OR_RAISE(num_removed,
                          mine.EvictByKey(batch_.eviction_watermark_ms * 1000, emits ? &removed : nullptr));
  } else if (spec.watermark) {
    int64_t watermark_us = spec.watermark->At(batch_.eviction_watermark_ms) * 1000;
    ARROW_ASSIGN_OR_RAISE(num_removed, mine.EvictByValue(spec.value_time, watermark_us, emits ? &removed : nullptr));
  }
  std::vector<std::string_view> unmatched;
  for (int64_t i = 0; i < removed.num_rows(); ++i) {
    if (!mine.IsMatched(removed.row(i))) unmatched.push_back(removed.row(i));
  }
  for (size_t begin = 0; begin < unmatched.size(); begin += kMostCandidates) {
    auto rows = std::span(unmatched).subspan(begin, std::min<size_t>(kMostCandidates, unmatched.size() - begin));
    ARROW_ASSIGN_OR_RAISE(SideColumns columns, Decode(side, rows));
    Pairs pairs;
    for (size_t i = 0; i < rows.size(); ++i) pairs.Add(static_cast<int32_t>(i), -1);
    SideColumns nobody(spec_.sides[static_cast<size_t>(1 - side)].num_columns);
    ARROW_RETURN_NOT_OK(Emit(side, columns, nobody, std::move(pairs)));
  }
  return num_removed;
}

Status JoinPartition::Evict() {
  // Rows that come out as outer rows do not count as removed, in Spark's metrics.
  for (int side : {0, 1}) {
    if (IsOuter(side)) ARROW_RETURN_NOT_OK(EvictSide(side, true));
  }
  for (int side : {0, 1}) {
    if (IsOuter(side)) continue;
    ARROW_ASSIGN_OR_RAISE(int64_t num_removed, EvictSide(side, false));
    metrics_.rows_removed += num_removed;
  }
  return Status::OK();
}

}  // namespace millrace::physical
