// A small coverage-guided fuzzer for compilers without libFuzzer:  fuzz_NAME --runs N [--seed S] | fuzz_NAME FILE...
// The same seed and number of runs make the same inputs. An input that fails is written to ./failed-input; given as FILE it runs again.
#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstring>
#include <fstream>
#include <iterator>
#include <random>

#include <sanitizer/common_interface_defs.h>

#include "fuzz.hpp"

namespace {

constexpr std::size_t largest_input = 4096;

std::string current;
// A target may have threads.
std::array<std::atomic<bool>, 1 << 16> steps;  // from one place in the code to the next: those that were taken
std::atomic<std::size_t> reached;              // how many
thread_local std::uintptr_t last_place;

void keep_current() {
  std::ofstream("failed-input", std::ios::binary) << current;
  std::fprintf(stderr, "the input is in failed-input (%zu bytes)\n", current.size());
}

void on_abort(int) {
  keep_current();
  std::_Exit(1);
}

// Whether the code went a new way.
bool try_one(std::string input) {
  current = std::move(input);
  const auto before = reached.load();
  last_place = 0;
  try_input(current);
  return reached != before;
}

class Mutator {
 public:
  explicit Mutator(std::uint64_t seed) : random_(seed), words_(words()) {}

  std::size_t below(std::size_t end) { return std::uniform_int_distribution<std::size_t>(0, end - 1)(random_); }

  std::string mutated(const std::vector<std::string>& corpus) {
    std::string text = corpus[below(corpus.size())];
    for (std::size_t times = 1 + below(4); times; --times) change(text, corpus);
    if (text.size() > largest_input) text.resize(largest_input);
    return text;
  }

 private:
  void change(std::string& text, const std::vector<std::string>& corpus) {
    const std::size_t at = below(text.size() + 1);
    const std::size_t size = at == text.size() ? 0 : 1 + below(std::min<std::size_t>(text.size() - at, 16));
    switch (below(7)) {
      case 0:
        if (size) text[at] = static_cast<char>(below(256));
        break;
      case 1:
        if (size) text[at] = static_cast<char>(text[at] ^ (1 << below(8)));
        break;
      case 2:
        text.erase(at, size);
        break;
      case 3:
        text.insert(at, text.substr(at, size));
        break;
      case 4:
        text.insert(at, words_[below(words_.size())]);
        break;
      case 5:
        text.replace(at, size, words_[below(words_.size())]);
        break;
      default: {
        // the beginning of one and the end of another
        const std::string& other = corpus[below(corpus.size())];
        text = text.substr(0, at) + other.substr(below(other.size() + 1));
      }
    }
  }

  std::mt19937_64 random_;
  const std::vector<std::string> words_;
};

}  // namespace

// The compiler puts a call of it into each branch of what is fuzzed.
extern "C" void __sanitizer_cov_trace_pc() {
  // where in the file it is: where that lies in memory is another place in each process
  const auto place = reinterpret_cast<std::uintptr_t>(__builtin_return_address(0)) - reinterpret_cast<std::uintptr_t>(&try_input);
  auto& step = steps[(place ^ last_place) % steps.size()];
  if (!step.load(std::memory_order_relaxed) && !step.exchange(true)) ++reached;
  last_place = place >> 1;
}

int main(int count, char** arguments) {
  unsigned long long runs = 0;
  unsigned long long seed = 1;
  std::vector<std::string> files;
  for (int i = 1; i < count; ++i) {
    const std::string_view argument = arguments[i];
    if (argument == "--runs" && i + 1 < count) {
      runs = std::strtoull(arguments[++i], nullptr, 10);
    } else if (argument == "--seed" && i + 1 < count) {
      seed = std::strtoull(arguments[++i], nullptr, 10);
    } else {
      files.emplace_back(argument);
    }
  }
  std::signal(SIGABRT, on_abort);
  __sanitizer_set_death_callback(keep_current);
  for (const auto& file : files) {
    std::ifstream stream(file, std::ios::binary);
    if (!stream) return std::fprintf(stderr, "cannot read %s\n", file.c_str()), 2;
    try_one(std::string(std::istreambuf_iterator<char>(stream), {}));
  }
  std::vector<std::string> corpus = seeds();
  for (const auto& input : corpus) try_one(input);
  Mutator mutator(seed);
  for (unsigned long long run = 0; run < runs; ++run) {
    if (try_one(mutator.mutated(corpus))) corpus.push_back(current);
  }
  std::printf("%s: %llu runs, %zu steps of the code taken, %zu inputs kept: nothing found\n", arguments[0], runs, reached.load(),
              corpus.size());
  return 0;
}
