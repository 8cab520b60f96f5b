#include "format/file_format.h"

#include <arrow/builder.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "format/json/json_decoder.h"
#include "types/arrow_type.h"

namespace millrace::format {
namespace {

class FileFormatTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    directory_ =
        std::filesystem::temp_directory_path() / ("millrace_format_" + std::to_string(getpid()) + "_" + GetParam());
    std::filesystem::create_directories(directory_);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string Path(const std::string& name) const { return (directory_ / name).string(); }

  std::filesystem::path directory_;
};

std::shared_ptr<arrow::RecordBatch> Rows(const types::DataTypePtr& schema, const std::vector<std::string>& records) {
  arrow::StringBuilder builder;
  EXPECT_TRUE(builder.AppendValues(records).ok());
  auto decoder = *JsonDecoder::Make({.schema = schema}, arrow::default_memory_pool());
  auto decoded = *decoder->Decode(**builder.Finish());
  const auto& rows = static_cast<const arrow::StructArray&>(*decoded.values);
  return arrow::RecordBatch::Make(types::ToArrowSchema(*schema), rows.length(), rows.fields());
}

std::shared_ptr<arrow::RecordBatch> ReadOne(const FileFormat& format, const FileReadRequest& request) {
  auto reader = format.open_reader(request);
  EXPECT_TRUE(reader.ok()) << reader.status().ToString();
  auto batch = (*reader)->Next();
  EXPECT_TRUE(batch.ok()) << batch.status().ToString();
  auto end = (*reader)->Next();
  EXPECT_TRUE(end.ok() && *end == nullptr);
  return *batch;
}

TEST_P(FileFormatTest, WritesWhatItReads) {
  const FileFormat* format = FindFileFormat(GetParam());
  ASSERT_NE(format, nullptr);
  std::string columns = "id BIGINT, name STRING, at TIMESTAMP, day DATE, price DECIMAL(10,2), ok BOOLEAN, ratio DOUBLE";
  if (GetParam() != "csv") columns += ", tags ARRAY<STRING>, who STRUCT<id: INT>, m MAP<STRING, INT>";
  auto schema = *types::ParseSchemaDdl(columns);
  auto rows =
      Rows(schema, {R"({"id":1,"name":"a,\"b\"","at":"2024-01-02T03:04:05.678Z","day":"2024-01-02","price":12.50,)"
                    R"("ok":true,"ratio":0.1,"tags":["x",null],"who":{"id":5},"m":{"k":1}})",
                    R"({"id":2})"});
  std::string path = Path("rows" + *format->extension({}));
  auto writer = *format->open_writer({.path = path, .schema = schema});
  ASSERT_TRUE(writer->Write(*rows).ok());
  auto written = writer->Finish();
  ASSERT_TRUE(written.ok()) << written.status().ToString();
  EXPECT_EQ(written->num_rows, 2);
  EXPECT_EQ(written->size_bytes, static_cast<int64_t>(std::filesystem::file_size(path)));
  auto read = ReadOne(*format, {.path = path, .schema = schema, .file_schema = schema});
  ASSERT_NE(read, nullptr);
  EXPECT_TRUE(read->Equals(*rows)) << read->ToString() << rows->ToString();

  // Some columns, another order, one that the file does not have.
  auto narrow = *types::ParseSchemaDdl("price DECIMAL(10,2), id BIGINT, missing STRING");
  if (GetParam() == "csv") narrow = *types::ParseSchemaDdl("price DECIMAL(10,2), id BIGINT");
  read = ReadOne(*format, {.path = path, .schema = narrow, .file_schema = schema});
  ASSERT_NE(read, nullptr);
  EXPECT_TRUE(read->column(1)->Equals(rows->column(0)));
  EXPECT_TRUE(read->column(0)->Equals(rows->column(4)));
  if (GetParam() != "csv") {
    EXPECT_EQ(read->column(2)->null_count(), 2);
  }
}

TEST_P(FileFormatTest, InfersTheSchema) {
  const FileFormat* format = FindFileFormat(GetParam());
  auto schema = *types::ParseSchemaDdl("a BIGINT, b STRING, c DOUBLE");
  OptionMap options = {{"header", "true"}, {"inferSchema", "true"}};
  std::string path = Path("rows" + *format->extension({}));
  auto writer = *format->open_writer({.path = path, .schema = schema, .options = options});
  ASSERT_TRUE(writer->Write(*Rows(schema, {R"({"a":4294967296,"b":"x","c":1.5})"})).ok());
  ASSERT_TRUE(writer->Finish().ok());
  auto inferred = format->infer_schema({path}, options, {});
  ASSERT_TRUE(inferred.ok()) << inferred.status().ToString();
  EXPECT_EQ((*inferred)->ToDdl(), schema->ToDdl());
}

INSTANTIATE_TEST_SUITE_P(Formats, FileFormatTest, testing::Values("json", "csv", "parquet"),
                         [](const auto& test) { return test.param; });

TEST(TextFormat, CompressedLines) {
  auto directory = std::filesystem::temp_directory_path() / ("millrace_text_" + std::to_string(getpid()));
  std::filesystem::create_directories(directory);
  const FileFormat* format = FindFileFormat("TEXT");
  auto schema = *types::ParseSchemaDdl("value STRING");
  for (std::string codec : {"none", "gzip", "deflate", "bzip2", "zstd"}) {
    OptionMap options = {{"compression", codec}};
    std::string path = (directory / ("lines" + *format->extension(options))).string();
    auto rows = Rows(schema, {R"({"value":"one"})", R"({"value":""})", R"({"value":"three"})"});
    auto writer = *format->open_writer({.path = path, .schema = schema, .options = options});
    ASSERT_TRUE(writer->Write(*rows).ok());
    ASSERT_TRUE(writer->Finish().ok());
    auto read = ReadOne(*format, {.path = path, .schema = schema});
    ASSERT_NE(read, nullptr);
    EXPECT_TRUE(read->Equals(*rows)) << codec;
  }
  EXPECT_FALSE(format->extension({{"compression", "snappy"}}).ok());
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace millrace::format
