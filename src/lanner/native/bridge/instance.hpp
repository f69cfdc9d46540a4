// An open event source, and the memory of the host's current batch.
#pragma once

#include "bridge/python.hpp"

#include <vector>

#include "bridge/bridge.h"
#include "bridge/state.hpp"
#include "stream/host_reader.hpp"

struct lanner_instance {
 public:
  // Opens the plugin's source. Raises PythonError.
  lanner_instance(lanner_state& state, const char* params);
  ~lanner_instance();  // closes it; with the GIL

  int next_batch(std::uint32_t& count, void*& events);
  double progress(const char*& text);

  lanner_state& state;

 private:
  void add(std::string_view payload, std::uint64_t timestamp);
  void take_batch(PyObject* payloads, PyObject* timestamps);
  void take_batch(const std::vector<lanner::StreamEvent>& events);
  int read(std::uint32_t& count, void*& events);
  int call_source(PyObject* timeout, std::uint32_t& count, void*& events);
  int give(std::uint32_t& count, void*& events);
  void* finish();
  int descriptor();

  lanner::Ref source_;  // lanner.sdk.hosting.event_source.Source
  lanner::Ref next_;    // its next_batch
  lanner::Ref wait_;    // seconds that it may wait
  lanner::Ref no_wait_;
  lanner::Ref fileno_;                    // its fileno, or nothing
  lanner::Ref host_reader_;               // its lanner.native.HostReader, or nothing
  lanner::HostReader* direct_ = nullptr;  // the reader in it
  int wait_ms_ = 0;
  int descriptor_ = -1;  // readable when the next call need not wait; -1 if only Python can wait
  bool ended_ = false;
  bool commits_ = false;      // the source needs to know which events the host has processed ...
  bool uncommitted_ = false;  // ... and does not know about the last events yet
  std::uint64_t number_ = 0;
  std::vector<char> memory_;  // the events, each with space for API 3's header before its payload
  std::size_t used_ = 0;
  struct Place {
    std::size_t begin;
    std::uint32_t size;
    std::uint64_t timestamp;
  };
  std::vector<Place> places_;
  std::vector<void*> pointers_;
  std::vector<lanner_struct_event> structs_;
  std::string progress_text_;
};
