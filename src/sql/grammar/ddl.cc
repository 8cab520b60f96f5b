#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "base/ascii.h"
#include "base/error.h"
#include "sql/data_type_proto.h"
#include "sql/grammar/grammar.h"
#include "sql/parse_error.h"
#include "sql/string_literal.h"
#include "types/char_type.h"
#include "types/column_metadata.h"

/// CREATE and DROP of tables, views and databases; ALTER of databases.

namespace millrace::sql {

arrow::Result<bool> Grammar::IfNotExists() {
  if (!At(Keyword::kIf)) return false;
  Take();
  ARROW_RETURN_NOT_OK(Expect(Keyword::kNot));
  ARROW_RETURN_NOT_OK(Expect(Keyword::kExists));
  return true;
}

arrow::Result<bool> Grammar::IfExists() {
  if (!At(Keyword::kIf, Keyword::kExists)) return false;
  position_ += 2;
  return true;
}

// "a.b" as a name of two parts.
static std::string QuotedKey(std::string_view key) {
  std::vector<std::string> parts;
  while (true) {
    size_t dot = key.find('.');
    parts.emplace_back(key.substr(0, dot));
    if (dot == std::string_view::npos) return QuoteNameParts(parts);
    key.remove_prefix(dot + 1);
  }
}

arrow::Status Grammar::ParseOptions(google::protobuf::Map<std::string, std::string>* options) {
  ARROW_RETURN_NOT_OK(Expect(Symbol::kLeftParen));
  do {
    std::string key;
    if (Peek().kind == TokenKind::kString) {
      ARROW_ASSIGN_OR_RAISE(key, StringValue());
    } else {
      do {
        ARROW_ASSIGN_OR_RAISE(std::string part, Identifier());
        key += (key.empty() ? "" : ".") + part;
      } while (Accept(Symbol::kDot));
    }
    Accept(Symbol::kEqual);
    std::string value;
    if (Peek().kind == TokenKind::kString) {
      ARROW_ASSIGN_OR_RAISE(value, StringValue());
    } else if (Peek().IsNumber() || At(Keyword::kTrue) || At(Keyword::kFalse)) {
      value = Take().text;
    } else {
      return SyntaxErrorHere();
    }
    if (!options->insert({key, value}).second) {
      return UserError("DUPLICATE_KEY", {{"keyColumn", QuotedKey(key)}});
    }
  } while (Accept(Symbol::kComma));
  return Expect(Symbol::kRightParen);
}

arrow::Status Grammar::ParseProperties(Properties* out) {
  google::protobuf::Map<std::string, std::string> map;
  ARROW_RETURN_NOT_OK(ParseOptions(&map));
  out->insert(map.begin(), map.end());
  return Status::OK();
}

arrow::Result<std::string> Grammar::PropertyKey() {
  if (Peek().kind == TokenKind::kString) return StringValue();
  ARROW_ASSIGN_OR_RAISE(NameParts parts, MultipartIdentifier());
  std::string key;
  for (const std::string& part : parts) key += (key.empty() ? "" : ".") + part;
  return key;
}

std::string Grammar::TextBetween(size_t first_token, size_t end_token) const {
  if (end_token <= first_token) return "";
  const Token& first = tokens_[first_token];
  const Token& last = tokens_[end_token - 1];
  return std::string(text_.substr(first.offset, last.offset + last.text.size() - first.offset));
}

arrow::Status Grammar::ParseColumnDefinition(ColumnDefinition* out) {
  ARROW_ASSIGN_OR_RAISE(out->field.name, NameIdentifier());
  Accept(Symbol::kColon);
  return ParseColumnClauses(out);
}

namespace {

std::optional<types::CharType> DeclaredChar(const spark::connect::DataType& type) {
  if (type.has_char_()) return types::CharType{true, type.char_().length()};
  if (type.has_var_char()) return types::CharType{false, type.var_char().length()};
  return std::nullopt;
}

bool NamesCharInside(const spark::connect::DataType& type) {
  if (type.has_char_() || type.has_var_char()) return true;
  if (type.has_array()) return NamesCharInside(type.array().element_type());
  if (type.has_map()) return NamesCharInside(type.map().key_type()) || NamesCharInside(type.map().value_type());
  const auto& fields = type.struct_().fields();
  return type.has_struct_() && std::any_of(fields.begin(), fields.end(),
                                           [](const auto& field) { return NamesCharInside(field.data_type()); });
}

// The type as Spark's catalogString.
arrow::Result<std::string> CatalogText(const spark::connect::DataType& type) {
  if (std::optional<types::CharType> declared = DeclaredChar(type)) {
    return (declared->padded ? "char(" : "varchar(") + std::to_string(declared->length) + ")";
  }
  if (type.has_array()) {
    ARROW_ASSIGN_OR_RAISE(std::string element, CatalogText(type.array().element_type()));
    return "array<" + element + ">";
  }
  if (type.has_map()) {
    ARROW_ASSIGN_OR_RAISE(std::string key, CatalogText(type.map().key_type()));
    ARROW_ASSIGN_OR_RAISE(std::string value, CatalogText(type.map().value_type()));
    return "map<" + key + "," + value + ">";
  }
  if (type.has_struct_()) {
    std::string fields;
    for (const auto& field : type.struct_().fields()) {
      ARROW_ASSIGN_OR_RAISE(std::string inner, CatalogText(field.data_type()));
      fields += (fields.empty() ? "" : ",") + types::QuoteIfNeeded(field.name()) + ":" + inner;
    }
    return "struct<" + fields + ">";
  }
  ARROW_ASSIGN_OR_RAISE(types::DataTypePtr plain, DataTypeFromProto(type));
  return plain->SimpleString();
}

}  // namespace

arrow::Status Grammar::ParseColumnClauses(ColumnDefinition* out) {
  spark::connect::DataType type;
  ARROW_RETURN_NOT_OK(ParseType(&type));
  ARROW_ASSIGN_OR_RAISE(out->field.type, DataTypeFromProto(type));
  std::optional<std::string> comment;
  std::optional<std::string> default_text;
  while (true) {
    if (At(Keyword::kNot, Keyword::kNull)) {
      position_ += 2;
      out->field.nullable = false;
    } else if (At(Keyword::kDefault)) {
      Take();
      ARROW_ASSIGN_OR_RAISE(default_text, ExpressionText());
    } else if (At(Keyword::kComment)) {
      Take();
      ARROW_ASSIGN_OR_RAISE(comment, StringValue());
    } else if (At(Keyword::kGenerated)) {
      ARROW_RETURN_NOT_OK(ParseGenerated(out));
    } else {
      break;
    }
  }
  out->field.metadata_json = types::ColumnMetadata(comment, default_text);
  if (std::optional<types::CharType> declared = DeclaredChar(type)) {
    types::SetCharType(declared, &out->field);
  } else if (NamesCharInside(type)) {
    ARROW_ASSIGN_OR_RAISE(std::string text, CatalogText(type));
    types::SetDeclaredType(text, &out->field);
  }
  return Status::OK();
}

arrow::Result<std::string> Grammar::ExpressionText() {
  size_t first = position_;
  Expression ignored;
  ARROW_RETURN_NOT_OK(ParseExpression(&ignored));
  return TextBetween(first, position_);
}

// GENERATED ALWAYS AS (expression); GENERATED ALWAYS | BY DEFAULT AS IDENTITY [(START WITH n INCREMENT BY n)]
arrow::Status Grammar::ParseGenerated(ColumnDefinition* out) {
  Take();
  bool by_default = Accept(Keyword::kBy, Keyword::kDefault);
  if (!by_default) ARROW_RETURN_NOT_OK(Expect(Keyword::kAlways));
  ARROW_RETURN_NOT_OK(Expect(Keyword::kAs));
  if (!by_default && !At(Keyword::kIdentity)) {
    ARROW_RETURN_NOT_OK(Expect(Symbol::kLeftParen));
    ARROW_ASSIGN_OR_RAISE(out->generated_as, ExpressionText());
    return Expect(Symbol::kRightParen);
  }
  ARROW_RETURN_NOT_OK(Expect(Keyword::kIdentity));
  IdentityDefinition& identity = out->identity.emplace();
  identity.by_default = by_default;
  if (!Accept(Symbol::kLeftParen)) return Status::OK();
  bool has_start = false, has_step = false;
  while (!At(Symbol::kRightParen)) {
    bool start = At(Keyword::kStart);
    if (start) {
      Take();
      ARROW_RETURN_NOT_OK(Expect(Keyword::kWith));
    } else {
      ARROW_RETURN_NOT_OK(Expect(Keyword::kIncrement));
      ARROW_RETURN_NOT_OK(Expect(Keyword::kBy));
    }
    bool negative = Accept(Symbol::kMinus);
    int64_t value = 0;
    std::string_view digits = Peek().text;
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size()) return SyntaxErrorHere();
    Take();
    if (std::exchange(start ? has_start : has_step, true)) {
      return UserError("IDENTITY_COLUMNS_DUPLICATED_SEQUENCE_GENERATOR_OPTION",
                       {{"sequenceGeneratorOption", start ? "START" : "STEP"}});
    }
    (start ? identity.start : identity.step) = negative ? -value : value;
  }
  return Expect(Symbol::kRightParen);
}

