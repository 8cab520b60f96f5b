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
  ARROW_ASSIGN_OR_RAISE(std::optional<session::QueryResult> result, context.session().RunCommand(sql));
  proto::ExecutePlanResponse response;
  auto* relation = response.mutable_sql_command_result()->mutable_relation();
  if (result) {
    ARROW_ASSIGN_OR_RAISE(*relation->mutable_local_relation()->mutable_data(), EncodeWhole(context, *result));
  } else {
    // A Spark driver fails where the statement stands, not where its rows are asked for; other clients find out then.
    bool of_a_job = context.session().conf().Get("millrace.submit.one.job").value_or("") == "true";
    if (of_a_job) ARROW_RETURN_NOT_OK(context.session().Analyze(sql.input()).status());
    *relation = std::move(*sql.mutable_input());
  }
  return context.operation->Emit(std::move(response));
}

}  // namespace millrace::connect
