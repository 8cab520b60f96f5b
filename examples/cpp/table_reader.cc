// Prints the rows of a Delta table, ordered by the columns that are named.
//
//   table_reader [TABLE_DIR] [ORDER_COLUMN …]

#include <millrace/millrace.h>

#include <iostream>

namespace {

arrow::Status Run(const std::string& table, const std::vector<std::string>& order) {
  ARROW_ASSIGN_OR_RAISE(millrace::Session spark, millrace::Session::Builder().AppName("table-reader").GetOrCreate());
  millrace::DataFrame rows = spark.Read().Format("delta").Load(table);
  std::vector<millrace::Column> columns;
  for (const std::string& name : order) columns.emplace_back(name);
  if (!columns.empty()) rows = rows.OrderBy(columns);
  return rows.Show(1000, 0);
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> order(argv + std::min(argc, 2), argv + argc);
  if (argc < 2) order = {"partition", "offset"};
  arrow::Status status = Run(argc > 1 ? argv[1] : "/tmp/millrace/visits_table", order);
  if (!status.ok()) std::cerr << status.message() << "\n";
  return status.ok() ? 0 : 1;
}