arrow::Status Grammar::ParseColumnDefinitions(std::vector<ColumnDefinition>* out) {
  ARROW_RETURN_NOT_OK(Expect(Symbol::kLeftParen));
  do {
    if (At(Keyword::kConstraint) || At(Keyword::kPrimary) || At(Keyword::kForeign) || At(Keyword::kCheck)) {
      return Unsupported("table constraints");
    }
    ARROW_RETURN_NOT_OK(ParseColumnDefinition(&out->emplace_back()));
  } while (Accept(Symbol::kComma));
  return Expect(Symbol::kRightParen);
}

// Columns by name; with a type (Hive's style) they are columns of the table too.
arrow::Status Grammar::ParsePartitionedBy(CreateTable* table) {
  ARROW_RETURN_NOT_OK(Expect(Symbol::kLeftParen));
  do {
    bool plain = Peek(1).Is(Symbol::kComma) || Peek(1).Is(Symbol::kRightParen);
    if (plain) {
      ARROW_ASSIGN_OR_RAISE(table->partition_columns.emplace_back(), NameIdentifier());
      continue;
    }
    if (Peek(1).Is(Symbol::kDot)) {
      ARROW_RETURN_NOT_OK(MultipartIdentifier().status());
      table->partition_transforms.emplace_back();
      continue;
    }
    if (Peek(1).Is(Symbol::kLeftParen)) {
      ARROW_RETURN_NOT_OK(ParsePartitionTransform(table));
      continue;
    }
    ++table->num_typed_partitions;
    ColumnDefinition column;
    ARROW_RETURN_NOT_OK(ParseColumnDefinition(&column));
    table->partition_columns.push_back(column.field.name);
    table->columns.push_back(std::move(column));
  } while (Accept(Symbol::kComma));
  return Expect(Symbol::kRightParen);
}

