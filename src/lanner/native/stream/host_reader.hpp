// The host's thread reads connections itself, without Python and without another thread. This file does not use Python.
//
// A connection belongs to the thread of its reader, which lends it while it has nothing else to do with it. The host's thread waits for the
// queue and for all lent connections at once, and takes their events directly. It returns a connection when something happens that
// only the reader can decide: the end of the stream, an event that needs more than a copy. While the host is not waiting, the reader watches
// the socket, because engines drop the events of slow listeners.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "framing/chunked.hpp"
#include "framing/lines.hpp"
#include "framing/objects.hpp"
#include "stream/commits.hpp"
#include "stream/events.hpp"
#include "stream/seen.hpp"

namespace lanner {

// An owned file descriptor.
class Descriptor {
 public:
  // Throws std::system_error for -1, the result of a failed system call.
  explicit Descriptor(int owned);
  ~Descriptor();
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return descriptor_; }

 private:
  const int descriptor_;
};

// A connection that can be lent, with the parts of its reader that its bytes pass through. A reader that lends it does not use them.
struct Loan {
  Loan();

  int socket = -1;
  Decoder* chunks = nullptr;  // null if the bytes are the body itself
  ObjectFramer* framer = nullptr;
  SeenEvents* seen = nullptr;
  Finisher* finisher = nullptr;
  std::size_t engine = 0;
  bool inspects = false;  // the reader adds what the engine knows about a container that is started

  // What the host did with it in the last loan, for the reader.
  using Clock = std::chrono::steady_clock;
  std::size_t taken = 0;                 // events
  std::size_t repeated = 0;              // events that had been seen before
  Clock::time_point heard{};             // when bytes came last; the epoch of the clock: none came
  Clock::time_point unfinished_since{};  // since then an incomplete event has brought no complete one; the epoch: there is none
  LineList returned;                     // events that the reader must process
  int error = 0;                         // of the system

  const Descriptor wake;  // an eventfd, readable when the host has returned the connection
};

class HostReader {
 public:
  enum class Found { nothing, queue, loan, events };

  // `queue`: a descriptor that is readable while the queue has events. `commits`: the host's progress is stored. Throws std::system_error.
  HostReader(int queue, bool commits);

  // For the thread of the host, which is present from the first call of `wait` on until it leaves.

  // Waits for events of the queue, which come first, and of lent connections. With `reads` it takes those: see `events`.
  Found wait(int milliseconds, bool reads);
  // The events of the last `wait`, until the next one.
  const std::vector<StreamEvent>& events() const { return events_; }
  // The host has processed the events of the last `wait`. Call it before the next one.
  Commits::News commit() { return commits_ ? committed.add(engine_, events_) : Commits::News::none; }
  void leave();

  // For the thread of a reader: lends a connection until the host returns it, `closing` is readable, the time is over, or bytes
  // have come between two calls of the host. Throws std::system_error.
  void lend(Loan& loan, int closing, std::chrono::milliseconds time);

  Commits committed;

 private:
  using Loans = std::unordered_map<std::uint64_t, Loan*>;

  void enter();
  void set_timer(std::chrono::nanoseconds time) const;
  void read(std::uint64_t number);
  bool take(Loan& loan, std::string_view bytes);
  bool frame_chunks(Loan& loan, std::string_view bytes);
  bool prepare(Loan& loan);
  void finish(Loans::iterator lent);
  void wait_for_end(const Loan& loan, int closing, int ends, Loan::Clock::time_point deadline) const;

  const int queue_;
  const bool commits_;
  const Descriptor epoll_;
  const Descriptor timer_;  // fires when the host has been away for some milliseconds
  const unsigned forks_;    // the processes between the first one and this one
  std::atomic<bool> is_present_ = false;
  std::atomic<std::uint64_t> visits_ = 0;  // of the host

  std::mutex mutex_;  // of the connections that are lent, and their loans
  Loans loans_;
  std::uint64_t last_number_ = 0;

  // Of the host's thread
  Loan::Clock::time_point left_at_{}, set_at_{};  // the host, the timer; the epoch: it is not set
  bool is_frequent_ = false;                      // the host has called again before the timer could fire
  const std::unique_ptr<char[]> received_, body_;
  LineList lines_;
  std::vector<StreamEvent> events_;
  std::vector<EventKey> keys_;
  std::size_t new_ = 0;  // of the events, those that are in the window since this read
  std::size_t engine_ = 0;
};

}  // namespace lanner
