// Writes the reference table of the sidecar pipeline: devices, from a JSON file into a Delta table.
//
//   devices_table_creator [JSON_DIR] [TABLE_DIR]

#include <millrace/millrace.h>

#include <iostream>

namespace {

arrow::Status Run(const std::string& input, const std::string& table) {
  ARROW_ASSIGN_OR_RAISE(millrace::Session spark,
                        millrace::Session::Builder().AppName("devices-table-creator").GetOrCreate());
  return spark.Read()
      .Format("json")
      .Schema("type STRING, full_name STRING, version STRING")
      .Load(input)
      .Write()
      .Format("delta")
      .Mode("overwrite")
      .Save(table);
}

}  // namespace

int main(int argc, char** argv) {
  arrow::Status status =
      Run(argc > 1 ? argv[1] : "/tmp/millrace/sidecar/input", argc > 2 ? argv[2] : "/tmp/millrace/sidecar/devices");
  if (!status.ok()) std::cerr << status.message() << "\n";
  return status.ok() ? 0 : 1;
}