// bucket(4, a, b), identity(a), years(a): what of these a source takes is for the source to say.
arrow::Status Grammar::ParsePartitionTransform(CreateTable* table) {
  size_t first = position_;
  PartitionTransform transform;
  ARROW_ASSIGN_OR_RAISE(std::string name, NameIdentifier());
  transform.function = ToLowerAscii(name);
  Take();
  std::vector<std::string> arguments;
  do {
    size_t start = position_;
    if (Peek().IsIdentifier() && (Peek(1).Is(Symbol::kComma) || Peek(1).Is(Symbol::kRightParen))) {
      ARROW_ASSIGN_OR_RAISE(transform.columns.emplace_back(), NameIdentifier());
    } else {
      Expression ignored;
      ARROW_RETURN_NOT_OK(ParseExpression(&ignored));
    }
    arguments.push_back(TextBetween(start, position_));
    transform.text += (transform.text.empty() ? name + "(" : ", ") + arguments.back();
  } while (Accept(Symbol::kComma));
  transform.text += ")";
  ARROW_RETURN_NOT_OK(Expect(Symbol::kRightParen));
  if (transform.function == "identity" && arguments.size() == 1 && transform.columns.size() == 1) {
    table->partition_columns.push_back(transform.columns[0]);
    return Status::OK();
  }
  if (transform.function == "bucket") {
    const std::string& count = arguments[0];
    auto [end, error] = std::from_chars(count.data(), count.data() + count.size(), transform.num_buckets);
    if (error != std::errc() || end != count.data() + count.size()) {
      return ErrorAt(first, "_LEGACY_ERROR_TEMP_0031", {{"describe", count}});
    }
    if (transform.columns.size() + 1 != arguments.size()) return Unsupported("buckets by what is no column");
  }
  table->partition_transforms.push_back(std::move(transform));
  return Status::OK();
}

