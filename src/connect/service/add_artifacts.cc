#include <cstdio>

#include "base/error.h"
#include "connect/python_client.h"
#include "connect/service/service.h"
#include "spark/connect/base.pb.h"

namespace millrace::connect {

namespace {

namespace proto = spark::connect;

struct FileCloser {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

}  // namespace

// A file that is arriving, possibly in several chunks.
struct ArtifactUpload::Staged {
  std::string name;
  std::string path;
  int64_t num_chunks = 1;
  int64_t num_bytes = 0;
  int64_t chunks_seen = 0;
  int64_t bytes_seen = 0;
  bool crc_matches = true;
  std::unique_ptr<std::FILE, FileCloser> file;

  bool complete() const { return chunks_seen == num_chunks; }

  arrow::Status Write(const proto::AddArtifactsRequest::ArtifactChunk& chunk) {
    if (complete()) {
      return arrow::Status::Invalid("Excessive data chunks for artifact: ", name, ", expected ", num_chunks,
                                    " chunks in total. Processed ", bytes_seen, " bytes out of ", num_bytes, " bytes.");
    }
    crc_matches = crc_matches && static_cast<int64_t>(Crc32(chunk.data())) == chunk.crc();
    if (std::fwrite(chunk.data().data(), 1, chunk.data().size(), file.get()) != chunk.data().size()) {
      return WorldError("Cannot write " + path);
    }
    ++chunks_seen;
    bytes_seen += static_cast<int64_t>(chunk.data().size());
    return complete() ? Close() : arrow::Status::OK();
  }

  arrow::Status Close() {
    if (!complete() || bytes_seen != num_bytes) {
      return arrow::Status::Invalid("Missing data chunks for artifact: ", name, ". Expected ", num_chunks,
                                    " chunks and received ", chunks_seen, " chunks. Processed ", bytes_seen,
                                    " bytes out of ", num_bytes, " bytes.");
    }
    std::FILE* raw = file.release();
    if (raw != nullptr && std::fclose(raw) != 0) return WorldError("Cannot write " + path);
    return arrow::Status::OK();
  }
};

ArtifactUpload::ArtifactUpload(ConnectService& service) : service_(service) {}

ArtifactUpload::~ArtifactUpload() {
  for (const auto& staged : staged_) std::remove(staged->path.c_str());
}

arrow::Result<ArtifactUpload::Staged*> ArtifactUpload::Stage(const std::string& name, int64_t num_chunks,
                                                             int64_t num_bytes) {
  auto staged = std::make_unique<Staged>();
  staged->name = name;
  staged->num_chunks = num_chunks;
  staged->num_bytes = num_bytes;
  ARROW_ASSIGN_OR_RAISE(staged->path, session_->artifacts().NewStagedPath());
  staged->file.reset(std::fopen(staged->path.c_str(), "wb"));
  if (staged->file == nullptr) return WorldError("Cannot write " + staged->path);
  staged_.push_back(std::move(staged));
  return staged_.back().get();
}

arrow::Status ArtifactUpload::Add(const proto::AddArtifactsRequest& request) {
  if (session_ == nullptr) {
    ARROW_ASSIGN_OR_RAISE(session_, SessionOf(service_, request));
  }
  switch (request.payload_case()) {
    case proto::AddArtifactsRequest::kBatch:
      for (const auto& artifact : request.batch().artifacts()) {
        auto num_bytes = static_cast<int64_t>(artifact.data().data().size());
        ARROW_ASSIGN_OR_RAISE(Staged * staged, Stage(artifact.name(), 1, num_bytes));
        ARROW_RETURN_NOT_OK(staged->Write(artifact.data()));
      }
      return arrow::Status::OK();
    case proto::AddArtifactsRequest::kBeginChunk: {
      const auto& begin = request.begin_chunk();
      ARROW_ASSIGN_OR_RAISE(Staged * staged, Stage(begin.name(), begin.num_chunks(), begin.total_bytes()));
      return staged->Write(begin.initial_chunk());
    }
    case proto::AddArtifactsRequest::kChunk:
      if (staged_.empty() || staged_.back()->complete()) return arrow::Status::Invalid("A chunk of no artifact");
      return staged_.back()->Write(request.chunk());
    default:
      return arrow::Status::NotImplemented("Unsupported data transfer request");
  }
}

arrow::Status ArtifactUpload::Finish(proto::AddArtifactsResponse* response) {
  if (session_ == nullptr) return arrow::Status::Invalid("An upload without a request");
  response->set_session_id(session_->key().session_id);
  response->set_server_side_session_id(session_->server_side_id());
  for (const auto& staged : staged_) {
    if (!staged->complete()) return staged->Close();
    auto* summary = response->add_artifacts();
    summary->set_name(staged->name);
    summary->set_is_crc_successful(staged->crc_matches);
    // A damaged file is told of, and not kept.
    if (staged->crc_matches) ARROW_RETURN_NOT_OK(session_->artifacts().Add(staged->name, staged->path));
  }
  TellPython(*session_);
  return arrow::Status::OK();
}

}  // namespace millrace::connect
