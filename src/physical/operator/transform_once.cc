#include "physical/operator/transform_once.h"

#include <algorithm>
#include <filesystem>

#include "base/clock.h"
#include "base/ids.h"
#include "base/task_pool.h"
#include "state/state_stores.h"

namespace millrace::physical {

namespace {

// A folder that goes with this object.
class TemporaryFolder {
 public:
  TemporaryFolder() : path_((std::filesystem::temp_directory_path() / ("transform-" + RandomUuid())).string()) {}
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace

TransformOnce::TransformOnce(std::shared_ptr<const TransformWithState> transform)
    : Operator(transform->children(), transform->output()), transform_(std::move(transform)) {}

arrow::Status TransformOnce::Prepare(ExecutionContext& context) const {
  TemporaryFolder folder;
  state::StateStoreConf conf;
  conf.provider_class = state::kRocksDbProvider;
  conf.durability = Durability::kProcess;
  conf.local_directory = folder.path();
  state::StateStores stores(LocalFileSystem(), JoinPath(folder.path(), "state"), conf);
  state::StatefulOperatorInfo info;
  info.operator_name = std::string(transform_->short_name());
  info.num_partitions =
      std::clamp(context.pool == nullptr ? 1 : context.pool->num_threads(), 1, std::max(1, context.shuffle_partitions));
  transform_->DescribeFamilies(&info);
  ARROW_RETURN_NOT_OK(LocalFileSystem()->CreateDirectories(folder.path()));
  ARROW_RETURN_NOT_OK(stores.DeclareOperators({info}, /*batch_id=*/0));

  StreamingBatch once;
  once.timestamp_ms = SystemClock().NowMillis();
  StatefulBatch& batch = once.stateful[transform_.get()];
  for (int p = 0; p < info.num_partitions; ++p) {
    ARROW_ASSIGN_OR_RAISE(state::StateStore * store, stores.Open({0, p}, state::StateVersion(0)));
    batch.stores.push_back({store});
  }
  // Below it, and after it, this is the batch query or the micro-batch that it was.
  StreamingBatch* around = context.streaming;
  context.streaming = &once;
  arrow::Status run = transform_->Prepare(context);
  context.streaming = around;
  for (const auto& partition : batch.stores) partition[0]->Abort();
  return run;
}

}  // namespace millrace::physical
