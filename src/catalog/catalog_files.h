#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "catalog/metastore.h"

namespace millrace::catalog {

/// What a metastore keeps from one engine to the next: a folder a database, in it a JSON file a table or view,
/// `_database.json` and `_functions.json`. A file is replaced as a whole.
///
/// Thread: the caller's lock. Crash: a file is its old or its new self; what ends in ".tmp" is nothing.
class CatalogFiles {
 public:
  CatalogFiles(FileSystem* file_system, std::string directory)
      : file_system_(file_system), directory_(std::move(directory)) {}

  struct Contents {
    std::vector<Database> databases;
    std::vector<Table> tables;
    std::vector<SqlFunction> functions;
  };
  /// Nothing when the directory does not exist. Errors: IOError naming the file that cannot be read.
  arrow::Result<Contents> Load() const;

  arrow::Status Save(const Database& database);
  arrow::Status Save(const Table& table);
  arrow::Status SaveFunctions(const std::string& database, const std::vector<SqlFunctionPtr>& functions);
  arrow::Status RemoveDatabase(const std::string& name);
  arrow::Status RemoveTable(const std::string& database, const std::string& name);

 private:
  std::string PathOf(const std::string& database, const std::string& name) const;
  arrow::Status Replace(const std::string& database, const std::string& path, const std::string& text);

  FileSystem* file_system_;
  std::string directory_;
};

}  // namespace millrace::catalog
