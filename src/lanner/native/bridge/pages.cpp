#include "bridge/pages.hpp"

#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>

namespace lanner {

namespace {

struct Range {
  std::size_t begin, end;
  std::size_t number = 0;
};

// Returns whether the loader has changed the code of a library (DT_TEXTREL), so that its pages are not those of the file.
bool has_changed_code(const dl_phdr_info& library) {
  for (int place = 0; place < library.dlpi_phnum; ++place) {
    const auto& segment = library.dlpi_phdr[place];
    if (segment.p_type != PT_DYNAMIC) continue;
    // NOLINTNEXTLINE(performance-no-int-to-ptr) - dl_phdr_info has addresses as numbers
    for (const auto* entry = reinterpret_cast<const ElfW(Dyn)*>(library.dlpi_addr + segment.p_vaddr); entry->d_tag != DT_NULL; ++entry) {
      if (entry->d_tag == DT_TEXTREL || (entry->d_tag == DT_FLAGS && (entry->d_un.d_val & DF_TEXTREL))) return true;
    }
  }
  return false;
}

int rest_library(dl_phdr_info* library, std::size_t, void* of) {
  auto& range = *static_cast<Range*>(of);
  const std::size_t number = range.number++;
  if (number < range.begin || number >= range.end || has_changed_code(*library)) return 0;
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  for (int place = 0; place < library->dlpi_phnum; ++place) {
    const auto& segment = library->dlpi_phdr[place];
    // nothing writes to these, so what is mapped again is the same; a page at an edge may belong to a segment with data, too
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W)) continue;
    const std::uintptr_t at = library->dlpi_addr + segment.p_vaddr;
    const std::uintptr_t begin = (at + page - 1) / page * page, end = (at + segment.p_filesz) / page * page;
    // NOLINTNEXTLINE(performance-no-int-to-ptr) - dl_phdr_info has addresses as numbers
    if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
  }
  return 0;
}

}  // namespace

std::size_t count_libraries() noexcept {
  Range none = {0, 0};
  dl_iterate_phdr(rest_library, &none);
  return none.number;
}

void rest_code(std::size_t begin, std::size_t end) noexcept {
  Range range = {begin, end};
  dl_iterate_phdr(rest_library, &range);
}

}  // namespace lanner
