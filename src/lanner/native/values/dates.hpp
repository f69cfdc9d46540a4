// Points in time and durations as strings: the native form of lanner.sdk.payload.dates. No Python here.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace lanner {

enum class DateForm { units, rfc3339, iso8601, rfc2822, http, clf };

// The form with this name; none for a unit and for an unknown name
std::optional<DateForm> date_form_of(std::string_view name);

// Nanoseconds of a string of decimal digits, perhaps with a fraction, that counts a unit of `factor` nanoseconds. None if they exceed 64 bits.
std::optional<std::uint64_t> count_of(std::string_view text, std::uint64_t factor);

// Nanoseconds since 1970 of a string of that form. None if they are negative or exceed 64 bits.
std::optional<std::uint64_t> time_of(std::string_view text, DateForm form);

}  // namespace lanner
