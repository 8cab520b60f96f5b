#include "base/json_value.h"
#include "expression/call.h"
#include "expression/metadata.h"
#include "expression/node.h"

namespace millrace::expression {

AttributeReference::AttributeReference(AttributeId id, std::string name, DataTypePtr type, bool nullable,
                                       std::vector<std::string> qualifier, std::string metadata_json)
    : Expression(ExpressionKind::kAttribute, std::move(type), nullable, {}),
      id_(id),
      name_(std::move(name)),
      qualifier_(std::move(qualifier)),
      metadata_json_(std::move(metadata_json)) {}

AttributePtr AttributeReference::WithQualifier(std::vector<std::string> qualifier) const {
  return std::make_shared<AttributeReference>(id_, name_, type(), nullable(), std::move(qualifier), metadata_json_);
}

AttributePtr AttributeReference::WithNullable(bool is_nullable) const {
  return std::make_shared<AttributeReference>(id_, name_, type(), is_nullable, qualifier_, metadata_json_);
}

AttributePtr AttributeReference::WithName(std::string name) const {
  return std::make_shared<AttributeReference>(id_, std::move(name), type(), nullable(), qualifier_, metadata_json_);
}

AttributePtr AttributeReference::NewInstance() const {
  return std::make_shared<AttributeReference>(NextAttributeId(), name_, type(), nullable(), qualifier_, metadata_json_);
}

ExpressionPtr AttributeReference::WithChildren(ExpressionVector) const {
  return std::make_shared<AttributeReference>(id_, name_, type(), nullable(), qualifier_, metadata_json_);
}

std::string AttributeReference::Sql(bool pretty) const {
  if (pretty) return name_;
  std::string sql;
  for (const std::string& part : qualifier_) sql += types::QuoteIfNeeded(part) + ".";
  return sql + types::QuoteIfNeeded(name_);
}

BoundReference::BoundReference(int index, std::string name, DataTypePtr type, bool nullable)
    : Expression(ExpressionKind::kBoundReference, std::move(type), nullable, {}),
      index_(index),
      name_(std::move(name)) {}

ExpressionPtr BoundReference::WithChildren(ExpressionVector) const {
  return std::make_shared<BoundReference>(index_, name_, type(), nullable());
}

std::string BoundReference::Sql(bool pretty) const { return pretty ? name_ : types::QuoteIfNeeded(name_); }

std::string MetadataOf(const Expression& value) {
  if (value.kind() == ExpressionKind::kAttribute) return static_cast<const AttributeReference&>(value).metadata_json();
  if (value.kind() != ExpressionKind::kCall || value.children().size() != 1 ||
      static_cast<const Call&>(value).name() != "window_time") {
    return {};
  }
  auto metadata = ParseJson(MetadataOf(*value.children()[0]));
  if (!metadata.ok() || !metadata->is_object()) return {};
  std::erase_if(metadata->members(), [](const JsonValue::Member& member) {
    return member.first == "spark.timeWindow" || member.first == "spark.sessionWindow";
  });
  return metadata->members().empty() ? std::string() : metadata->ToString();
}

Alias::Alias(ExpressionPtr child, std::string name, AttributeId id, std::string metadata_json)
    : Expression(ExpressionKind::kAlias, child->type(), child->nullable(), {child}),
      id_(id),
      name_(std::move(name)),
      metadata_json_(metadata_json.empty() ? MetadataOf(*child) : std::move(metadata_json)) {}

AttributePtr Alias::ToAttribute() const {
  return std::make_shared<AttributeReference>(id_, name_, type(), nullable(), std::vector<std::string>{},
                                              metadata_json_);
}

ExpressionPtr Alias::WithChildren(ExpressionVector children) const {
  return std::make_shared<Alias>(std::move(children[0]), name_, id_, metadata_json_);
}

std::string Alias::Sql(bool pretty) const { return child()->Sql(pretty) + " AS " + types::QuoteIfNeeded(name_); }

AttributePtr ToAttribute(const ExpressionPtr& named) {
  if (named->kind() == ExpressionKind::kAlias) return static_cast<const Alias&>(*named).ToAttribute();
  return std::static_pointer_cast<const AttributeReference>(named);
}

}  // namespace millrace::expression
