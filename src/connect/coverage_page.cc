#include "connect/coverage_page.h"

#include <functional>

#include "analyzer/analyzer.h"
#include "connect/command/command.h"
#include "spark/connect/base.pb.h"
#include "spark/connect/catalog.pb.h"

namespace millrace::connect {

namespace {

namespace proto = spark::connect;

using Note = std::function<std::string(int field_number)>;
constexpr const char* kServed = "served";
constexpr const char* kRefused = "refused";

std::string Table(const google::protobuf::Descriptor* message, const char* oneof, const Note& note) {
  std::string text = "| " + message->name() + " | |\n| --- | --- |\n";
  const auto* kinds = message->FindOneofByName(oneof);
  for (int i = 0; i < kinds->field_count(); ++i) {
    text += "| " + kinds->field(i)->name() + " | " + note(kinds->field(i)->number()) + " |\n";
  }
  return text;
}

std::string RelationNote(int number) {
  switch (number) {
    case proto::Relation::kShowString:
    case proto::Relation::kHtmlString:
    case proto::Relation::kCatalog:
      return kServed;
    default:
      return analyzer::ServesRelation(number) ? kServed : kRefused;
  }
}

std::string CommandNote(int number) {
  for (const CommandEntry& entry : AllCommands()) {
    if (entry.kind != number) continue;
    return entry.note.empty() ? kServed : std::string(kServed) + ": " + std::string(entry.note);
  }
  return kRefused;
}

}  // namespace

std::string CoveragePage() {
  std::string text =
      "# Spark Connect, message by message\n\n"
      "`millrace serve --messages > docs/connect.md` writes this page from the code. What is refused is refused with "
      "an "
      "error that\nnames it (condition `UNSUPPORTED_CALL`), never answered otherwise. All calls of SparkConnectService "
      "are served.\n\n"
      "## Relations\n\n";
  text += Table(proto::Relation::descriptor(), "rel_type", RelationNote);
  text += "\n## Expressions\n\n";
  text += Table(proto::Expression::descriptor(), "expr_type",
                [](int number) { return analyzer::ServesExpression(number) ? kServed : kRefused; });
  text += "\n## Commands\n\n";
  text += Table(proto::Command::descriptor(), "command_type", CommandNote);
  text += "\n## Catalog\n\n";
  text += Table(proto::Catalog::descriptor(), "cat_type", [](int) { return kServed; });
  text += "\n## AnalyzePlan\n\n";
  text += Table(proto::AnalyzePlanRequest::descriptor(), "analyze", [](int) { return kServed; });
  return text;
}

}  // namespace millrace::connect