// What follows CLUSTERED BY: (a, b) [SORTED BY (c [ASC])] INTO 4 BUCKETS.
arrow::Status Grammar::ParseBuckets(CreateTable* table) {
  BucketSpec& buckets = table->buckets.emplace();
  ARROW_RETURN_NOT_OK(ParseNameList(&buckets.columns));
  if (At(Keyword::kSorted, Keyword::kBy)) {
    position_ += 2;
    ARROW_RETURN_NOT_OK(Expect(Symbol::kLeftParen));
    do {
      ARROW_ASSIGN_OR_RAISE(buckets.sort_columns.emplace_back(), NameIdentifier());
      if (At(Keyword::kDesc)) {
        return UserError("_LEGACY_ERROR_TEMP_0035", {{"message", "Column ordering must be ASC, was 'DESC'"}});
      }
      Accept(Keyword::kAsc);
    } while (Accept(Symbol::kComma));
    ARROW_RETURN_NOT_OK(Expect(Symbol::kRightParen));
  }
  ARROW_RETURN_NOT_OK(Expect(Keyword::kInto));
  if (Peek().kind != TokenKind::kInteger) return SyntaxErrorHere();
  buckets.num_buckets = static_cast<int>(std::strtoll(std::string(Take().text).c_str(), nullptr, 10));
  return Expect(Keyword::kBuckets);
}

arrow::Status Grammar::ParseNameList(std::vector<std::string>* names) {
  ARROW_RETURN_NOT_OK(Expect(Symbol::kLeftParen));
  do {
    ARROW_ASSIGN_OR_RAISE(names->emplace_back(), NameIdentifier());
  } while (Accept(Symbol::kComma));
  return Expect(Symbol::kRightParen);
}

arrow::Status Grammar::ParseTableClauses(CreateTable* table) {
  while (true) {
    if (Accept(Keyword::kUsing)) {
      ARROW_ASSIGN_OR_RAISE(NameParts provider, MultipartIdentifier());
      for (const std::string& part : provider) table->provider += (table->provider.empty() ? "" : ".") + part;
    } else if (At(Keyword::kPartitioned, Keyword::kBy)) {
      position_ += 2;
      ARROW_RETURN_NOT_OK(ParsePartitionedBy(table));
    } else if (Accept(Keyword::kOptions)) {
      ARROW_RETURN_NOT_OK(ParseProperties(&table->options));
    } else if (Accept(Keyword::kTblproperties)) {
      ARROW_RETURN_NOT_OK(ParseProperties(&table->properties));
    } else if (Accept(Keyword::kLocation)) {
      ARROW_ASSIGN_OR_RAISE(table->location, StringValue());
    } else if (Accept(Keyword::kComment)) {
      ARROW_ASSIGN_OR_RAISE(table->comment, StringValue());
    } else if (At(Keyword::kClustered, Keyword::kBy)) {
      position_ += 2;
      ARROW_RETURN_NOT_OK(ParseBuckets(table));
    } else if (At(Keyword::kCluster, Keyword::kBy)) {
      position_ += 2;
      ARROW_RETURN_NOT_OK(Expect(Symbol::kLeftParen));
      do {
        ARROW_ASSIGN_OR_RAISE(table->cluster_columns.emplace_back(), MultipartIdentifier());
      } while (Accept(Symbol::kComma));
      ARROW_RETURN_NOT_OK(Expect(Symbol::kRightParen));
    } else if (At(Keyword::kStored) || At(Keyword::kRow) || At(Keyword::kSkewed)) {
      return Unsupported("Hive's STORED AS, ROW FORMAT and SKEWED BY");
    } else {
      return Status::OK();
    }
  }
}

