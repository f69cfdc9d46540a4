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

constexpr std::uint64_t secret = 0x0123'4567'89AB'CDEF;
constexpr std::uint64_t prime = (std::uint64_t{1} << 61) - 1;

__extension__ using Wide = unsigned __int128;

// The polynomial of the words of seven bytes, from the first to the last, which has a 1 behind its last byte.
std::uint64_t simple_hash(std::string_view line) {
  const Wide base = secret % (prime - 2) + 2;
  Wide value = 1;
  while (true) {
    const auto size = std::min<std::size_t>(line.size(), 7);
    Wide word = 0;
    for (std::size_t place = 0; place < size; ++place) word |= static_cast<Wide>(static_cast<unsigned char>(line[place])) << 8 * place;
    line.remove_prefix(size);
    if (line.empty()) return static_cast<std::uint64_t>((value * base + (word | Wide{1} << 8 * size)) % prime);
    value = (value * base + word) % prime;
  }
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
      REQUIRE(window.contains(key) != is_new);
      REQUIRE(window.add(key) == is_new);
      if (is_new) order.push_back(key);
    }
    window.forget();
    while (order.size() > 1024 && (order.size() > 16'384 || order.front().time + 2'000'000'000 < order.back().time)) order.pop_front();
    REQUIRE(window.size() == order.size());
    REQUIRE(window.last() == (order.empty() ? 0 : order.back().time));
    if (!order.empty()) REQUIRE(window.contains(order.front()));
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
  return {"\"lanner\"",         "\\u00", "{", "}",  ",",        "\"timeNano\":", "\"start\"", "\"create\"", "\"container\"",
          std::string(70, 'x'), " \t",   "0", "\"", "{\"a\":1}"};
}

void try_input(std::string_view input) {
  // in separate memory, so that a read beyond its end is seen
  const auto memory = std::make_unique<char[]>(input.size());
  std::memcpy(memory.get(), input.data(), input.size());
  const std::string_view line(memory.get(), input.size());
  if (const auto time = lanner::time_of(line)) REQUIRE(contains(line, std::to_string(*time).c_str()) && contains(line, "\"timeNano\":"));
  try_line(line);
  if (input.size() < 48) try_window(input);
}
