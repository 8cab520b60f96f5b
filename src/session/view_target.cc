#include "session/view_target.h"

#include <set>

#include "base/error.h"
#include "base/file_system.h"
#include "logical/node/project.h"
#include "logical/node/source_scan.h"
#include "logical/node/subquery_alias.h"

namespace millrace::session {

using logical::PlanPtr;

arrow::Result<PlanPtr> TableOfView(PlanPtr target) {
  const PlanPtr* node = &target;
  bool projects = false, filters = false;
  while (true) {
    logical::NodeKind kind = (*node)->kind();
    if (kind == logical::NodeKind::kProject) {
      const auto& project = static_cast<const logical::Project&>(**node);
      const expression::AttributeVector& below = project.child()->output();
      std::set<expression::AttributeId> shown;
      for (const expression::ExpressionPtr& item : project.items()) {
        if (item->kind() != expression::ExpressionKind::kAttribute) return target;
        shown.insert(static_cast<const expression::AttributeReference&>(*item).id());
      }
      if (shown.size() != below.size() || project.items().size() != below.size()) return target;
      projects = true;
    } else if (kind == logical::NodeKind::kFilter) {
      filters = true;
    } else if (kind != logical::NodeKind::kSubqueryAlias) {
      break;
    }
    node = &(*node)->child();
  }
  if ((*node)->kind() != logical::NodeKind::kSourceScan) return target;
  if (filters) {
    const auto& scan = static_cast<const logical::SourceScan&>(**node);
    if (scan.def().name != std::string_view("delta") || scan.request()->paths.empty()) return target;
    return UserError("DELTA_UNEXPECTED_PARTIAL_SCAN",
                     {{"path", "file:" + AbsolutePath(LocalPath(scan.request()->paths[0]))}});
  }
  if (!projects) return target;
  PlanPtr stripped = *node;
  std::vector<std::vector<std::string>> names;
  for (const logical::Plan* at = target.get(); at->kind() == logical::NodeKind::kSubqueryAlias;
       at = at->child().get()) {
    names.push_back(static_cast<const logical::SubqueryAlias&>(*at).name());
  }
  for (auto name = names.rbegin(); name != names.rend(); ++name) {
    stripped = std::make_shared<logical::SubqueryAlias>(*name, std::move(stripped));
  }
  return stripped;
}

}  // namespace millrace::session
