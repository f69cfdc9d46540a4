// Names of events that stay the same in every process, for the cursor file. This file does not use Python.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace lanner {

// Returns a hash of the line: BLAKE2b (RFC 7693) without a key, of eight bytes, as a big-endian number.
std::uint64_t stable_hash(std::string_view line);

// Returns `TIME-HASH`, the hash as 16 hexadecimal digits.
std::string event_id(std::uint64_t time, std::string_view line);

}  // namespace lanner
