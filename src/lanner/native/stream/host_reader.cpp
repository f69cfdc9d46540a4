#include "stream/host_reader.hpp"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <new>
#include <string>
#include <system_error>
#include <utility>

namespace lanner {
namespace {

constexpr std::size_t read_size = std::size_t{128} * 1024;
constexpr std::size_t largest_line = std::size_t{16} * 1024;  // larger ones are rare, and the host would copy them for its commit
// Engines drop the events of a listener that does not read for 100 ms.
constexpr std::chrono::milliseconds longest_absence(20), least_absence(10);
constexpr std::uint64_t queue_number = 0;  // in the host's epoll, beside the loans
constexpr std::uint64_t timer_number = 1;  // in the epoll of a loan
constexpr std::size_t most_found = 16;

// A forked process has the descriptors of its parent, and must not read from them.
std::atomic<unsigned> forks = 0;

unsigned count_forks() {
  static const int registered = pthread_atfork(nullptr, nullptr, [] { ++forks; });
  if (registered) throw std::system_error(registered, std::generic_category(), "pthread_atfork");
  return forks;
}

bool is_readable(int descriptor, int milliseconds) {
  pollfd wait{descriptor, POLLIN, 0};
  return poll(&wait, 1, milliseconds) > 0;
}

[[noreturn]] void fail(const char* call) { throw std::system_error(errno, std::generic_category(), call); }

void watch(int epoll, int descriptor, std::uint32_t events, std::uint64_t number) {
  epoll_event event{events, {.u64 = number}};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) < 0) fail("epoll_ctl");
}

LineList copy_of(const LineList& lines) {
  LineList copy;
  auto cut = lines.cut().begin();
  for (std::size_t place = 0; place < lines.size(); ++place) {
    std::string text(lines.at(place));
    if (cut != lines.cut().end() && cut->first == place) {
      copy.add_cut(std::move(text), cut++->second);
    } else {
      copy.add_copy(std::move(text));
    }
  }
  return copy;
}

}  // namespace

Descriptor::Descriptor(int owned) : descriptor_(owned) {
  if (owned < 0) fail("descriptor");
}

Descriptor::~Descriptor() { close(descriptor_); }

Loan::Loan() : wake(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

HostReader::HostReader(int queue, bool commits)
    : queue_(queue),
      commits_(commits),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      timer_(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)),
      forks_(count_forks()),
      received_(std::make_unique_for_overwrite<char[]>(read_size)),
      body_(std::make_unique_for_overwrite<char[]>(read_size)) {
  watch(epoll_.get(), queue_, EPOLLIN, queue_number);
  set_timer(longest_absence);
}

HostReader::Found HostReader::wait(int milliseconds, bool reads) {
  events_.clear();
  if (forks != forks_) return is_readable(queue_, milliseconds) ? Found::queue : Found::nothing;
  enter();
  std::array<epoll_event, most_found> found;
  const int count = epoll_wait(epoll_.get(), found.data(), most_found, milliseconds);
  if (count <= 0) return Found::nothing;
  const auto end = found.begin() + count;
  // events in the queue may be earlier ones of a lent connection
  if (std::any_of(found.begin(), end, [](const epoll_event& event) { return event.data.u64 == queue_number; })) return Found::queue;
  if (count == most_found && is_readable(queue_, 0)) return Found::queue;
  if (!reads) return Found::loan;
  for (auto event = found.begin(); event != end && events_.empty(); ++event) read(event->data.u64);
  return events_.empty() ? Found::nothing : Found::events;
}

void HostReader::enter() {
  if (is_present_) return;
  ++visits_;
  if (!is_frequent_) {
    set_timer({});
    set_at_ = {};
  }
  is_present_ = true;
}

// The timer of a host that calls often stays set, because stopping and starting it are two system calls. It may fire while the host waits.
void HostReader::leave() {
  if (forks != forks_) return;
  is_present_ = false;
  // later than that, so that a timer which has fired meanwhile is set again
  const auto now = Loan::Clock::now();
  is_frequent_ = now - left_at_ < least_absence;
  left_at_ = now;
  if (now - set_at_ <= longest_absence - least_absence) return;
  set_at_ = now;
  set_timer(longest_absence);
}

void HostReader::set_timer(std::chrono::nanoseconds time) const {
  const itimerspec times{{0, 0}, {0, time.count()}};
  timerfd_settime(timer_.get(), 0, &times, nullptr);
}

void HostReader::read(std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  const auto lent = loans_.find(number);
  if (lent == loans_.end()) return;
  Loan& loan = *lent->second;
  const auto size = recv(loan.socket, received_.get(), read_size, MSG_DONTWAIT);
  if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return;
  if (size <= 0) {
    loan.error = size < 0 ? errno : 0;
    return finish(lent);
  }
  bool stays = false;
  new_ = 0;
  try {
    loan.heard = Loan::Clock::now();
    stays = take(loan, {received_.get(), static_cast<std::size_t>(size)});
  } catch (const std::bad_alloc&) {
    loan.error = ENOMEM;
  }
  events_.resize(new_);
  loan.taken += new_;
  if (!stays) finish(lent);
}

