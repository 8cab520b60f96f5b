#include "expression/python/python_table.h"

#include "base/error.h"

namespace millrace::expression {

arrow::Result<Generated> PythonTableKernel::operator()(const EvalContext&, const std::vector<arrow::Datum>&,
                                                       int64_t) const {
  return InternalError("the table function " + function->name + " of Python was not planned");
}

}  // namespace millrace::expression
