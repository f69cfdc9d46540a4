// Splits received bytes into payloads, one for each JSON object, with or without line ends between them. No Python here.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "framing/digest.hpp"
#include "framing/lines.hpp"

namespace lanner {

// The JSON objects of one stream: one per line, several per line, without any line ends, or as the items of arrays. Other text is a
// payload up to the end of its line, so that its reader reports that it is not JSON. A newline within an object ends it as broken. With
// `multiline`, only one that begins another object does. A brace at the beginning of a line certainly begins another object after a
// value. After a colon or within an array this is decided at the end of the object. The objects in a broken one that begin
// at the start of a line and are not indented further are payloads.
//
// Of an object over `longest` bytes the members of `kept` are kept; without any it is dropped. No more than `longest` bytes are held.
class ObjectFramer {
 public:
  ObjectFramer(std::size_t longest, KeptMember kept, bool multiline) : longest_(longest), kept_(std::move(kept)), multiline_(multiline) {}

  void feed(std::string_view chunk, LineList& payloads);
  // Returns the incomplete text as the last payload, and resets the stream.
  void end(LineList& payloads);

  // Whether the next bytes continue a payload.
  bool is_within() const { return part_ != Part::none; }
  // Number of objects that were dropped because they were too long and had no kept member.
  std::size_t too_long() const { return too_long_; }

 private:
  enum class Part { none, object, text };

  // A brace at the beginning of a line within an object: its offsets in the object, and the number of open brackets there.
  struct LineObject {
    std::size_t begin;
    std::size_t end;  // 0: not yet
    std::size_t depth;
  };

  void begin(char first);
  std::size_t scan_object(std::string_view chunk, std::size_t at, bool& is_done);
  bool begins_another() const;
  void keep(std::string_view part);
  void open(char bracket, std::size_t place);
  void close(std::size_t place);
  void split(std::string_view text, bool is_held, LineList& payloads);
  void finish(std::string_view last, bool is_whole, LineList& payloads);

  const std::size_t longest_;
  const KeptMember kept_;
  const bool multiline_;
  std::size_t too_long_ = 0;

  Part part_ = Part::none;
  std::string tail_;  // the part's text in earlier chunks
  std::size_t size_ = 0;
  bool is_over_ = false;  // it is too long: `digest_` has the kept members, if any
  std::unique_ptr<Digest> digest_;

  // of an object
  std::string brackets_;
  bool in_text_ = false;
  bool is_escaped_ = false;
  bool after_newline_ = false;
  char last_ = 0;                        // the last non-blank character outside strings
  std::size_t column_ = 0;               // blanks at the beginning of the line
  std::size_t indent_ = 0;               // those before the object
  std::vector<LineObject> inner_;        // possible payloads, none within one that has ended
  std::vector<std::size_t> unfinished_;  // the unfinished ones
};

}  // namespace lanner