// Takes the events that the bytes complete. Returns whether the connection stays lent.
bool HostReader::take(Loan& loan, std::string_view bytes) {
  lines_.clear();
  const auto too_long = loan.framer->too_long();
  if (!loan.chunks) {
    loan.framer->feed(bytes, lines_);
  } else if (!frame_chunks(loan, bytes)) {
    return false;
  }
  if (!loan.framer->is_within()) {
    loan.unfinished_since = {};
  } else if (lines_.size() || loan.unfinished_since == Loan::Clock::time_point()) {
    loan.unfinished_since = loan.heard;
  }
  if (loan.framer->too_long() != too_long || !prepare(loan)) {
    loan.returned = copy_of(lines_);
    return false;
  }
  engine_ = loan.engine;
  for (std::size_t place = 0; place < events_.size(); ++place) {
    if (!loan.seen->window.add(keys_[place])) continue;
    if (new_ != place) events_[new_] = std::move(events_[place]);
    ++new_;
  }
  loan.repeated += events_.size() - new_;
  loan.seen->window.forget();
  return !loan.repeated && !(loan.chunks && loan.chunks->ended);
}

// Splits the bytes of chunks into lines. Engines send each event as a chunk: these lines are not copied. Returns false for invalid chunks.
bool HostReader::frame_chunks(Loan& loan, std::string_view bytes) {
  for (auto body = loan.chunks->next(bytes); !body.empty(); body = loan.chunks->next(bytes)) {
    if (body.back() != '\n' && !bytes.empty()) {
      // the line continues in the next chunk
      const auto size = body.copy(body_.get(), body.size());
      body = {body_.get(), size + loan.chunks->feed(std::exchange(bytes, {}), body_.get() + size)};
    }
    loan.framer->feed(body, lines_);
  }
  return loan.chunks->error.empty();
}

// Makes events of the lines. Returns false if the reader must process one of them; then the window is unchanged.
bool HostReader::prepare(Loan& loan) {
  keys_.clear();
  if (!lines_.cut().empty()) return false;
  const auto& [fingerprint, window, given] = *loan.seen;
  events_.reserve(lines_.size());
  for (std::size_t place = 0; place < lines_.size(); ++place) {
    const auto line = lines_.at(place);
    const auto last_time = last_time_of(line);
    const auto time = last_time ? last_time : time_of(line);
    if (!time || line.size() > largest_line || std::binary_search(given.begin(), given.end(), *time)) return false;
    if (loan.inspects && may_start_container(line)) return false;
    auto& event = events_.emplace_back();
    event.line = event.head = line;
    event.time = *time;
    event.has_time = true;
    event.ends_with_time = last_time.has_value();
    if (loan.finisher->finish(event)) return false;
    keys_.push_back({*time, fingerprint(line)});
  }
  return true;
}

// Ends a loan, and wakes its reader.
void HostReader::finish(Loans::iterator lent) {
  const Loan& loan = *lent->second;
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, loan.socket, nullptr);
  loans_.erase(lent);
  eventfd_write(loan.wake.get(), 1);
}

void HostReader::lend(Loan& loan, int closing, std::chrono::milliseconds time) {
  loan.taken = loan.repeated = 0;
  loan.heard = loan.unfinished_since = {};
  loan.returned = LineList();
  loan.error = 0;
  const Descriptor ends(epoll_create1(EPOLL_CLOEXEC));
  watch(ends.get(), loan.wake.get(), EPOLLIN, 0);
  watch(ends.get(), closing, EPOLLIN, 0);
  watch(ends.get(), timer_.get(), EPOLLIN | EPOLLET, timer_number);  // once each time that it fires: the host sets it again
  std::uint64_t number;
  {
    const std::lock_guard lock(mutex_);
    number = ++last_number_;
    const auto lent = loans_.emplace(number, &loan).first;
    try {
      watch(epoll_.get(), loan.socket, EPOLLIN, number);
    } catch (const std::system_error&) {
      loans_.erase(lent);
      throw;
    }
  }
  wait_for_end(loan, closing, ends.get(), Loan::Clock::now() + time);
  const std::lock_guard lock(mutex_);
  if (const auto lent = loans_.find(number); lent != loans_.end()) finish(lent);
  eventfd_t count;
  eventfd_read(loan.wake.get(), &count);
}

void HostReader::wait_for_end(const Loan& loan, int closing, int ends, Loan::Clock::time_point deadline) const {
  bool watches = false;  // the socket: the host has not called for a while
  std::uint64_t visits = 0;
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Loan::Clock::now()).count();
    const int milliseconds = static_cast<int>(std::max<long>(left, 0));
    if (watches) {
      std::array<pollfd, 3> waits{{{loan.wake.get(), POLLIN, 0}, {closing, POLLIN, 0}, {loan.socket, POLLIN, 0}}};
      const int count = poll(waits.data(), waits.size(), milliseconds);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0 || waits[0].revents || waits[1].revents || (!is_present_ && visits == visits_)) return;
      watches = false;
    } else {
      std::array<epoll_event, 3> found;
      const int count = epoll_wait(ends, found.data(), found.size(), milliseconds);
      if (count < 0 && errno == EINTR) continue;
      if (count != 1 || found[0].data.u64 != timer_number) return;
      visits = visits_;
      watches = !is_present_;
    }
  }
}

}  // namespace lanner
