// Lines and chunks do not depend on how the bytes were cut.
//
// The first byte of an input is the longest line, the second says how to cut, the rest is the stream.
#include <algorithm>
#include <cstring>
#include <memory>
#include <random>

#include "framing/chunked.hpp"
#include "framing/lines.hpp"
#include "framing/objects.hpp"
#include "fuzz.hpp"

namespace {

// Calls take(part) for the parts, each in separate memory so that a read beyond its end is seen.
template <typename Take>
void cut(std::string_view data, unsigned seed, Take&& take) {
  std::minstd_rand random(seed);
  while (!data.empty()) {
    const std::size_t most = random() % 4 ? 7 : 300;
    const std::size_t size = seed ? std::min<std::size_t>(data.size(), 1 + random() % most) : data.size();
    const auto part = std::make_unique<char[]>(size);
    std::memcpy(part.get(), data.data(), size);
    take(std::string_view(part.get(), size));
    data.remove_prefix(size);
  }
}

struct Framed {
  std::vector<std::string> lines;
  std::size_t too_long = 0;
  bool operator==(const Framed&) const = default;
};

Framed framed(std::string_view data, std::size_t longest, unsigned seed) {
  Framed result;
  lanner::LineFramer framer(longest);
  const auto keep = [&](const lanner::LineList& list) {
    for (std::size_t i = 0; i < list.size(); ++i) result.lines.emplace_back(list.at(i));
  };
  cut(data, seed, [&](std::string_view part) {
    lanner::LineList list;
    framer.feed(part, list);
    keep(list);
  });
  lanner::LineList list;
  framer.end(list);
  keep(list);
  REQUIRE(!framer.is_within_line());
  result.too_long = framer.too_long();
  return result;
}

// Objects of any bytes: no payload is empty, none is longer than it may be but for what is kept of a long one.
void try_objects(std::string_view data, std::size_t longest, unsigned seed, bool multiline) {
  lanner::KeptMember kept;
  kept.add({"a"});
  kept.add({"b", "c"});
  lanner::ObjectFramer framer(longest, kept, multiline);
  const auto check = [&](const lanner::LineList& list) {
    for (std::size_t i = 0; i < list.size(); ++i) {
      const bool is_cut = std::any_of(list.cut().begin(), list.cut().end(), [&](const auto& each) { return each.first == i; });
      REQUIRE(!list.at(i).empty());
      REQUIRE(is_cut || list.at(i).size() <= longest);
    }
  };
  cut(data, seed, [&](std::string_view part) {
    lanner::LineList list;
    framer.feed(part, list);
    check(list);
  });
  lanner::LineList list;
  framer.end(list);
  check(list);
  REQUIRE(!framer.is_within());
}

Framed simply_framed(std::string_view data, std::size_t longest) {
  Framed result;
  for (std::size_t at = 0; at <= data.size();) {
    const auto end = std::min(data.find('\n', at), data.size());
    if (end - at > longest) {
      ++result.too_long;
    } else if (end > at) {
      result.lines.emplace_back(data.substr(at, end - at));
    }
    at = end + 1;
  }
  return result;
}

struct Decoded {
  std::string body, error;
  bool ended = false;
  bool operator==(const Decoded&) const = default;
};

Decoded decoded(std::string_view data, unsigned seed) {
  Decoded result;
  lanner::Decoder decoder;
  cut(data, seed, [&](std::string_view part) {
    const auto out = std::make_unique<char[]>(part.size());
    const auto size = decoder.feed(part, out.get());
    REQUIRE(size <= part.size());
    result.body.append(out.get(), size);
  });
  result.ended = decoder.ended;
  result.error = decoder.error;
  return result;
}

}  // namespace

std::vector<std::string> seeds() {
  const std::string head = "\x20\x01";
  return {
      head + "{\"a\":1}\n\n{\"b\":2}\r\ntail",
      head + "\n\n" + std::string(40, 'x') + "\nshort\n",
      head + "5\r\nhello\r\n0\r\n\r\n",
      head + "5;name=value\r\nhello\r\n  A \r\n0123456789\r\n0\r\nTrailer: x\r\n\r\nmore",
      head + "ffffffffffffffff\r\n",
      head + "3\r\nabcd\r\n",
      head + std::string(4100, '0') + "\r\n",
      head + "{\"a\":1}{\"b\":{\"c\":\"\\u00e9\"}},[{\"a\":\"" + std::string(40, '}') + "\"}]\n{\"a\":",
  };
}

std::vector<std::string> words() {
  return {"\n", "\r\n", "\n\n", "0\r\n\r\n", "1\r\n", ";",  " \t", "ffffffffffffff", "A\n",          std::string(33, 'y'),
          "{",  "}",    "[",    "]",         "\"",    "\\", ",",   "{\"a\":1}",      "\"b\":{\"c\":"};
}

void try_input(std::string_view input) {
  if (input.size() < 2) return;
  const auto longest = 1 + static_cast<std::size_t>(static_cast<unsigned char>(input[0]));
  const auto seed = 1u + static_cast<unsigned char>(input[1]);
  const auto data = input.substr(2);
  const auto expected = simply_framed(data, longest);
  REQUIRE(framed(data, longest, 0) == expected);
  REQUIRE(framed(data, longest, seed) == expected);
  REQUIRE(decoded(data, 0) == decoded(data, seed));
  for (const bool multiline : {false, true}) {
    try_objects(data, longest, 0, multiline);
    try_objects(data, longest, seed, multiline);
  }
}