arrow::Status Grammar::ParseCreateTable(Command* out) {
  CreateTable table;
  table.create = Accept(Keyword::kCreate);
  table.replace = !table.create || At(Keyword::kOr, Keyword::kReplace);
  if (!table.create) Take();
  if (table.create && table.replace) position_ += 2;
  if (Accept(Keyword::kExternal)) table.external = true;
  // An old way to make a temporary view of files.
  bool temporary = !table.external && (Accept(Keyword::kTemporary) || Accept(Keyword::kTemp));
  ARROW_RETURN_NOT_OK(Expect(Keyword::kTable));
  ARROW_ASSIGN_OR_RAISE(table.if_not_exists, IfNotExists());
  ARROW_ASSIGN_OR_RAISE(table.name, MultipartIdentifier());
  if (temporary) {
    CreateView view;
    view.name = std::move(table.name);
    view.temporary = true;
    return ParseCreateViewUsing(view, out);
  }
  if (At(Keyword::kLike)) return ParseCreateTableLike(std::move(table), out);
  if (AtWord("SHALLOW") && AtWord("CLONE", 1)) return ParseClone(std::move(table), out);
  if (At(Symbol::kLeftParen) && !StartsQuery(position_)) ARROW_RETURN_NOT_OK(ParseColumnDefinitions(&table.columns));
  ARROW_RETURN_NOT_OK(ParseTableClauses(&table));
  bool as = Accept(Keyword::kAs);
  if (as || AtQueryStatement()) {
    ARROW_RETURN_NOT_OK(ParseQuery(&table.query.emplace()));
  }
  *out = std::move(table);
  return Status::OK();
}

arrow::Status Grammar::ParseCreateTableLike(CreateTable head, Command* out) {
  Take();
  CreateTableLike like;
  like.name = std::move(head.name);
  like.if_not_exists = head.if_not_exists;
  ARROW_ASSIGN_OR_RAISE(like.source, MultipartIdentifier());
  CreateTable clauses;
  size_t first = position_;
  ARROW_RETURN_NOT_OK(ParseTableClauses(&clauses));
  // Columns and their layout are the source's.
  bool defines = !clauses.partition_columns.empty() || !clauses.partition_transforms.empty() || clauses.buckets ||
                 !clauses.cluster_columns.empty() || !clauses.options.empty() || clauses.comment;
  if (defines) {
    for (position_ = first; position_ < tokens_.size(); ++position_) {
      if (At(Keyword::kPartitioned) || At(Keyword::kCluster) || At(Keyword::kClustered) || At(Keyword::kOptions) ||
          At(Keyword::kComment)) {
        break;
      }
    }
    return SyntaxErrorHere();
  }
  like.provider = clauses.provider;
  like.properties = clauses.properties;
  like.location = clauses.location;
  *out = std::move(like);
  return Status::OK();
}

