// What is kept of a JSON object that is too long to be held: members by name, read off as its bytes come. No Python here.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lanner {

// A tree of member names: those of the root are members of the object itself.
struct KeptMember {
  std::string name;
  bool is_kept = false;  // its value is wanted, not only members below it
  std::deque<KeptMember> members;

  // The member of that name below this one; null where none is wanted.
  const KeptMember* find(std::string_view wanted) const;
  // Want the value at `path`.
  void add(const std::vector<std::string>& path);
};

// One object, fed in parts from its opening brace to its closing one. Memory is bounded by the tree, however long the object is.
// Texts and numbers are kept, the last of equal names; a long text up to `longest_text` bytes, cut between characters.
class Digest {
 public:
  static constexpr std::size_t longest_text = std::size_t{64} * 1024;

  explicit Digest(const KeptMember& root) : root_(&root) {}

  void feed(std::string_view part);
  // The object with the kept members alone; none where nothing of it was found.
  std::optional<std::string> finish() const;

 private:
  struct Frame {
    const KeptMember* member;  // what the object is the value of; null where nothing below it is wanted
    bool is_object;
  };
  struct Found {
    const KeptMember* member;
    std::string text;  // as it was written, with the quotes of a text
  };

  void begin_value(const KeptMember* member);
  void end_scalar();
  void end_text();
  void forget(const KeptMember& member);
  bool write(const KeptMember& member, std::string& out) const;
  const Found* found(const KeptMember& member) const;

  const KeptMember* root_;
  std::vector<Frame> frames_;
  std::vector<Found> found_;
  const KeptMember* next_ = nullptr;  // whose value comes next
  std::string text_;                  // the name or value that is being read
  bool is_name_ = false;              // a text that comes now is a name
  bool in_text_ = false;
  bool in_scalar_ = false;
  bool is_escaped_ = false;
  bool was_cut_ = false;
};

}  // namespace lanner
