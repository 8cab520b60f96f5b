#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace millrace::python {

/// How a worker calls a function and in what form its rows come. The numbers are PySpark's (pyspark/util.py,
/// PythonEvalType).
enum class EvalType : int32_t {
  kBatched = 100,
  kArrowBatched = 101,
  kScalarPandas = 200,
  kGroupedMapPandas = 201,
  kGroupedAggPandas = 202,
  kWindowAggPandas = 203,
  kScalarPandasIter = 204,
  kMapPandasIter = 205,
  kCogroupedMapPandas = 206,
  kMapArrowIter = 207,
  kGroupedMapPandasWithState = 208,
  kGroupedMapArrow = 209,
  kCogroupedMapArrow = 210,
  kTransformWithStatePandas = 211,
  kTransformWithStatePandasInitState = 212,
  kTransformWithStateRow = 213,
  kTransformWithStateRowInitState = 214,
  kGroupedMapArrowIter = 215,
  kGroupedMapPandasIter = 216,
  kGroupedAggPandasIter = 217,
  kScalarArrow = 250,
  kScalarArrowIter = 251,
  kGroupedAggArrow = 252,
  kWindowAggArrow = 253,
  kGroupedAggArrowIter = 254,
  kTable = 300,
  kArrowTable = 301,
  kArrowUdtf = 302,
};

/// "SQL_SCALAR_PANDAS_UDF": as messages name it.
std::string_view EvalTypeName(EvalType type);
/// One value a row: may stand anywhere in an expression.
bool IsScalar(EvalType type);
bool IsGroupedAggregate(EvalType type);

/// A function as the client pickled it. Immutable.
struct UserFunction {
  std::string name;
  EvalType eval_type = EvalType::kArrowBatched;
  std::string command;
  /// "3.11": the worker refuses to unpickle what another Python pickled.
  std::string python_version;
  bool deterministic = true;
};
using UserFunctionPtr = std::shared_ptr<const UserFunction>;

inline bool SameFunction(const UserFunction& a, const UserFunction& b) {
  return &a == &b || (a.eval_type == b.eval_type && a.name == b.name && a.command == b.command);
}

}  // namespace millrace::python
