#include "source.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>

namespace {

constexpr size_t batch_lines = 128;
constexpr int idle_ms = 20;      // how long a call waits for events
constexpr int answer_ms = 5000;  // how long opening waits for the answer's head
constexpr size_t longest = 1 << 24;

// The lines that are whole, as views; where the rest begins.
size_t split(std::string_view text, size_t most, std::vector<std::string_view>& lines) {
  size_t start = 0;
  while (lines.size() < most) {
    size_t end = text.find('\n', start);
    if (end == text.npos) break;
    if (end > start) lines.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return start;
}

class File : public Source {
 public:
  explicit File(std::string text) : text_(std::move(text)) {}

  Outcome next(std::vector<std::string_view>& lines) override {
    at_ += split(std::string_view(text_).substr(at_), batch_lines, lines);
    if (lines.size() == batch_lines) return Outcome::more;
    if (at_ < text_.size()) lines.push_back(std::string_view(text_).substr(at_));  // the last line may lack its end
    at_ = text_.size();
    return Outcome::end;
  }

  uint32_t progress() const override { return text_.empty() ? 10000 : static_cast<uint32_t>(at_ * 10000 / text_.size()); }

 private:
  std::string text_;
  size_t at_ = 0;
};

// Chunks of an HTTP answer, put together.
class Chunks {
 public:
  // False: invalid chunk.
  bool feed(std::string_view bytes, std::string& body) {
    while (!bytes.empty()) {
      if (left_ > 0) {
        size_t size = std::min(left_, bytes.size());
        body.append(bytes.substr(0, size));
        bytes.remove_prefix(size);
        left_ -= size;
        behind_chunk_ = left_ == 0;
        continue;
      }
      char next = bytes.front();
      bytes.remove_prefix(1);
      if (next != '\n') {
        line_ += next;
        if (line_.size() > 1024) return false;
        continue;
      }
      if (!end_line()) return false;
    }
    return true;
  }

  bool ended() const { return ended_; }

 private:
  bool end_line() {
    if (!line_.empty() && line_.back() == '\r') line_.pop_back();
    if (behind_chunk_) {
      behind_chunk_ = false;
      return line_.empty();
    }
    auto [end, problem] = std::from_chars(line_.data(), line_.data() + line_.size(), left_, 16);
    bool well = ended_ || (problem == std::errc() && (end == line_.data() + line_.size() || *end == ';'));
    ended_ = ended_ || left_ == 0;
    line_.clear();
    return well;
  }

  std::string line_;
  size_t left_ = 0;
  bool behind_chunk_ = false, ended_ = false;
};

class Socket : public Source {
 public:
  ~Socket() override {
    if (fd_ >= 0) ::close(fd_);
  }

  bool connect(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) return fail("the path is too long");
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    fd_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd_ < 0 || ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return fail(std::strerror(errno));
    constexpr std::string_view request = "GET /events HTTP/1.1\r\nHost: docker\r\n\r\n";
    if (::send(fd_, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size())) return fail("cannot send");
    return read_head();
  }

  Outcome next(std::vector<std::string_view>& lines) override {
    body_.erase(0, used_);
    used_ = split(body_, batch_lines, lines);
    while (lines.empty()) {
      if (ended_) return Outcome::end;
      if (body_.size() > longest) {
        error = "a line without end";
        return Outcome::failure;
      }
      pollfd wait{fd_, POLLIN, 0};
      if (::poll(&wait, 1, idle_ms) == 0) return Outcome::idle;
      if (!receive()) return Outcome::failure;
      used_ = split(body_, batch_lines, lines);
    }
    return Outcome::more;
  }

 private:
  bool fail(std::string why) {
    error = std::move(why);
    return false;
  }

  bool read_head() {
    std::string head;
    size_t end;
    while ((end = head.find("\r\n\r\n")) == head.npos) {
      char bytes[4096];
      pollfd wait{fd_, POLLIN, 0};
      if (head.size() > 65536 || ::poll(&wait, 1, answer_ms) <= 0) return fail("no answer");
      ssize_t count = ::recv(fd_, bytes, sizeof bytes, 0);
      if (count <= 0) return fail("no answer");
      head.append(bytes, static_cast<size_t>(count));
    }
    if (head.compare(0, 12, "HTTP/1.1 200") != 0) return fail("the answer is " + head.substr(0, head.find('\r')));
    chunked_ = head.substr(0, end).find("chunked") != head.npos;
    return take(std::string_view(head).substr(end + 4));
  }

  bool receive() {
    char bytes[65536];
    ssize_t count = ::recv(fd_, bytes, sizeof bytes, 0);
    if (count < 0) return errno == EINTR || errno == EAGAIN || fail(std::strerror(errno));
    if (count == 0) ended_ = true;
    return take({bytes, static_cast<size_t>(count)});
  }

  bool take(std::string_view bytes) {
    if (!chunked_) {
      body_.append(bytes);
      return true;
    }
    if (!chunks_.feed(bytes, body_)) return fail("the answer is not in chunks");
    ended_ = ended_ || chunks_.ended();
    return true;
  }

  int fd_ = -1;
  bool chunked_ = false, ended_ = false;
  Chunks chunks_;
  std::string body_;
  size_t used_ = 0;
};

}  // namespace

std::unique_ptr<Source> open_source(std::string_view params, std::string& error) {
  std::string path(params.substr(std::min<size_t>(params.size(), 5)));
  if (params.substr(0, 5) == "unix:") {
    auto socket = std::make_unique<Socket>();
    if (socket->connect(path)) return socket;
    error = path + ": " + socket->error;
    return nullptr;
  }
  if (params.substr(0, 5) != "file:") {
    error = "open parameters are unix:PATH or file:PATH, not '" + std::string(params) + "'";
    return nullptr;
  }
  std::FILE* file = std::fopen(path.c_str(), "rbe");
  if (file == nullptr) {
    error = path + ": " + std::strerror(errno);
    return nullptr;
  }
  std::string text;
  char bytes[65536];
  for (size_t count; (count = std::fread(bytes, 1, sizeof bytes, file)) > 0;) text.append(bytes, count);
  std::fclose(file);
  return std::make_unique<File>(std::move(text));
}
