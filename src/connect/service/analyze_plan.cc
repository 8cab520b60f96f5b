#include "base/error.h"
#include "connect/plan_compression.h"
#include "connect/service/service.h"
#include "session/explain.h"
#include "spark/connect/base.pb.h"
#include "spark/connect/types.pb.h"
#include "sql/data_type_proto.h"
#include "types/char_type.h"

namespace millrace::connect {

namespace {

namespace proto = spark::connect;

arrow::Result<logical::PlanPtr> Analyze(session::Session& session, const proto::Plan& plan) {
  proto::Plan storage;
  ARROW_ASSIGN_OR_RAISE(const proto::Plan* whole, Decompressed(plan, &storage));
  if (!whole->has_root()) return arrow::Status::Invalid("A plan to analyze is a relation");
  // The programs that ask for each frame they make.
  bool of_a_job = session.conf().Get("millrace.submit.one.job").value_or("") == "true";
  return of_a_job ? session.AnalyzeFrame(whole->root()) : session.Analyze(whole->root());
}

session::ExplainMode ToExplainMode(proto::AnalyzePlanRequest::Explain::ExplainMode mode) {
  using Explain = proto::AnalyzePlanRequest::Explain;
  switch (mode) {
    case Explain::EXPLAIN_MODE_EXTENDED:
      return session::ExplainMode::kExtended;
    case Explain::EXPLAIN_MODE_CODEGEN:
      return session::ExplainMode::kCodegen;
    case Explain::EXPLAIN_MODE_COST:
      return session::ExplainMode::kCost;
    case Explain::EXPLAIN_MODE_FORMATTED:
      return session::ExplainMode::kFormatted;
    default:
      return session::ExplainMode::kSimple;
  }
}

session::StorageLevel ToStorageLevel(const proto::StorageLevel& message) {
  return {.use_disk = message.use_disk(),
          .use_memory = message.use_memory(),
          .use_off_heap = message.use_off_heap(),
          .deserialized = message.deserialized(),
          .replication = message.replication()};
}

arrow::Status GetStorageLevel(session::Session& session, const proto::Relation& relation,
                              proto::AnalyzePlanResponse* response) {
  ARROW_ASSIGN_OR_RAISE(logical::PlanPtr plan, session.Analyze(relation));
  session::StorageLevel level = session.cache().LevelOf(*plan);
  auto* out = response->mutable_get_storage_level()->mutable_storage_level();
  out->set_use_disk(level.use_disk);
  out->set_use_memory(level.use_memory);
  out->set_use_off_heap(level.use_off_heap);
  out->set_deserialized(level.deserialized);
  out->set_replication(level.replication);
  return arrow::Status::OK();
}

arrow::Status DdlParse(const std::string& text, proto::AnalyzePlanResponse* response) {
  // Errors are those of a schema; only what CHAR and VARCHAR are differs.
  ARROW_ASSIGN_OR_RAISE(types::DataTypePtr type, sql::ParseClientDdl(text));
  if (auto declared = types::ParseDeclaredDdl(text); declared.ok()) type = *declared;
  sql::DataTypeToProto(*type, response->mutable_ddl_parse()->mutable_parsed());
  return arrow::Status::OK();
}

}  // namespace

arrow::Status AnalyzePlan(ConnectService& service, const proto::AnalyzePlanRequest& request,
                          proto::AnalyzePlanResponse* response) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<ClientSession> client, SessionOf(service, request));
  session::Session& session = client->engine();
  response->set_session_id(request.session_id());
  response->set_server_side_session_id(client->server_side_id());
  switch (request.analyze_case()) {
    case proto::AnalyzePlanRequest::kSchema: {
      ARROW_ASSIGN_OR_RAISE(logical::PlanPtr plan, Analyze(session, request.schema().plan()));
      sql::DataTypeToProto(*plan->Schema(), response->mutable_schema()->mutable_schema());
      return arrow::Status::OK();
    }
    case proto::AnalyzePlanRequest::kExplain: {
      ARROW_ASSIGN_OR_RAISE(logical::PlanPtr plan, Analyze(session, request.explain().plan()));
      ARROW_ASSIGN_OR_RAISE(*response->mutable_explain()->mutable_explain_string(),
                            session.ExplainPlan(plan, ToExplainMode(request.explain().explain_mode())));
      return arrow::Status::OK();
    }
    case proto::AnalyzePlanRequest::kTreeString: {
      ARROW_ASSIGN_OR_RAISE(logical::PlanPtr plan, Analyze(session, request.tree_string().plan()));
      int level = request.tree_string().has_level() ? request.tree_string().level() : 0;
      response->mutable_tree_string()->set_tree_string(session::SchemaTreeString(*plan->Schema(), level));
      return arrow::Status::OK();
    }
    case proto::AnalyzePlanRequest::kIsLocal: {
      ARROW_ASSIGN_OR_RAISE(logical::PlanPtr plan, Analyze(session, request.is_local().plan()));
      response->mutable_is_local()->set_is_local(plan->kind() == logical::NodeKind::kLocalRelation);
      return arrow::Status::OK();
    }
    case proto::AnalyzePlanRequest::kIsStreaming: {
      ARROW_ASSIGN_OR_RAISE(logical::PlanPtr plan, Analyze(session, request.is_streaming().plan()));
      response->mutable_is_streaming()->set_is_streaming(plan->is_streaming());
      return arrow::Status::OK();
    }
    case proto::AnalyzePlanRequest::kInputFiles: {
      ARROW_ASSIGN_OR_RAISE(logical::PlanPtr plan, Analyze(session, request.input_files().plan()));
      ARROW_ASSIGN_OR_RAISE(std::vector<std::string> files, session.InputFiles(plan));
      for (std::string& file : files) response->mutable_input_files()->add_files(std::move(file));
      response->mutable_input_files();
      return arrow::Status::OK();
    }
    case proto::AnalyzePlanRequest::kSparkVersion:
      response->mutable_spark_version()->set_version(session::kSparkVersion);
      return arrow::Status::OK();
    case proto::AnalyzePlanRequest::kDdlParse:
      return DdlParse(request.ddl_parse().ddl_string(), response);
    case proto::AnalyzePlanRequest::kSameSemantics: {
      ARROW_ASSIGN_OR_RAISE(logical::PlanPtr left, Analyze(session, request.same_semantics().target_plan()));
      ARROW_ASSIGN_OR_RAISE(logical::PlanPtr right, Analyze(session, request.same_semantics().other_plan()));
      response->mutable_same_semantics()->set_result(session::SameSemantics(*left, *right));
      return arrow::Status::OK();
    }
    case proto::AnalyzePlanRequest::kSemanticHash: {
      ARROW_ASSIGN_OR_RAISE(logical::PlanPtr plan, Analyze(session, request.semantic_hash().plan()));
      response->mutable_semantic_hash()->set_result(session::SemanticHash(*plan));
      return arrow::Status::OK();
    }
    case proto::AnalyzePlanRequest::kPersist: {
      ARROW_ASSIGN_OR_RAISE(logical::PlanPtr plan, session.Analyze(request.persist().relation()));
      session::StorageLevel level = session::kDefaultStorageLevel;
      if (request.persist().has_storage_level()) level = ToStorageLevel(request.persist().storage_level());
      ARROW_RETURN_NOT_OK(session.cache().Persist(plan, level));
      response->mutable_persist();
      return arrow::Status::OK();
    }
    case proto::AnalyzePlanRequest::kUnpersist: {
      ARROW_ASSIGN_OR_RAISE(logical::PlanPtr plan, session.Analyze(request.unpersist().relation()));
      session.cache().Unpersist(*plan);
      response->mutable_unpersist();
      return arrow::Status::OK();
    }
    case proto::AnalyzePlanRequest::kGetStorageLevel:
      return GetStorageLevel(session, request.get_storage_level().relation(), response);
    case proto::AnalyzePlanRequest::kJsonToDdl: {
      ARROW_ASSIGN_OR_RAISE(types::DataTypePtr type, types::ParseTypeJson(request.json_to_ddl().json_string()));
      response->mutable_json_to_ddl()->set_ddl_string(type->ToDdl());
      return arrow::Status::OK();
    }
    default:
      return UserError("CONNECT_INVALID_PLAN.UNKNOWN_ANALYZE_METHOD",
                       {{"other", std::to_string(request.analyze_case())}});
  }
}

}  // namespace millrace::connect
