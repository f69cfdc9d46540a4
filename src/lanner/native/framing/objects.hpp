// Bytes as they come to payloads, one for each JSON object, whether or not lines separate them. No Python here.
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

// The JSON objects of one stream: one a line, several in a line, without any line ends, or as the items of arrays. What is no object is a
// payload up to its line's end, so that what reads payloads says that it is not JSON. A newline within an object ends it as broken, unless
// `multiline`, where only one that begins another object does. Whether a brace at the beginning of a line is that of another object is
// known at once after a value; after a colon or within an array it is known when the object ends. Of a broken one, the objects that begin
// at a line's start and no further right are payloads.
//
// Of an object over `longest` bytes the members of `kept` are kept; without any it is dropped. No more than `longest` bytes are held.
class ObjectFramer {
 public:
  ObjectFramer(std::size_t longest, KeptMember kept, bool multiline) : longest_(longest), kept_(std::move(kept)), multiline_(multiline) {}

  void feed(std::string_view chunk, LineList& payloads);
  // What is unfinished as a last payload; after it the stream starts over.
  void end(LineList& payloads);

  // Whether the next bytes belong to a payload that has begun.
  bool is_within() const { return part_ != Part::none; }
  // How many were dropped because they were too long, and nothing of them could be kept.
  std::size_t too_long() const { return too_long_; }

 private:
  enum class Part { none, object, text };

  // A brace at the beginning of a line within an object: its places in the object, and how many brackets were open there.
  struct Inner {
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
  std::string tail_;  // what has come of the part in earlier chunks
  std::size_t size_ = 0;
  bool is_over_ = false;  // it is too long: `digest_` has it, if anything
  std::unique_ptr<Digest> digest_;

  // of an object
  std::string brackets_;
  bool in_text_ = false;
  bool is_escaped_ = false;
  bool after_newline_ = false;
  char last_ = 0;                        // the last character outside texts that is no blank
  std::size_t column_ = 0;               // blanks at the beginning of the line
  std::size_t indent_ = 0;               // those before the object
  std::vector<Inner> inner_;             // possible payloads, none within one that has ended
  std::vector<std::size_t> unfinished_;  // those of them that have not ended
};

}  // namespace lanner
