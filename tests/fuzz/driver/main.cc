// Runs a fuzz target without libFuzzer, so that the same target is also a test under g++:
// every file of the corpus folder, then seeded mutations of them. A crash or a sanitizer report is the failure; the
// input that led to it is printed, escaped, so that it can be added to the corpus with printf.
//
//   fuzz_x CORPUS_DIR [ROUNDS] [SEED]

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

using Input = std::vector<uint8_t>;

std::vector<Input> ReadCorpus(const std::filesystem::path& folder) {
  std::vector<Input> corpus;
  if (std::filesystem::is_directory(folder)) {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      std::ifstream file(entry.path(), std::ios::binary);
      corpus.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    }
  }
  corpus.emplace_back();
  return corpus;
}

Input Mutate(const std::vector<Input>& corpus, std::mt19937_64& random) {
  Input input = corpus[random() % corpus.size()];
  for (uint64_t edits = 1 + random() % 8; edits > 0; --edits) {
    const size_t at = input.empty() ? 0 : random() % input.size();
    switch (random() % 5) {
      case 0:  // flip a bit
        if (!input.empty()) input[at] ^= static_cast<uint8_t>(1u << (random() % 8));
        break;
      case 1:  // insert a byte
        input.insert(input.begin() + static_cast<ptrdiff_t>(at), static_cast<uint8_t>(random()));
        break;
      case 2:  // cut the tail
        input.resize(at);
        break;
      case 3: {  // an edge value, as lengths and offsets are often attacked
        static constexpr uint8_t kEdges[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
        if (!input.empty()) input[at] = kEdges[random() % std::size(kEdges)];
        break;
      }
      default: {  // splice in a part of another input
        const Input& other = corpus[random() % corpus.size()];
        const size_t from = other.empty() ? 0 : random() % other.size();
        input.insert(input.begin() + static_cast<ptrdiff_t>(at), other.begin() + static_cast<ptrdiff_t>(from),
                     other.end());
        break;
      }
    }
  }
  return input;
}

// What a signal handler can still reach.
const Input* current_input = nullptr;

void PrintInput(int signal) {
  std::fprintf(stderr, "input of %zu bytes: '", current_input->size());
  for (uint8_t byte : *current_input) {
    if (byte >= 32 && byte < 127 && byte != '\\' && byte != '\'') {
      std::fputc(byte, stderr);
    } else {
      std::fprintf(stderr, "\\%03o", byte);
    }
  }
  std::fputs("'\n", stderr);
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void Run(const Input& input) {
  current_input = &input;
  LLVMFuzzerTestOneInput(input.data(), input.size());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s CORPUS_DIR [ROUNDS] [SEED]\n", argv[0]);
    return 2;
  }
  const uint64_t rounds = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 20000;
  const uint64_t seed = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 1;
  std::printf("%s: %llu rounds, seed %llu\n", argv[0], static_cast<unsigned long long>(rounds),
              static_cast<unsigned long long>(seed));
  std::fflush(stdout);
  for (int signal : {SIGABRT, SIGSEGV, SIGFPE, SIGILL}) std::signal(signal, PrintInput);
  const std::vector<Input> corpus = ReadCorpus(argv[1]);
  for (const Input& input : corpus) {
    Run(input);
  }
  std::mt19937_64 random(seed);
  for (uint64_t round = 0; round < rounds; ++round) {
    Run(Mutate(corpus, random));
  }
  return 0;
}
