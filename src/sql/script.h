#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "spark/connect/expressions.pb.h"

/// SQL scripts (BEGIN … END) as trees whose leaves are pieces of the text: a piece is parsed when it is its turn, since
/// what it means depends on the variables and tables that are there by then.

namespace millrace::sql {

/// Bytes [begin, end) of the script's text.
struct TextRange {
  size_t begin = 0;
  size_t end = 0;
};

struct ScriptStep;
using ScriptBody = std::vector<ScriptStep>;

/// WHEN or IF condition THEN body.
struct ScriptBranch {
  TextRange condition;
  ScriptBody body;
};

/// DECLARE {EXIT | CONTINUE} HANDLER FOR ….
struct ScriptHandler {
  bool exits = true;
  /// Upper case; perhaps those that the block declares.
  std::vector<std::string> conditions;
  std::vector<std::string> sqlstates;
  bool any_exception = false;  ///< SQLEXCEPTION
  bool not_found = false;
  ScriptBody body;
};

struct ScriptStep {
  enum class Kind {
    kStatement,    ///< text
    kSetVariable,  ///< text: SET without VARIABLE, where that is a setting's name outside of scripts
    kBlock,        ///< label, conditions, cursors, handlers, body
    kIf,           ///< branches, otherwise
    kCase,         ///< the same, with `operand` where each branch has a value of it
    kWhile,        ///< label, branches[0]
    kRepeat,       ///< label, body, operand: the condition that ends it
    kLoop,         ///< label, body
    kFor,          ///< label, variable, operand: the query, body
    kLeave,        ///< label
    kIterate,      ///< label
    kOpen,         ///< cursor, text: the arguments of USING
    kFetch,        ///< cursor, targets
    kClose,        ///< cursor
  };
  Kind kind = Kind::kStatement;
  TextRange text;
  /// Lower case; empty for none.
  std::string label;
  std::optional<TextRange> operand;
  std::vector<ScriptBranch> branches;
  std::optional<ScriptBody> otherwise;
  ScriptBody body;
  std::string variable;
  /// Of the block: DECLARE name CONDITION, and its SQLSTATE.
  std::map<std::string, std::string> conditions;
  /// Of the block: DECLARE name CURSOR FOR query.
  std::map<std::string, TextRange> cursors;
  std::vector<ScriptHandler> handlers;
  std::vector<std::string> cursor;
  std::vector<std::vector<std::string>> targets;
};

struct Script {
  std::string text;
  ScriptStep block;
  /// Values of `:name` and `?`.
  std::map<std::string, spark::connect::Expression> named_parameters;
  std::vector<spark::connect::Expression> positional_parameters;
};

}  // namespace millrace::sql
