#include "python/user_function.h"

namespace millrace::python {

namespace {

struct NamedEvalType {
  EvalType type;
  std::string_view name;
};

constexpr NamedEvalType kNames[] = {
    {EvalType::kBatched, "SQL_BATCHED_UDF"},
    {EvalType::kArrowBatched, "SQL_ARROW_BATCHED_UDF"},
    {EvalType::kScalarPandas, "SQL_SCALAR_PANDAS_UDF"},
    {EvalType::kGroupedMapPandas, "SQL_GROUPED_MAP_PANDAS_UDF"},
    {EvalType::kGroupedAggPandas, "SQL_GROUPED_AGG_PANDAS_UDF"},
    {EvalType::kWindowAggPandas, "SQL_WINDOW_AGG_PANDAS_UDF"},
    {EvalType::kScalarPandasIter, "SQL_SCALAR_PANDAS_ITER_UDF"},
    {EvalType::kMapPandasIter, "SQL_MAP_PANDAS_ITER_UDF"},
    {EvalType::kCogroupedMapPandas, "SQL_COGROUPED_MAP_PANDAS_UDF"},
    {EvalType::kMapArrowIter, "SQL_MAP_ARROW_ITER_UDF"},
    {EvalType::kGroupedMapPandasWithState, "SQL_GROUPED_MAP_PANDAS_UDF_WITH_STATE"},
    {EvalType::kGroupedMapArrow, "SQL_GROUPED_MAP_ARROW_UDF"},
    {EvalType::kCogroupedMapArrow, "SQL_COGROUPED_MAP_ARROW_UDF"},
    {EvalType::kTransformWithStatePandas, "SQL_TRANSFORM_WITH_STATE_PANDAS_UDF"},
    {EvalType::kTransformWithStatePandasInitState, "SQL_TRANSFORM_WITH_STATE_PANDAS_INIT_STATE_UDF"},
    {EvalType::kTransformWithStateRow, "SQL_TRANSFORM_WITH_STATE_PYTHON_ROW_UDF"},
    {EvalType::kTransformWithStateRowInitState, "SQL_TRANSFORM_WITH_STATE_PYTHON_ROW_INIT_STATE_UDF"},
    {EvalType::kGroupedMapArrowIter, "SQL_GROUPED_MAP_ARROW_ITER_UDF"},
    {EvalType::kGroupedMapPandasIter, "SQL_GROUPED_MAP_PANDAS_ITER_UDF"},
    {EvalType::kGroupedAggPandasIter, "SQL_GROUPED_AGG_PANDAS_ITER_UDF"},
    {EvalType::kScalarArrow, "SQL_SCALAR_ARROW_UDF"},
    {EvalType::kScalarArrowIter, "SQL_SCALAR_ARROW_ITER_UDF"},
    {EvalType::kGroupedAggArrow, "SQL_GROUPED_AGG_ARROW_UDF"},
    {EvalType::kWindowAggArrow, "SQL_WINDOW_AGG_ARROW_UDF"},
    {EvalType::kGroupedAggArrowIter, "SQL_GROUPED_AGG_ARROW_ITER_UDF"},
    {EvalType::kTable, "SQL_TABLE_UDF"},
    {EvalType::kArrowTable, "SQL_ARROW_TABLE_UDF"},
    {EvalType::kArrowUdtf, "SQL_ARROW_UDTF"},
};

}  // namespace

std::string_view EvalTypeName(EvalType type) {
  for (const NamedEvalType& one : kNames) {
    if (one.type == type) return one.name;
  }
  return "NON_UDF";
}

bool IsScalar(EvalType type) {
  switch (type) {
    case EvalType::kBatched:
    case EvalType::kArrowBatched:
    case EvalType::kScalarPandas:
    case EvalType::kScalarPandasIter:
    case EvalType::kScalarArrow:
    case EvalType::kScalarArrowIter:
      return true;
    default:
      return false;
  }
}

bool IsGroupedAggregate(EvalType type) {
  switch (type) {
    case EvalType::kGroupedAggPandas:
    case EvalType::kGroupedAggPandasIter:
    case EvalType::kGroupedAggArrow:
    case EvalType::kGroupedAggArrowIter:
      return true;
    default:
      return false;
  }
}

}  // namespace millrace::python
