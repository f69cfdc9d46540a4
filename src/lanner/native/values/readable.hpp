// Payloads with strings that are not Unicode, made readable for a JSON parser. No Python here.
//
// A byte that is not UTF-8 becomes a character that stands for it, and again a byte in the parsed document. Half of a surrogate pair,
// written as an escape, stays as the six characters of that escape.
#pragma once

#include <string_view>
#include <vector>

namespace simdjson::dom {
class document;
}

namespace lanner {

// A payload without such strings, with SIMDJSON_PADDING bytes after it. At most four times as long.
std::vector<char> make_readable(std::string_view payload);

// Changes the strings and names of a document that was parsed from the result: the bytes are again those of the payload.
void restore_bytes(simdjson::dom::document& document);

}  // namespace lanner
