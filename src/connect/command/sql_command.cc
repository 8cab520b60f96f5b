#include <arrow/table.h>

#include "connect/command/command.h"
#include "connect/encode/rows.h"
#include "spark/connect/base.pb.h"

// Clients before 4.0 send the text in fields that later ones mark as deprecated.
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace millrace::connect {

namespace {

namespace proto = spark::connect;

// The relation that the client goes on with: a text as it came, or the rows a command has left.
arrow::Result<std::string> EncodeWhole(const CommandContext& context, const session::QueryResult& result) {
  RowEncoder encoder(*result.schema, context.session().MakeEvalContext().time_zone->id());
  if (result.batches.empty()) return encoder.EncodeEmpty();
  ARROW_ASSIGN_OR_RAISE(auto whole, arrow::ConcatenateRecordBatches(result.batches));
  return encoder.Encode(*whole);
}

}  // namespace

arrow::Status RunSqlCommand(const CommandContext& context, const proto::Command& command) {
  proto::SqlCommand sql = command.sql_command();
  if (!sql.has_input()) {
    auto* text = sql.mutable_input()->mutable_sql();
    text->set_query(sql.sql());
    *text->mutable_args() = sql.args();
    *text->mutable_pos_args() = sql.pos_args();
    *text->mutable_named_arguments() = sql.named_arguments();
    *text->mutable_pos_arguments() = sql.pos_arguments();
  }
  bool of_a_job = context.session().conf().Get("millrace.submit.one.job").value_or("") == "true";
  std::optional<session::QueryResult> result;
  if (of_a_job && sql.input().read().has_named_table()) {
    ARROW_RETURN_NOT_OK(context.session().AnalyzeFrame(sql.input()));
  } else if (!of_a_job || !sql.input().has_read()) {
    ARROW_ASSIGN_OR_RAISE(result, context.session().RunCommand(sql, /*checks_query=*/!of_a_job));
  }
  proto::ExecutePlanResponse response;
  auto* relation = response.mutable_sql_command_result()->mutable_relation();
  if (result) {
    ARROW_ASSIGN_OR_RAISE(*relation->mutable_local_relation()->mutable_data(), EncodeWhole(context, *result));
  } else {
    // A Spark driver resolves a query when it is given, not when its rows are asked for.
    std::optional<std::string> id;
    if (of_a_job) {
      ARROW_ASSIGN_OR_RAISE(id, context.session().PutStatement(sql.input()));
    }
    if (id) {
      relation->mutable_cached_remote_relation()->set_relation_id(*id);
    } else {
      *relation = std::move(*sql.mutable_input());
    }
  }
  return context.operation->Emit(std::move(response));
}

}  // namespace millrace::connect
