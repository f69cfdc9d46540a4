// A connection that is lent to the host's thread: with both readers of its bytes the host gets the same events in the same order.
//
// The input is the body of a stream, cut into pieces. One thread is the host, another one the reader of the connection.
#include <linux/sockios.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "fuzz.hpp"
#include "stream/host_reader.hpp"

namespace {

const auto secret = lanner::Fingerprint::new_secret();
constexpr std::size_t longest = 4096;

lanner::KeptMember kept() {
  lanner::KeptMember root;
  root.add({"timeNano"});
  return root;
}

// The parts that the bytes of a connection pass through, with the events in the form that the host gets.
struct Stream {
  lanner::Decoder chunks;
  lanner::ObjectFramer framer{longest, kept(), false};
  lanner::SeenEvents seen{secret};
  lanner::Finisher finisher{"\"host\":\"a\""};

  void feed(std::string_view bytes, std::vector<std::string>& events) {
    std::string body(bytes.size(), 0);
    body.resize(chunks.feed(bytes, body.data()));
    if (!chunks.error.empty()) return;
    lanner::LineList lines;
    framer.feed(body, lines);
    take(lines, events);
  }

  void take(const lanner::LineList& lines, std::vector<std::string>& events) {
    auto cut = lines.cut().begin();
    for (std::size_t place = 0; place < lines.size(); ++place) {
      lanner::StreamEvent event;
      event.line = event.head = lines.at(place);
      if (cut != lines.cut().end() && cut->first == place) event.whole = cut++->second;
      if (const auto time = lanner::time_of(event.line); time && !seen.window.add({*time, seen.fingerprint(event.line)})) continue;
      finisher.finish(event);
      events.push_back(event.text());
    }
    seen.window.forget();
  }
};

class Queue {
 public:
  void put(const std::vector<std::string>& events) {
    const std::lock_guard lock(mutex_);
    events_.insert(events_.end(), events.begin(), events.end());
    eventfd_write(ready.get(), 1);
  }

  void take(std::vector<std::string>& events) {
    const std::lock_guard lock(mutex_);
    eventfd_t count;
    eventfd_read(ready.get(), &count);
    events.insert(events.end(), events_.begin(), events_.end());
    events_.clear();
  }

  const lanner::Descriptor ready{eventfd(0, EFD_NONBLOCK)};

