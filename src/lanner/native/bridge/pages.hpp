// Pages of code that a start has read.
#pragma once

#include <cstddef>

namespace lanner {

// The number of libraries in the process, in the order in which they were loaded.
std::size_t count_libraries() noexcept;

// Unmaps the code and constants of the libraries from number `begin` up to `end`: a start reads most of them, a running plugin needs a
// part. They stay in the kernel's cache of files, where other processes share them, and are mapped again when they are next used. So
// other processes gain memory only if it is scarce; the pages just no longer count as those of this process.
void rest_code(std::size_t begin, std::size_t end) noexcept;

}  // namespace lanner
