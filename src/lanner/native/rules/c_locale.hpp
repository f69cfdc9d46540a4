// Sets the C locale for its thread during its lifetime. No Python here.
//
// Falco never calls setlocale, so its matchers work on bytes: `?` is one byte, and only A to Z have a lower case. Python does call it.
#pragma once

#include <locale.h>

namespace lanner {

class CLocale {
 public:
  CLocale() : before_(uselocale(c())) {}
  ~CLocale() { uselocale(before_); }
  CLocale(const CLocale&) = delete;
  CLocale& operator=(const CLocale&) = delete;

 private:
  static locale_t c() {
    static const locale_t locale = newlocale(LC_ALL_MASK, "C", nullptr);
    return locale;
  }

  const locale_t before_;
};

}  // namespace lanner
