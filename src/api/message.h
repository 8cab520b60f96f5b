#pragma once

#include <memory>
#include <vector>

#include "millrace/column.h"
#include "millrace/data_frame.h"
#include "millrace/functions.h"
#include "spark/connect/expressions.pb.h"
#include "spark/connect/relations.pb.h"

/// How the API's handles become plan messages.

namespace millrace::api {

using RelationPtr = std::shared_ptr<const spark::connect::Relation>;

/// A new relation message; `set` fills its kind.
template <typename Set>
DataFrame MakeFrame(const std::shared_ptr<Connection>& connection, Set&& set) {
  auto relation = std::make_shared<spark::connect::Relation>();
  set(relation.get());
  return DataFrame(std::move(relation), connection);
}

template <typename Repeated>
void AddMessages(const std::vector<Column>& columns, Repeated* out) {
  for (const Column& column : columns) *out->Add() = column.message();
}

}  // namespace millrace::api