// CREATE [OR REPLACE] [[GLOBAL] TEMPORARY] VIEW [IF NOT EXISTS] name [(columns)] [clauses] AS query
arrow::Status Grammar::ParseCreateView(Command* out) {
  CreateView view;
  Take();
  view.replace = Accept(Keyword::kOr, Keyword::kReplace);
  view.global = Accept(Keyword::kGlobal);
  view.temporary = Accept(Keyword::kTemporary) || Accept(Keyword::kTemp);
  ARROW_RETURN_NOT_OK(Expect(Keyword::kView));
  size_t at = position_;
  ARROW_ASSIGN_OR_RAISE(view.if_not_exists, IfNotExists());
  if (view.if_not_exists && view.temporary) return ErrorAt(at, "_LEGACY_ERROR_TEMP_0053");
  ARROW_ASSIGN_OR_RAISE(view.name, MultipartIdentifier());
  if (view.temporary && At(Symbol::kLeftParen)) {
    // USING may follow column definitions with types.
    size_t after = Closing(position_) + 1;
    if (tokens_[std::min(after, tokens_.size() - 1)].Is(Keyword::kUsing)) return ParseCreateViewUsing(view, out);
  }
  if (At(Keyword::kUsing)) return ParseCreateViewUsing(view, out);
  if (Accept(Symbol::kLeftParen)) {
    do {
      auto& [name, comment] = view.columns.emplace_back();
      ARROW_ASSIGN_OR_RAISE(name, NameIdentifier());
      if (Accept(Keyword::kComment)) {
        ARROW_ASSIGN_OR_RAISE(comment, StringValue());
      }
    } while (Accept(Symbol::kComma));
    ARROW_RETURN_NOT_OK(Expect(Symbol::kRightParen));
  }
  while (!At(Keyword::kAs)) {
    if (Accept(Keyword::kComment)) {
      ARROW_ASSIGN_OR_RAISE(view.comment, StringValue());
    } else if (Accept(Keyword::kTblproperties)) {
      ARROW_RETURN_NOT_OK(ParseProperties(&view.properties));
    } else if (At(Keyword::kWith) && view.schema_mode.empty()) {
      size_t mode = position_;
      ARROW_ASSIGN_OR_RAISE(view.schema_mode, ParseViewSchemaMode());
      if (view.temporary) {
        return ErrorAt(mode, "UNSUPPORTED_FEATURE.TEMPORARY_VIEW_WITH_SCHEMA_BINDING_MODE");
      }
    } else {
      return SyntaxErrorHere();
    }
  }
  Take();
  size_t first = position_;
  ARROW_RETURN_NOT_OK(ParseQuery(&view.query));
  view.query_text = TextBetween(first, position_);
  *out = std::move(view);
  return Status::OK();
}

arrow::Result<std::string> Grammar::ParseViewSchemaMode() {
  size_t first = position_;
  ARROW_RETURN_NOT_OK(Expect(Keyword::kWith));
  ARROW_RETURN_NOT_OK(Expect(Keyword::kSchema));
  std::string mode;
  if (Accept(Keyword::kBinding)) {
    mode = "BINDING";
  } else if (Accept(Keyword::kCompensation)) {
    mode = "COMPENSATION";
  } else {
    mode = Accept(Keyword::kType) ? "TYPE EVOLUTION" : "EVOLUTION";
    ARROW_RETURN_NOT_OK(Expect(Keyword::kEvolution));
  }
  if (options_->view_schema_modes) return mode;
  return ErrorAt(first, "FEATURE_NOT_ENABLED",
                 {{"featureName", "VIEW ... WITH SCHEMA ..."},
                  {"configKey", "spark.sql.legacy.viewSchemaBindingMode"},
                  {"configValue", "true"}});
}

arrow::Status Grammar::ParseCreateViewUsing(const CreateView& head, Command* out) {
  CreateViewUsing view{head.name, head.global, head.replace, {}, "", {}};
  if (!head.temporary) return SyntaxErrorHere();
  if (At(Symbol::kLeftParen)) ARROW_RETURN_NOT_OK(ParseColumnDefinitions(&view.columns));
  ARROW_RETURN_NOT_OK(Expect(Keyword::kUsing));
  ARROW_ASSIGN_OR_RAISE(NameParts provider, MultipartIdentifier());
  view.provider = provider.back();
  if (Accept(Keyword::kOptions)) ARROW_RETURN_NOT_OK(ParseProperties(&view.options));
  *out = std::move(view);
  return Status::OK();
}

