// JSON made of an input's bytes.
#pragma once

#include <iterator>
#include <string>
#include <string_view>
#include <utility>

// JSON by the choices that the bytes make; all zero when they are used up, which ends it soon.
class Maker {
 public:
  explicit Maker(std::string_view choices) : choices_(choices) {}

  std::string text() {
    value(0);
    return std::move(text_);
  }

 private:
  unsigned next(unsigned end) {
    if (choices_.empty()) return 0;
    const auto choice = static_cast<unsigned char>(choices_.front());
    choices_.remove_prefix(1);
    return choice % end;
  }

  void blank() {
    static const char* const blanks[] = {"", "", "", "", " ", "\n\t", "\r\n  "};
    text_ += blanks[next(std::size(blanks))];
  }

  void value(int level) {
    static const char* const scalars[] = {
        "0",       "1",    "-0",   "12",  "18446744073709551615", "18446744073709551616", "18446744073710", "1e400",
        "-1.5e-7", "true", "null", "0.0", "-9223372036854775809"};
    blank();
    switch (level < 40 ? next(8) : 0) {
      case 0:
      case 1:
        text_ += scalars[next(std::size(scalars))];
        break;
      case 2:
      case 3:
        string();
        break;
      case 4:
        text_ += '[';
        for (unsigned left = next(5); left; --left) {
          value(level + 1);
          if (left > 1) text_ += ',';
        }
        blank();
        text_ += ']';
        break;
      default:
        text_ += '{';
        for (unsigned left = next(7); left; --left) {
          blank();
          name();
          blank();
          text_ += ':';
          value(level + 1);
          if (left > 1) text_ += ',';
        }
        blank();
        text_ += '}';
    }
    blank();
  }

  void name() {
    static const char* const names[] = {"a", "n", "m", "k", "l", "t", "d", "e", "", "\\u0061", "k\\u0000x", "\\u006b"};
    const auto choice = next(std::size(names) + 1);
    if (choice == std::size(names)) return string();
    text_ += std::string("\"") + names[choice] + '"';
  }

  void string() {
    static const char* const pieces[] = {"x",
                                         "yes",
                                         ":",
                                         "1",
                                         "0",
                                         "\xC3\xA9",
                                         "\\u00e9",
                                         "\\u0000",
                                         "\\ud83d\\ude00",
                                         "\\\"",
                                         "\\\\",
                                         "\\n",
                                         "}",
                                         "]",
                                         ",",
                                         "18446744073709551615",
                                         "::",
                                         "\xF0\x9F\x98\x80",
                                         "\\u003a",
                                         " "};
    text_ += '"';
    for (unsigned left = next(6); left; --left) text_ += pieces[next(std::size(pieces))];
    text_ += '"';
  }

  std::string_view choices_;
  std::string text_;
};
