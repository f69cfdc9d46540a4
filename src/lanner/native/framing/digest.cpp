// Nothing here checks that the object is valid JSON: the user of the result parses it.
#include "framing/digest.hpp"

#include <algorithm>
#include <cstring>

#include "values/characters.hpp"

namespace lanner {
namespace {

// The size of the escape or character at the beginning of a JSON text. A surrogate pair is one.
std::size_t token_size(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead != '\\') return lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (text.size() < 2 || text[1] != 'u') return 2;
  const bool is_high = text.size() > 3 && (text[2] == 'd' || text[2] == 'D') && std::strchr("89abAB", text[3]);
  return is_high ? 12 : 6;
}

// In steps: GCC 12 takes a literal before a string in one expression for an overlapping copy (-Wrestrict).
void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  out += text;
  out += '"';
}

// Removes an incomplete character or escape from the end of a cut text.
void trim(std::string& text) {
  const std::string_view all = text;
  std::size_t at = 0;
  while (at < all.size()) {
    const auto size = token_size(all.substr(at));
    if (at + size > all.size()) break;
    at += size;
  }
  text.resize(std::min(at, text.size()));
}

}  // namespace

const KeptMember* KeptMember::find(std::string_view wanted) const {
  for (const auto& member : members) {
    if (member.name == wanted) return &member;
  }
  return nullptr;
}

void KeptMember::add(const std::vector<std::string>& path) {
  KeptMember* at = this;
  for (const auto& step : path) {
    auto* next = const_cast<KeptMember*>(at->find(step));
    if (!next) {
      next = &at->members.emplace_back();
      next->name = step;
    }
    at = next;
  }
  at->is_kept = true;
}

void Digest::feed(std::string_view part) {
  for (const char c : part) {
    if (in_text_) {
      if (c == '"' && !is_escaped_) {
        end_text();
        continue;
      }
      is_escaped_ = c == '\\' && !is_escaped_;
      if (is_name_ || next_) {
        if (text_.size() < longest_text) {
          text_ += c;
        } else {
          was_cut_ = true;
        }
      }
      continue;
    }
    if (in_scalar_) {
      if (!is_json_blank(c) && !std::strchr(",]}", c)) {
        if (next_ && text_.size() < longest_text) text_ += c;
        continue;
      }
      end_scalar();
    }
    switch (c) {
      case ' ':
      case '\t':
      case '\n':
      case '\r':
        break;
      case '"':
        in_text_ = true;
        is_escaped_ = was_cut_ = false;
        text_.clear();
        break;
      case '{':
      case '[':
        frames_.push_back({c == '{' ? (frames_.empty() ? root_ : next_) : nullptr, c == '{'});
        is_name_ = c == '{';
        next_ = nullptr;
        break;
      case '}':
      case ']':
        if (!frames_.empty()) frames_.pop_back();
        is_name_ = false;
        next_ = nullptr;
        break;
      case ',':
        is_name_ = !frames_.empty() && frames_.back().is_object;
        next_ = nullptr;
        break;
      case ':':
        is_name_ = false;
        break;
      default:
        in_scalar_ = true;
        text_.assign(1, c);
    }
  }
}

void Digest::end_text() {
  in_text_ = false;
  if (is_name_) {
    const auto* member = frames_.empty() ? nullptr : frames_.back().member;
    begin_value(member && !was_cut_ ? member->find(text_) : nullptr);
    return;
  }
  if (next_ && next_->is_kept) {
    if (was_cut_) trim(text_);
    auto& found = found_.emplace_back(FoundMember{next_, {}});
    append_quoted(found.text, text_);
  }
  next_ = nullptr;
}

void Digest::end_scalar() {
  in_scalar_ = false;
  if (next_ && next_->is_kept) found_.push_back({next_, text_});
  next_ = nullptr;
}

void Digest::begin_value(const KeptMember* member) {
  next_ = member;
  if (member) forget(*member);
}

// Of equal names the last counts: the value of an earlier one is discarded, with everything below it.
void Digest::forget(const KeptMember& member) {
  std::erase_if(found_, [&](const FoundMember& each) { return each.member == &member; });
  for (const auto& below : member.members) forget(below);
}

const Digest::FoundMember* Digest::found(const KeptMember& member) const {
  for (const auto& each : found_) {
    if (each.member == &member) return &each;
  }
  return nullptr;
}

// Writes the value of a member. Returns false and writes nothing if none was found.
bool Digest::write(const KeptMember& member, std::string& out) const {
  if (const auto* own = found(member)) {
    out += own->text;
    return true;
  }
  bool has_members = false;
  const auto begin = out.size();
  out += '{';
  for (const auto& below : member.members) {
    const auto before = out.size();
    if (has_members) out += ',';
    append_quoted(out, below.name);
    out += ':';
    if (write(below, out)) {
      has_members = true;
    } else {
      out.resize(before);
    }
  }
  out += '}';
  if (!has_members) out.resize(begin);
  return has_members;
}

std::optional<std::string> Digest::finish() const {
  std::string text;
  return write(*root_, text) ? std::optional(std::move(text)) : std::nullopt;
}

}  // namespace lanner
