// Events of an engine: times, hashes and additions are those of a simple form, and what is added to an object leaves it one.
//
// The input is a line, or several with the times that they tell, which a window takes.
#include <algorithm>
#include <cstring>
#include <deque>
#include <memory>

#include "fuzz.hpp"
#include "stream/events.hpp"
#include "stream/fingerprint.hpp"
#include "stream/window.hpp"

namespace {

constexpr std::uint64_t prime = (std::uint64_t{1} << 61) - 1;

__extension__ using Wide = unsigned __int128;

lanner::Fingerprint::Secret make_secret() {
  lanner::Fingerprint::Secret secret;
  std::uint64_t number = 0x0123'4567'89AB'CDEF;
  for (auto& word : secret) word = number = number * 0xDEAD'BEEF'CAFE'F00D + 1;
  return secret;
}

const auto secret = make_secret();

std::uint64_t word_at(std::string_view text, std::size_t at) {
  std::uint64_t word = 0;
  for (std::size_t place = 0; place < 8; ++place) word |= std::uint64_t{static_cast<unsigned char>(text[at + place])} << 8 * place;
  return word;
}

// The polynomial of the blocks' sums, each in three parts, after one more than the length.
std::uint64_t simple_hash(std::string_view line) {
  const Wide base = secret.back() % (prime - 2) + 2;
  Wide value = line.size() + 1;
  std::string padded(line);
  if (padded.size() < 16) padded.resize(16);
  for (std::size_t begin = 0; begin < padded.size(); begin += 128) {
    const auto end = std::min(begin + 128, padded.size());
    Wide sum = 0;
    for (std::size_t at = begin, key = 0; at < end; at += 16, key += 2) {
      const auto from = std::min(at, end - 16);
      sum += Wide{word_at(padded, from) + secret[key]} * (word_at(padded, from + 8) + secret[key + 1]);
    }
    for (const int shift : {86, 43, 0}) value = (value * base + (sum >> shift) % (Wide{1} << 43)) % prime;
  }
  return static_cast<std::uint64_t>(value);
}

bool contains(std::string_view line, const char* word) { return line.find(word) != std::string_view::npos; }

void try_line(std::string_view line) {
  const lanner::Fingerprint fingerprint(secret);
  REQUIRE(fingerprint(line) == simple_hash(line));
  const bool may_start = (contains(line, "\"start\"") || contains(line, "\"create\"")) && contains(line, "\"container\"");
  REQUIRE(lanner::may_start_container(line) == may_start);
  const lanner::Places places;
  lanner::Document document(places);
  const bool was_object = document.load(line) && document.tape()->is_object(lanner::Tape::document);
  for (const char* name : {"", "\"host\":\"a\""}) {
    lanner::Finisher finisher(name);
    lanner::StreamEvent event;
    event.line = event.head = line;
    const bool forged = finisher.finish(event);
    REQUIRE(!forged || !*name);
    REQUIRE(event.text().size() == event.size());
    if (event.tail) {
      REQUIRE(document.load(event.text()) == was_object);
    } else {
      REQUIRE(event.text() == line);
    }
    finisher.describe(event, "{}");
    if (was_object) REQUIRE(document.load(event.text()));
  }
}

// A window of few keys, which collide.
void try_window(std::string_view input) {
  lanner::EventWindow window;
  std::deque<lanner::EventKey> order;
  std::uint64_t time = 1'780'000'000'000'000'000;
  for (const char c : input) {
    const std::uint64_t byte = static_cast<unsigned char>(c);
    for (int round = 0; round < 64; ++round) {
      time += byte % 16 * 1'000'000 - (byte == 255 && !round ? 10'000'000'000 : 0);
      const lanner::EventKey key{time, byte >> 4};
      const bool is_new = std::find(order.begin(), order.end(), key) == order.end();
      if (byte % 4 == 0) REQUIRE(window.contains(key) != is_new);  // not always: it updates the window's table
      REQUIRE(window.add(key) == is_new);
      if (is_new) order.push_back(key);
    }
    window.forget();
    while (order.size() > 1024 && (order.size() > 16'384 || order.front().time + 2'000'000'000 < order.back().time)) order.pop_front();
    REQUIRE(window.size() == order.size());
    REQUIRE(window.last() == (order.empty() ? 0 : order.back().time));
    if (byte % 8 == 0 && !order.empty()) REQUIRE(window.contains(order.front()));
  }
}

}  // namespace

std::vector<std::string> seeds() {
  return {
      "{\"Type\":\"container\",\"Action\":\"start\",\"Actor\":{\"ID\":\"4f2d\"},\"time\":1780000000,\"timeNano\":1780000000000000000}",
      "{\"status\":\"create\",\"Type\":\"container\",\"timeNano\": 17}  \r",
      "{\"lanner\":{\"gap\":1},\"timeNano\":99999999999999999999}",
      "{\"l\\u0061nner\":{\"gap\":{}}}",
      "  { }",
      std::string(40, '\x1f') + "\xff" + std::string(8, '\x01'),
  };
}

std::vector<std::string> words() {
  return {"\"lanner\"",
          "\\u00",
          "{",
          "}",
          ",",
          "\"timeNano\":",
          ",\"timeNano\":1780000000000000000}",
          "\"start\"",
          "\"create\"",
          "\"container\"",
          std::string(70, 'x'),
          " \t",
          "0",
          "\"",
          "{\"a\":1}"};
}

void try_input(std::string_view input) {
  // in separate memory, so that a read beyond its end is seen
  const auto memory = std::make_unique<char[]>(input.size());
  std::memcpy(memory.get(), input.data(), input.size());
  const std::string_view line(memory.get(), input.size());
  const auto time = lanner::time_of(line), last = lanner::last_time_of(line);
  if (time) REQUIRE(contains(line, std::to_string(*time).c_str()) && contains(line, "\"timeNano\":"));
  const auto end = time ? "\"timeNano\":" + std::to_string(*time) + "}" : std::string();
  const bool is_last = time && *time >= 1'000'000'000'000'000'000 && (line.ends_with("," + end) || line.ends_with("{" + end));
  REQUIRE(last == (is_last ? time : std::nullopt));
  try_line(line);
  if (input.size() < 48) try_window(input);
}
