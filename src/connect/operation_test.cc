#include "connect/operation.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/error.h"
#include "spark/connect/base.pb.h"

namespace millrace::connect {
namespace {

using spark::connect::ExecutePlanResponse;

/// Takes `limit` responses, then its connection breaks.
class Reader final : public ResponseStream {
 public:
  explicit Reader(size_t limit = 1000000) : limit_(limit) {}
  bool Write(const ExecutePlanResponse& response) override {
    if (seen.size() == limit_) return false;
    seen.push_back(response);
    return true;
  }
  bool is_cancelled() const override { return seen.size() == limit_; }
  std::vector<ExecutePlanResponse> seen;

 private:
  size_t limit_;
};

ExecutePlanResponse Batch(int64_t number, size_t num_bytes = 10) {
  ExecutePlanResponse response;
  response.mutable_arrow_batch()->set_start_offset(number);
  response.mutable_arrow_batch()->set_data(std::string(num_bytes, 'x'));
  return response;
}

std::unique_ptr<Operation> MakeOperation(bool reattachable = true) {
  return std::make_unique<Operation>(
      OperationOptions{.id = "op", .session_id = "s", .server_side_session_id = "t", .reattachable = reattachable});
}

TEST(OperationTest, AnswersCarryIdsAndEndWithResultComplete) {
  auto operation = MakeOperation();
  ASSERT_TRUE(operation->Emit(Batch(0)).ok());
  operation->Finish(arrow::Status::OK());
  Reader reader;
  ASSERT_TRUE(operation->Send(reader, std::nullopt).ok());
  ASSERT_EQ(reader.seen.size(), 2u);
  EXPECT_EQ(reader.seen[0].operation_id(), "op");
  EXPECT_EQ(reader.seen[0].session_id(), "s");
  EXPECT_EQ(reader.seen[0].server_side_session_id(), "t");
  EXPECT_NE(reader.seen[0].response_id(), reader.seen[1].response_id());
  EXPECT_TRUE(reader.seen[1].has_result_complete());
  EXPECT_EQ(operation->state(), OperationState::kSucceeded);
}

TEST(OperationTest, WithoutReattachingNothingIsKeptAndNothingIsAdded) {
  auto operation = MakeOperation(/*reattachable=*/false);
  ASSERT_TRUE(operation->Emit(Batch(0)).ok());
  operation->Finish(arrow::Status::OK());
  Reader reader;
  ASSERT_TRUE(operation->Send(reader, std::nullopt).ok());
  EXPECT_EQ(reader.seen.size(), 1u);
  Reader late;
  EXPECT_TRUE(IsErrorCondition(operation->Send(late, std::nullopt), "INVALID_CURSOR.POSITION_NOT_AVAILABLE"));
}

TEST(OperationTest, AReaderGoesOnAfterWhatItHas) {
  auto operation = MakeOperation();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(operation->Emit(Batch(i)).ok());
  operation->Finish(arrow::Status::OK());
  Reader first(2);
  ASSERT_TRUE(operation->Send(first, std::nullopt).ok());
  Reader second;
  ASSERT_TRUE(operation->Send(second, first.seen[1].response_id()).ok());
  ASSERT_EQ(second.seen.size(), 4u);
  EXPECT_EQ(second.seen[0].arrow_batch().start_offset(), 2);
  ASSERT_TRUE(operation->ReleaseUntil(first.seen[1].response_id()).ok());
  Reader third;
  EXPECT_TRUE(IsErrorCondition(operation->Send(third, std::nullopt), "INVALID_CURSOR.POSITION_NOT_AVAILABLE"));
  EXPECT_TRUE(IsErrorCondition(operation->Send(third, "unknown"), "INVALID_CURSOR.POSITION_NOT_FOUND"));
}

// What PySpark does in an awaitTermination of more than two minutes: it releases each report of progress as it comes.
TEST(OperationTest, AReaderThatHasReleasedAllItHasGoesOn) {
  auto operation = MakeOperation();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(operation->Emit(Batch(i)).ok());
  Reader first(3);
  ASSERT_TRUE(operation->Send(first, std::nullopt).ok());
  std::string last_id = first.seen[2].response_id();
  ASSERT_TRUE(operation->ReleaseUntil(last_id).ok());
  ASSERT_TRUE(operation->ReleaseUntil(last_id).ok());
  ASSERT_TRUE(operation->Emit(Batch(3)).ok());
  operation->Finish(arrow::Status::OK());
  Reader second;
  ASSERT_TRUE(operation->Send(second, last_id).ok());
  ASSERT_EQ(second.seen.size(), 2u);
  EXPECT_EQ(second.seen[0].arrow_batch().start_offset(), 3);
}

TEST(OperationTest, AnExecutionWaitsForAReaderThatIsFarBehind) {
  auto operation = MakeOperation();
  constexpr int kBatches = 100;
  std::thread execution([&] {
    for (int i = 0; i < kBatches; ++i) ASSERT_TRUE(operation->Emit(Batch(i, 2 << 20)).ok());
    operation->Finish(arrow::Status::OK());
  });
  Reader reader;
  ASSERT_TRUE(operation->Send(reader, std::nullopt).ok());
  execution.join();
  EXPECT_EQ(reader.seen.size(), kBatches + 1u);
}

TEST(OperationTest, AnInterruptEndsTheExecutionWhateverItFailsWith) {
  auto operation = MakeOperation();
  EXPECT_TRUE(operation->Interrupt());
  EXPECT_EQ(operation->state(), OperationState::kTerminating);
  EXPECT_TRUE(IsErrorCondition(operation->Emit(Batch(0)), "OPERATION_CANCELED"));
  operation->Finish(arrow::Status::IOError("the socket was closed"));
  Reader reader;
  EXPECT_TRUE(IsErrorCondition(operation->Send(reader, std::nullopt), "OPERATION_CANCELED"));
  EXPECT_EQ(operation->state(), OperationState::kCancelled);
  EXPECT_FALSE(operation->Interrupt());
}

/// Says when it has read something.
class SignallingReader final : public ResponseStream {
 public:
  bool Write(const ExecutePlanResponse&) override {
    has_read = true;
    return true;
  }
  bool is_cancelled() const override { return false; }
  std::atomic<bool> has_read{false};
};

TEST(OperationTest, ASecondReaderEndsTheFirst) {
  auto operation = MakeOperation();
  ASSERT_TRUE(operation->Emit(Batch(0)).ok());
  SignallingReader first;
  SignallingReader second;
  arrow::Status first_end;
  arrow::Status second_end;
  std::thread first_thread([&] { first_end = operation->Send(first, std::nullopt); });
  while (!first.has_read) std::this_thread::yield();
  std::thread second_thread([&] { second_end = operation->Send(second, std::nullopt); });
  first_thread.join();
  while (!second.has_read) std::this_thread::yield();
  operation->Finish(arrow::Status::OK());
  second_thread.join();
  EXPECT_TRUE(IsErrorCondition(first_end, "INVALID_CURSOR.DISCONNECTED"));
  EXPECT_TRUE(second_end.ok());
}

}  // namespace
}  // namespace millrace::connect
