// Prints the two tables of the sidecar pipeline.
//
//   sidecar_tables_reader [DIR]

#include <millrace/millrace.h>

#include <iostream>

namespace {

arrow::Status Run(const std::string& directory) {
  ARROW_ASSIGN_OR_RAISE(millrace::Session spark, millrace::Session::Builder().AppName("tables-reader").GetOrCreate());
  std::cout << "Visits enriched" << std::endl;
  ARROW_RETURN_NOT_OK(spark.Read().Format("delta").Load(directory + "/visits_enriched_raw").Show(5, 0));
  std::cout << "Devices stats" << std::endl;
  return spark.Read().Format("delta").Load(directory + "/devices_stats2").Show(5, 0);
}

}  // namespace

int main(int argc, char** argv) {
  arrow::Status status = Run(argc > 1 ? argv[1] : "/tmp/millrace/sidecar");
  if (!status.ok()) std::cerr << status.message() << "\n";
  return status.ok() ? 0 : 1;
}