arrow::Status Grammar::ParseCreateDatabase(Command* out) {
  position_ += 2;
  CreateDatabase database;
  ARROW_ASSIGN_OR_RAISE(database.if_not_exists, IfNotExists());
  ARROW_ASSIGN_OR_RAISE(database.name, MultipartIdentifier());
  while (Peek().kind == TokenKind::kKeyword) {
    if (Accept(Keyword::kComment)) {
      ARROW_ASSIGN_OR_RAISE(database.comment, StringValue());
    } else if (Accept(Keyword::kLocation)) {
      ARROW_ASSIGN_OR_RAISE(database.location, StringValue());
    } else if (Accept(Keyword::kWith)) {
      if (!Accept(Keyword::kProperties)) ARROW_RETURN_NOT_OK(Expect(Keyword::kDbproperties));
      ARROW_RETURN_NOT_OK(ParseProperties(&database.properties));
    } else {
      return SyntaxErrorHere();
    }
  }
  *out = std::move(database);
  return Status::OK();
}

bool Grammar::AtDatabaseWord(size_t ahead) const {
  const Token& token = Peek(ahead);
  return token.Is(Keyword::kDatabase) || token.Is(Keyword::kSchema) || token.Is(Keyword::kNamespace);
}

arrow::Status Grammar::ParseDrop(Command* out) {
  Take();
  if (AtDatabaseWord(0)) {
    Take();
    DropDatabase drop;
    ARROW_ASSIGN_OR_RAISE(drop.if_exists, IfExists());
    ARROW_ASSIGN_OR_RAISE(drop.name, MultipartIdentifier());
    drop.cascade = Accept(Keyword::kCascade);
    if (!drop.cascade) Accept(Keyword::kRestrict);
    *out = std::move(drop);
    return Status::OK();
  }
  DropRelation drop;
  drop.view = Accept(Keyword::kView);
  if (!drop.view) ARROW_RETURN_NOT_OK(Expect(Keyword::kTable));
  ARROW_ASSIGN_OR_RAISE(drop.if_exists, IfExists());
  ARROW_ASSIGN_OR_RAISE(drop.name, MultipartIdentifier());
  if (!drop.view) Accept(Keyword::kPurge);
  *out = std::move(drop);
  return Status::OK();
}

arrow::Status Grammar::ParsePartitionSpec(PartitionSpec* out) {
  ARROW_RETURN_NOT_OK(Expect(Symbol::kLeftParen));
  do {
    auto& [name, value] = out->emplace_back();
    ARROW_ASSIGN_OR_RAISE(name, NameIdentifier());
    if (!Accept(Symbol::kEqual)) continue;
    bool negative = Accept(Symbol::kMinus);
    // DATE'2020-01-01' and the like: the text of the literal.
    if ((At(Keyword::kDate) || At(Keyword::kTimestamp)) && Peek(1).kind == TokenKind::kString) Take();
    if (Peek().kind == TokenKind::kString) {
      ARROW_ASSIGN_OR_RAISE(value, StringValue());
    } else if (Accept(Keyword::kNull)) {
      value = kNullPartition;
    } else if (Peek().IsNumber() || Peek().IsIdentifier()) {
      value = (negative ? "-" : "") + std::string(Take().text);
    } else {
      return SyntaxErrorHere();
    }
  } while (Accept(Symbol::kComma));
  return Expect(Symbol::kRightParen);
}

arrow::Status Grammar::ParseAlterDatabase(Command* out) {
  position_ += 2;
  AlterDatabase alter;
  ARROW_ASSIGN_OR_RAISE(alter.name, MultipartIdentifier());
  if (!Accept(Keyword::kSet)) return Unsupported("ALTER DATABASE without SET");
  if (At(Keyword::kLocation)) return Unsupported("ALTER DATABASE SET LOCATION");
  if (!Accept(Keyword::kProperties)) ARROW_RETURN_NOT_OK(Expect(Keyword::kDbproperties));
  ARROW_RETURN_NOT_OK(ParseProperties(&alter.properties));
  *out = std::move(alter);
  return Status::OK();
}

}  // namespace millrace::sql
