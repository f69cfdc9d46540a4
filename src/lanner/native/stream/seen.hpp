// What of one engine's events was seen: by this process, and by a run before it. This file does not use Python.
#pragma once

#include <cstdint>
#include <vector>

#include "stream/fingerprint.hpp"
#include "stream/window.hpp"

namespace lanner {

struct SeenEvents {
  explicit SeenEvents(const Fingerprint::Secret& secret) : fingerprint(secret) {}

  const Fingerprint fingerprint;
  EventWindow window;
  std::vector<std::uint64_t> given;  // the times of the keys from another run, sorted. Their hashes are not fingerprints
};

}  // namespace lanner
