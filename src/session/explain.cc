#include "session/explain.h"

#include <algorithm>
#include <functional>
#include <sstream>

#include "connector/file/file_listing.h"
#include "logical/node/source_scan.h"
#include "optimizer/optimizer.h"
#include "physical/planner.h"
#include "session/plan_cache.h"
#include "session/session.h"

namespace millrace::session {

namespace {

// "   +- Project [a#1]" → depth 1, "Project [a#1]".
struct TreeNode {
  std::string prefix;
  std::string text;
};

std::vector<TreeNode> NodesOf(const std::string& tree) {
  std::vector<TreeNode> nodes;
  std::istringstream lines(tree);
  std::string line;
  while (std::getline(lines, line)) {
    size_t start = line.find_first_not_of(" :+-*");
    if (start == std::string::npos) continue;
    nodes.push_back({line.substr(0, start), line.substr(start)});
  }
  return nodes;
}

std::string OperatorName(const std::string& text) {
  size_t end = text.find_first_of("[(");
  std::string name = text.substr(0, end);
  while (!name.empty() && name.back() == ' ') name.pop_back();
  return name.empty() ? text : name;
}

// The tree of names with numbers, bottom up, then one paragraph an operator.
std::string Formatted(const std::string& tree) {
  std::vector<TreeNode> nodes = NodesOf(tree);
  std::string text = "== Physical Plan ==\n";
  for (size_t i = 0; i < nodes.size(); ++i) {
    text += nodes[i].prefix + OperatorName(nodes[i].text) + " (" + std::to_string(nodes.size() - i) + ")\n";
  }
  text += "\n";
  for (size_t i = nodes.size(); i-- > 0;) {
    std::string name = OperatorName(nodes[i].text);
    text += "\n(" + std::to_string(nodes.size() - i) + ") " + name + "\n";
    std::string arguments = nodes[i].text.substr(std::min(name.size(), nodes[i].text.size()));
    arguments.erase(
        0, arguments.find_first_not_of(' ') == std::string::npos ? arguments.size() : arguments.find_first_not_of(' '));
    if (!arguments.empty()) text += "Arguments: " + arguments + "\n";
  }
  return text + "\n";
}

std::string LevelText(const StorageLevel& level) {
  std::string text = level.use_disk ? "disk, " : "";
  text += level.use_memory ? "memory, " : "";
  text += level.use_off_heap ? "offheap, " : "";
  text += level.deserialized ? "deserialized, " : "";
  return "StorageLevel(" + text + std::to_string(level.replication) + " replicas)";
}

// Below the scan of each persisted part, the part itself: `draw` gives its tree.
arrow::Result<std::string> WithParts(const std::string& tree, const std::vector<PlanCache::Part>& parts,
                                     const std::function<arrow::Result<std::string>(const logical::PlanPtr&)>& draw) {
  std::string text;
  std::istringstream lines(tree);
  std::string line;
  while (std::getline(lines, line)) {
    const PlanCache::Part* part = nullptr;
    for (const PlanCache::Part& each : parts) {
      if (line.ends_with(each.mark)) part = &each;
    }
    if (part == nullptr) {
      text += line + "\n";
      continue;
    }
    line.resize(line.size() - part->mark.size());
    std::string relation =
        "InMemoryRelation " + logical::DescribeAttributes(part->plan->output()) + ", " + LevelText(part->level);
    size_t start = line.find("InMemory");
    std::string below = line.substr(0, start);
    bool scan = line.compare(start, 17, "InMemoryTableScan") == 0;
    text += (scan ? line : below + relation) + "\n";
    // The branch ends here; one that has siblings below goes on.
    if (size_t branch = below.rfind('-'); branch != std::string::npos) {
      below[branch] = ' ';
      if (below[branch - 1] == '+') below[branch - 1] = ' ';
    }
    if (scan) {
      below += "   ";
      text += below + "+- " + relation + "\n";
    }
    below += "      ";
    ARROW_ASSIGN_OR_RAISE(std::string inner, draw(part->plan));
    std::istringstream inner_lines(inner);
    std::string inner_line;
    for (bool first = true; std::getline(inner_lines, inner_line); first = false) {
      if (!inner_line.empty()) text += below + (first ? "+- " : "   ") + inner_line + "\n";
    }
  }
  return text;
}

}  // namespace

arrow::Result<std::string> Session::ExplainPlan(const logical::PlanPtr& analyzed, ExplainMode mode) {
  std::vector<PlanCache::Part> parts;
  ARROW_ASSIGN_OR_RAISE(logical::PlanPtr optimized,
                        optimizer::Optimize(cache_.Mark(analyzed, &parts), MakeEvalContext()));
  physical::PlannerOptions options{.parallelism = engine_->pool->num_threads()};
  if (analyzed->is_streaming()) {
    // No query runs it yet. Of the output modes, update asks least of a plan.
    options.streaming = physical::StreamingPlan{.output_mode = connector::OutputMode::kUpdate,
                                                .conf = [this](std::string_view key) { return conf_.Get(key); }};
  }
  auto draw = [&](const logical::PlanPtr& part) -> arrow::Result<std::string> {
    ARROW_ASSIGN_OR_RAISE(logical::PlanPtr plan, optimizer::Optimize(part, MakeEvalContext()));
    ARROW_ASSIGN_OR_RAISE(physical::OperatorPtr root, physical::PlanOperators(plan, engine_->pool->num_threads()));
    return physical::TreeString(*root);
  };
  ARROW_ASSIGN_OR_RAISE(physical::OperatorPtr root, physical::PlanOperators(optimized, std::move(options)));
  ARROW_ASSIGN_OR_RAISE(std::string physical, WithParts(physical::TreeString(*root), parts, draw));
  ARROW_ASSIGN_OR_RAISE(std::string optimized_text, WithParts(logical::TreeString(*optimized), parts, draw));
  switch (mode) {
    case ExplainMode::kCodegen:
      return std::string("Found 0 WholeStageCodegen subtrees.\n");
    case ExplainMode::kFormatted:
      return Formatted(physical);
    case ExplainMode::kCost:
      return "== Optimized Logical Plan ==\n" + optimized_text + "\n== Physical Plan ==\n" + physical + "\n";
    case ExplainMode::kExtended:
      return "== Parsed Logical Plan ==\n" + logical::TreeString(*analyzed) + "\n== Analyzed Logical Plan ==\n" +
             logical::TreeString(*analyzed) + "\n== Optimized Logical Plan ==\n" + optimized_text +
             "\n== Physical Plan ==\n" + physical + "\n";
    case ExplainMode::kSimple:
      break;
  }
  return "== Physical Plan ==\n" + physical + "\n";
}

arrow::Result<std::string> Session::Explain(const spark::connect::Relation& relation, bool extended) {
  ARROW_ASSIGN_OR_RAISE(logical::PlanPtr analyzed, Analyze(relation));
  return ExplainPlan(analyzed, extended ? ExplainMode::kExtended : ExplainMode::kSimple);
}

arrow::Result<std::vector<std::string>> Session::InputFiles(const logical::PlanPtr& plan) {
  std::vector<std::string> files;
  arrow::Status status;
  logical::VisitPlan(*plan, [&](const logical::Plan& node) {
    if (node.kind() != logical::NodeKind::kSourceScan || !status.ok()) return;
    const connector::SourceRequest& request = *static_cast<const logical::SourceScan&>(node).request();
    if (request.paths.empty() || request.streaming) return;
    auto list = [&]() -> arrow::Status {
      ARROW_ASSIGN_OR_RAISE(auto options, connector::file::ListingOptions::Parse(request));
      ARROW_ASSIGN_OR_RAISE(auto roots, connector::file::AbsolutePaths(request));
      ARROW_ASSIGN_OR_RAISE(auto found, connector::file::ListFiles(*request.context, roots, options, true));
      for (const auto& file : found) files.push_back("file://" + file.path);
      return arrow::Status::OK();
    };
    status = list();
  });
  ARROW_RETURN_NOT_OK(status);
  std::sort(files.begin(), files.end());
  files.erase(std::unique(files.begin(), files.end()), files.end());
  return files;
}

std::string SchemaTreeString(const types::DataType& schema, int level) {
  std::string tree = schema.ToTreeString();
  if (level <= 0) return tree;
  std::string kept;
  std::istringstream lines(tree);
  std::string line;
  while (std::getline(lines, line)) {
    // " |-- a" is the first level, " |    |-- b" the second.
    size_t mark = line.find("|-- ");
    if (mark == std::string::npos || (mark - 1) / 5 < static_cast<size_t>(level)) kept += line + "\n";
  }
  return kept;
}

bool SameSemantics(const logical::Plan& left, const logical::Plan& right) {
  return CanonicalText(left) == CanonicalText(right);
}

int32_t SemanticHash(const logical::Plan& plan) {
  return static_cast<int32_t>(std::hash<std::string>()(CanonicalText(plan)));
}

}  // namespace millrace::session
