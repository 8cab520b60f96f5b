#pragma once

#include <functional>

#include "expression/call.h"

namespace millrace::streaming {

/// The same call, evaluated in a context that `change` has changed. `change` runs in tasks, several at a time.
inline expression::ExpressionPtr InChangedContext(const expression::Call& call,
                                                  std::function<void(expression::EvalContext*)> change) {
  auto info = std::make_shared<expression::CallInfo>(call.info());
  info->kernel = [kernel = call.info().kernel, change = std::move(change)](const expression::EvalContext& context,
                                                                           const std::vector<arrow::Datum>& arguments,
                                                                           int64_t num_rows) {
    expression::EvalContext changed = context;
    change(&changed);
    return kernel(changed, arguments, num_rows);
  };
  return std::make_shared<expression::Call>(std::move(info), call.type(), call.nullable(), call.children());
}

}  // namespace millrace::streaming
