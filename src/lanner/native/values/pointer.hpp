// JSON pointers, as Falco's json plugin answers them. No Python here; lanner.sdk.payload.pointer is the reference.
//
// That plugin reads more than JSON: numbers such as NaN and 1.2.3, any bytes in strings. It reads less, too: at most 300 levels, and only
// payloads that begin with a bracket. Of equal names the first counts.
#pragma once

#include <optional>
#include <string_view>

#include "values/arena.hpp"

namespace lanner {

// Whether that plugin can read the payload.
bool has_pointers(std::string_view payload);

// The value at a pointer (RFC 6901, with or without its leading slash) in such a payload: a string, or other values as they are written
// without blanks. Up to its first NUL. The text is in the payload or in the arena.
std::optional<std::string_view> at_pointer(std::string_view payload, std::string_view pointer, Arena& arena);

}  // namespace lanner