 private:
  std::mutex mutex_;
  std::vector<std::string> events_;
};

// The thread of the reader, until the connection ends. The end is an event, too.
void read_connection(int socket, bool inspects, int closing, Stream& stream, lanner::HostReader& host, Queue& queue) {
  lanner::Loan loan;
  loan.socket = socket;
  loan.chunks = &stream.chunks;
  loan.framer = &stream.framer;
  loan.seen = &stream.seen;
  loan.finisher = &stream.finisher;
  loan.inspects = inspects;
  std::string bytes(997, 0);
  while (true) {
    std::vector<std::string> events;
    host.lend(loan, closing, std::chrono::milliseconds(10'000));
    stream.take(loan.returned, events);
    const auto size = stream.chunks.error.empty() ? recv(socket, bytes.data(), bytes.size(), MSG_DONTWAIT) : 0;
    if (size > 0) stream.feed({bytes.data(), static_cast<std::size_t>(size)}, events);
    if (size == 0) events.emplace_back("end");
    queue.put(events);
    if (size == 0) return;
  }
}

// Waits until the reader of the connection has read everything, because the host does not.
void wait_until_read(int socket) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  for (int unread = 1; unread; std::this_thread::yield()) {
    REQUIRE(ioctl(socket, SIOCOUTQ, &unread) == 0);
    REQUIRE(std::chrono::steady_clock::now() < deadline);
  }
}

std::string in_chunks(std::string_view body, std::size_t size) {
  std::string text;
  for (; !body.empty(); body.remove_prefix(std::min(size, body.size()))) {
    const auto part = body.substr(0, size);
    char head[32];
    text.append(head, static_cast<std::size_t>(snprintf(head, sizeof head, "%zx\r\n", part.size())));
    text += part;
    text += "\r\n";
  }
  return text;
}

}  // namespace

std::vector<std::string> seeds() {
  std::string lines;
  for (int number = 0; number < 40; ++number) {
    lines += "{\"Type\":\"volume\",\"Action\":\"prune\",\"timeNano\":" + std::to_string(1'780'000'000'000'000'000 + number / 2 * 2) + "}\n";
  }
  return {"abc" + lines, "a E" + lines,
          "zzz{\"Type\":\"container\",\"Action\":\"start\",\"timeNano\":1780000000000000000}\n{\"timeNano\":1780000000000000001}\n",
          "\x01q\x02{\"a\":\"" + std::string(5000, 'x') + "\",\"timeNano\":1780000000000000001}\n{\"lanner\":1,\"timeNano\":17}\n",
          "0a9{}"};
}

std::vector<std::string> words() {
  return {"{\"timeNano\":17}\n", "\n", "{", "}", "\"start\"", "\"container\"", "\"lanner\"", ",\"timeNano\":18}"};
}

void try_input(std::string_view input) {
  if (input.size() < 3 || input.size() > 30'000) return;
  const auto number = [&](std::size_t place) { return static_cast<std::size_t>(static_cast<unsigned char>(input[place])); };
  const std::size_t chunk = number(0) * 7 + 1, piece = number(1) * 5 + 1;
  const bool inspects = number(2) % 2, is_damaged = number(2) % 16 == 3, is_away = number(2) % 16 == 5;
  std::string bytes = in_chunks(input.substr(3), chunk);
  if (is_damaged) bytes += "nonsense\r\n";

  std::vector<std::string> expected, found;
  Stream plain, stream;
  plain.feed(bytes, expected);
  // the bytes after the damage are in one piece with it, or are not read
  if (is_damaged) expected.clear();
  expected.emplace_back("end");

  int ends[2];
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  const lanner::Descriptor near(ends[0]), closing(eventfd(0, 0));
  Queue queue;
  lanner::HostReader host(queue.ready.get(), true);
  std::vector<std::string> committed;
  std::thread reader(read_connection, near.get(), inspects, closing.get(), std::ref(stream), std::ref(host), std::ref(queue));
  std::string_view rest = bytes;
  bool is_open = true;
  int pieces = 0;
  while (found.empty() || found.back() != "end") {
    if (!rest.empty()) {
      const auto size = is_damaged ? rest.size() : std::min(piece, rest.size());
      REQUIRE(write(ends[1], rest.data(), size) == static_cast<ssize_t>(size));
      rest.remove_prefix(size);
    } else if (is_open) {
      close(ends[1]);
      is_open = false;
    }
    // a host that has just called many times, and one that calls for the first time
    if (is_away && is_open && pieces++ % 4 == 0) wait_until_read(ends[1]);
    host.commit();
    switch (host.wait(rest.empty() ? 1000 : 0, true)) {
      case lanner::HostReader::Found::queue:
        queue.take(found);
        break;
      case lanner::HostReader::Found::events:
        for (const auto& event : host.events()) {
          found.push_back(event.text());
          committed.push_back(std::string(event.line));
        }
        break;
      default:
        break;
    }
    host.leave();
  }
  reader.join();
  if (is_open) close(ends[1]);
  if (!is_damaged) REQUIRE(found == expected);
  const auto taken = host.committed.take();
  if (committed.size() > 512) committed.erase(committed.begin(), committed.end() - 512);
  REQUIRE(taken.size() == !committed.empty());
  if (!taken.empty()) {
    const auto last = taken[0].lines.last();
    REQUIRE(std::equal(last.begin(), last.end(), committed.begin(), committed.end()));
  }
}
