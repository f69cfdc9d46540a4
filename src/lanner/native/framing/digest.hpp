// The kept part of a JSON object that is too long to be held: members by name, read incrementally. No Python here.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lanner {

// A tree of member names. Those of the root are members of the object itself.
struct KeptMember {
  std::string name;
  bool is_kept = false;  // its value is kept, not only members below it
  std::deque<KeptMember> members;

  // The member with that name below this one; null if none is kept.
  const KeptMember* find(std::string_view wanted) const;
  // Keeps the value at `path`.
  void add(const std::vector<std::string>& path);
};

// One object, fed in parts from its opening brace to its closing one. The tree limits its memory, regardless of the object's size.
// Strings and numbers are kept, the last of equal names. A long text is cut to `longest_text` bytes, between characters.
class Digest {
 public:
  static constexpr std::size_t longest_text = std::size_t{64} * 1024;

  explicit Digest(const KeptMember& root) : root_(&root) {}

  void feed(std::string_view part);
  // The object with only the kept members; none if it has none of them.
  std::optional<std::string> finish() const;

 private:
  struct Frame {
    const KeptMember* member;  // the member whose value the object is; null if nothing below it is kept
    bool is_object;
  };
  struct FoundMember {
    const KeptMember* member;
    std::string text;  // the source text, with the quotes of a string
  };

  void begin_value(const KeptMember* member);
  void end_scalar();
  void end_text();
  void forget(const KeptMember& member);
  bool write(const KeptMember& member, std::string& out) const;
  const FoundMember* found(const KeptMember& member) const;

  const KeptMember* root_;
  std::vector<Frame> frames_;
  std::vector<FoundMember> found_;
  const KeptMember* next_ = nullptr;  // the member whose value comes next
  std::string text_;                  // the current name or value
  bool is_name_ = false;              // the next text is a name
  bool in_text_ = false;
  bool in_scalar_ = false;
  bool is_escaped_ = false;
  bool was_cut_ = false;
};

}  // namespace lanner
