// Values of all kinds of trees, read off any bytes, JSON or lines: strings are UTF-8 without NUL, spans lie in the payload, the same answer twice.
//
// The first byte of an input says what argument is given (none, a key, an index) and how the payload is made: of a byte below 128 the
// rest is the payload; of others the rest chooses what comes next in a string that is always JSON.
#include <algorithm>
#include <iterator>
#include <memory>

#include <simdjson.h>

#include "fuzz.hpp"
#include "maker.hpp"
#include "values/document.hpp"
#include "values/offsets.hpp"
#include "values/re2_engine.hpp"
#include "values/values.hpp"

namespace {

using lanner::Argument;
using lanner::DateForm;
using lanner::Each;
using lanner::Given;
using lanner::Result;
using lanner::Span;
using lanner::Step;
using lanner::Value;
using Kind = Value::Kind;

lanner::Places places;

Value path(std::vector<Step> steps) { return lanner::make_path(std::move(steps), false, places); }
Value item(std::vector<Step> steps) { return lanner::make_path(std::move(steps), true, places); }

// The same tree without places: every step is walked.
Value walked(Value value) {
  value.place = lanner::Places::document;
  value.placed = 0;
  for (auto& child : value.children) child = walked(child);
  return value;
}

bool equal(const Result& one, const Result& other) {
  const auto* items = std::get_if<lanner::Items>(&one);
  const auto* others = std::get_if<lanner::Items>(&other);
  if (items && others) return std::ranges::equal(*items, *others);
  if (items || others || one.index() != other.index()) return false;
  const auto* text = std::get_if<std::string_view>(&one);
  const auto* number = std::get_if<std::uint64_t>(&one);
  return text ? *text == std::get<std::string_view>(other) : !number || *number == std::get<std::uint64_t>(other);
}

Value over(Kind kind, std::vector<Value> children) {
  Value value;
  value.kind = kind;
  value.is_list = !children.empty() && children[0].is_list;
  value.type = children.empty() ? lanner::ValueType::text : children[0].type;
  value.children = std::move(children);
  return value;
}

Value word(std::string_view name, Value operand) {
  Value value = over(Kind::word, {std::move(operand)});
  value.word = lanner::word_of(name);
  value.type = value.word->gives;
  value.text = ":";
  return value;
}

// A word that has its own kind
Value word(std::string_view name, Kind kind, bool is_list, Value operand) {
  Value value = word(name, std::move(operand));
  value.kind = kind;
  value.is_list = is_list;
  value.texts = {"x", "k"};
  return value;
}

Value each(Value path, Value body) {
  Value value = over(Kind::each, {std::move(path), std::move(body)});
  value.is_list = true;
  return value;
}

// A part that is the same for all items of an `each`
Value shared(std::uint64_t number, Value part) {
  Value value = over(Kind::shared, {std::move(part)});
  value.number = number;
  value.has_lists = true;
  return value;
}

std::vector<Value> make_table() {
  const Value text = path({"a"});
  const Value deep = path({"m", "d", std::uint64_t{1}, "e"});
  const Value before = word("before", text);
  const Value after = word("after", text);
  const Value list = path({"l", Each{}});
  Value after_long = word("after", before);
  after_long.text = "\xC3\xA9";
  Value when = over(Kind::when, {deep, path({"t"})});
  when.texts = {"x", "yes", ""};
  Value time = word("time", path({"n"}));
  time.number = 1'000'000;
  std::vector<Value> table = {
      path({}),
      text,
      deep,
      list,
      path({"m", Argument{}}),
      path({"l", Argument{}}),
      path({"l", Each{true}, "e"}),
      path({"l", Each{}, lanner::Where{"k", {"x", "-0"}}, Each{}}),
      path({Argument{}, std::uint64_t{0}}),
      after_long,
      when,
      time,
      each(path({Each{}}), over(Kind::first, {item({"e"}), word("raw", item({})), text})),
      each(list, path({"l", Each{}})),
      each(list, word("split", Kind::split, true, item({}))),
      each(list, shared(0, path({"l", Each{}}))),
      each(path({"l", Each{}}), over(Kind::concat, {word("text", item({})), shared(0, text), shared(1, before)})),
      each(path({Each{}}), over(Kind::when, {shared(0, word("text", list)), shared(1, word("any", Kind::any, false, list))})),
      over(Kind::concat, {text, before}),
      over(Kind::given, {}),
      word("integer", path({"l", std::uint64_t{0}})),
      word("integer", after),
      word("raw", list),
      word("text", list),
      lanner::make_keys(path({})),
      lanner::make_keys(path({"m"})),
      lanner::make_keys(path({"l", Each{}})),
      lanner::make_keys(path({Argument{}})),
      word("split", Kind::split, true, text),
      word("listed", Kind::listed, true, deep),
      word("nth", Kind::nth, false, list),
      word("join", Kind::join, false, list),
      word("without", Kind::without, true, list),
      word("every", Kind::every, true, word("text", list)),
      word("any", Kind::any, false, list),
      word("exists", Kind::exists, false, list),
      word("present", Kind::exists, false, deep),
      over(Kind::first, {path({"missing"}), before, deep}),
      over(Kind::first, {time, word("integer", text)}),
  };
  for (const auto& each : lanner::words()) {
    if (!each.make) continue;
    table.push_back(word(each.name, text));
    table.push_back(word(each.name, path({"n"})));
  }
  for (const auto form : {DateForm::rfc3339, DateForm::iso8601, DateForm::rfc2822, DateForm::http, DateForm::clf}) {
    table.push_back(time);
    table.back().form = form;
  }
  return table;
}

lanner::Places line_places;

constexpr std::string_view access_log =
    R"((?P<client>[0-9a-fA-F.:]+) - (?P<user>\S+) \[(?P<time>[^\]]+)\] "(?P<method>[A-Z]+) (?P<path>[^ "]*)(?: (?P<rest>[^"]*))?" (?P<status>[0-9]{3}))";
constexpr std::string_view any_text = R"((?s)(?P<a>\pL*)(?P<sign>[^\pL])?(?P<b>.*))";

// A group of a pattern
Value group(std::string_view expression, std::string_view name) {
  auto& patterns = line_places.forms.patterns;
  auto entry = std::ranges::find(patterns, expression, &lanner::Forms::Entry::expression);
  if (entry == patterns.end()) {
    patterns.push_back({std::string(expression), std::make_shared<const lanner::Pattern>(lanner::re2_engine, expression)});
    entry = std::prev(patterns.end());
  }
  Value value;
  value.kind = Kind::group;
  value.place = static_cast<std::uint32_t>(entry - patterns.begin());
  value.number = entry->pattern->group(name);
  REQUIRE(value.number);
  entry->groups = std::max<std::size_t>(entry->groups, value.number + 1);
  return value;
}

// More groups than a match keeps on the stack
std::string many_groups() {
  std::string expression;
  for (int number = 0; number < 40; ++number) expression += "(?P<g" + std::to_string(number) + ">[^:]*):?";
  return expression;
}

Value part(Kind kind, std::string_view name, bool takes_argument = false) {
  Value value;
  value.kind = kind;
  value.text = name;
  value.takes_argument = takes_argument;
  return value;
}

// Parts of payloads that need not be JSON
std::vector<Value> make_line_table() {
  auto& forms = line_places.forms;
  forms.reads_pointers = forms.reads_logfmt = forms.reads_cef = true;
  const Value key = lanner::make_path({"a"}, false, line_places);
  const Value pointer = part(Kind::pointer, "/m/d/1/e");
  const Value pair = part(Kind::logfmt, "a");
  const Value field = part(Kind::cef, "src");
  Value when = over(Kind::when, {pointer, pair});
  when.texts = {"x", "yes"};
  std::vector<Value> table = {
      pointer,
      pair,
      field,
      when,
      part(Kind::pointer, ""),
      part(Kind::pointer, "/l/0"),
      part(Kind::pointer, "/~1~01"),
      part(Kind::pointer, "", true),
      part(Kind::logfmt, "", true),
      part(Kind::cef, "", true),
      part(Kind::cef, "name"),
      over(Kind::first, {key, pointer, pair, field}),
      over(Kind::concat, {pair, field, pointer}),
      word("after", over(Kind::first, {pair, key})),
      word("split", Kind::split, true, over(Kind::first, {pointer, pair})),
      each(lanner::make_path({Each{}}, false, line_places), over(Kind::first, {item({"e"}), pointer})),
      group(access_log, "client"),
      group(access_log, "rest"),
      word("basename", word("before", group(access_log, "path"))),
      word("integer", group(access_log, "status")),
      over(Kind::first, {group(access_log, "user"), group(any_text, "sign"), pair}),
      group(any_text, "a"),
      over(Kind::concat, {group(any_text, "a"), group(any_text, "b")}),
      word("split", Kind::split, true, group(any_text, "b")),
      group(many_groups(), "g0"),
      group(many_groups(), "g39"),
  };
  for (const auto form : {DateForm::rfc3339, DateForm::iso8601, DateForm::rfc2822, DateForm::http, DateForm::clf}) {
    for (const auto& text : {pair, group(access_log, "time")}) {
      table.push_back(word("time", text));
      table.back().form = form;
    }
  }
  return table;
}

bool is_text(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i++]);
    if (c == 0) return false;
    if (c < 0x80) continue;
    const int more = c >= 0xF0 ? 3 : c >= 0xE0 ? 2 : 1;
    if (c < 0xC2 || c > 0xF4 || i + static_cast<std::size_t>(more) > text.size()) return false;
    std::uint32_t code = c & (0x3F >> more);
    for (int k = 0; k < more; ++k) {
      const auto next = static_cast<unsigned char>(text[i++]);
      if ((next & 0xC0) != 0x80) return false;
      code = code << 6 | (next & 0x3F);
    }
    if (code < (more == 3 ? 0x10000u : more == 2 ? 0x800u : 0x80u) || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return false;
  }
  return true;
}

void check(const Value& value, const Result& result, bool is_utf8) {
  // addresses are bytes, and escapes in a URL may stand for any
  const bool may_be_bytes = !is_utf8 || value.type == lanner::ValueType::address || (value.word && value.word->name == "query");
  const auto check_text = [&](std::string_view text) {
    REQUIRE(may_be_bytes || is_text(text));
    // the bridge looks whether the byte after a string is NUL already
    static_cast<void>(*const_cast<const volatile char*>(text.data() + text.size()));
  };
  if (const auto* text = std::get_if<std::string_view>(&result)) check_text(*text);
  if (const auto* items = std::get_if<lanner::Items>(&result)) {
    REQUIRE(!items->empty());
    for (const auto& each : *items) {
      if (each.is_text) check_text(each.text);
    }
  }
}

std::size_t count_of(const Result& result) {
  const auto* items = std::get_if<lanner::Items>(&result);
  return items ? items->size() : !std::holds_alternative<std::monostate>(result);
}

void check_spans(const Value& value, lanner::Document& document, std::string_view payload, const Given& given, const Result& result,
                 lanner::Arena& arena) {
  const auto count = count_of(result);
  const auto spans = lanner::locate(value, document, payload, given, count, arena);
  REQUIRE(spans.size() == count);
  for (std::size_t i = 0; i < count; ++i) {
    REQUIRE(spans[i].begin <= payload.size() && spans[i].size <= payload.size() - spans[i].begin);
    const auto written = payload.substr(spans[i].begin, spans[i].size);
    const auto* text = std::get_if<std::string_view>(&result);
    // what is written without escapes is the text itself
    if (text && value.type == lanner::ValueType::text && spans[i].size && written.find('\\') == std::string_view::npos)
      REQUIRE(written == *text);
  }
}

}  // namespace

std::vector<std::string> seeds() {
  return {
      "\x81\x04\x06\x04\x04\x04\x04\x04\x04\x04",
      "\x82\x05\x06\x05\x02\x03\x04\x05\x06\x07\x01\x02\x03\x04\x05",
      "\x83" + std::string(200, '\x06'),
      "\x80" + std::string(300, '\x0c'),
      "\x01{\"a\":\"b:c\",\"n\":1700000000123,\"m\":{\"k\":\"v\",\"d\":[0,{\"e\":\"deep\"}]},\"l\":[\"18446744073709551615\",2],\"t\":"
      "\"yes\"}",
      "\x02{\"a\":\"\\u00e9\\u0000:\xC3\xA9:1\",\"a\":\":12\",\"n\":-0,\"m\":{\"\\u006b\":1,\"k\\u0000\":2,\"k\":3},\"l\":[1e400,-0]}",
      "\x06{\"n\":18446744073709551616,\"m\":[],\"l\":{},\"t\":null}",
      "\x01[[[{}]]]",
      "\x02\"text\"",
      "\x01 {\t\"a\" : [ true , false , null ] , \"n\" :\"12\"\r\n} ",
      "\x01\xEF\xBB\xBF{}",
      "\x01level=info a=\"2024-02-29T12:30:00Z\" k=x",
      "\x01"
      "CEF:0|v|p|1|2|n|5|src=1.2.3.4 a=b \\= c name=x ",
      "\x01"
      "127.0.0.1 - eve [29/Feb/2024:12:30:00 +0100] \"GET /a/b.html HTTP/1.1\" 200\r\n",
      "\x01::1 - - [x] \"A \xFF\" 404",
      "\x01\xC3\xA9t\xC3\xA9:\xE2\x82:b:c:\n",
      "\x01{\"m\":{\"d\":[NaN,{\"e\":\"\\u00e9 x\"}]},\"/~1\":[ 1 , 2 ]}",
  };
}

std::vector<std::string> words() {
  return {"\"a\":",
          "\"n\":",
          "\"m\":",
          "\"k\":",
          "\"l\":",
          "\"t\":",
          "\"d\":",
          "\"e\":",
          "{",
          "}",
          "[",
          "]",
          ",",
          "\"",
          "\\u0000",
          "\\ud83d\\ude00",
          "\\ud800",
          "\\\"",
          "\\\\",
          ":",
          "-0",
          "1e999",
          "-1",
          "18446744073709551615",
          "null",
          "true",
          "\"x\"",
          "\"yes\"",
          "\xC3\xA9",
          "\xF0\x9F\x98\x80",
          "\xFF",
          "[[[[[[[[[[[[[[[[",
          "2024-02-29T12:30:00Z",
          "20240229T123000,5+01",
          "Thu, 29 Feb 2024 12:30:60 GMT",
          "29/Feb/2024:12:30:00 -2359",
          "127.0.0.1 - ",
          " [29/Feb/2024:12:30:00 +0100] \"",
          "GET /",
          "\" 200",
          "CEF:0|",
          "|",
          " src=",
          " a=",
          "=",
          "\\",
          "NaN",
          "/p?a=%41",
          "::1/64",
          "2.50"};
}

void try_input(std::string_view input) {
  if (input.empty()) return;
  static const std::vector<Value> table = make_table();
  static const Given givens[] = {
      {}, std::string_view("k"), std::uint64_t{0}, std::string_view("a"), std::uint64_t{1}, std::string_view("")};
  static lanner::Document document(places);  // one for all, as hosts have it
  const Given& given = givens[static_cast<unsigned char>(input[0]) % std::size(givens)];
  // separate memory, so that a read beyond its end is seen
  const bool is_made = static_cast<unsigned char>(input[0]) >= 128;
  const std::string text = is_made ? Maker(input.substr(1)).text() : std::string(input.substr(1));
  const auto copy = std::make_unique<char[]>(text.size());
  text.copy(copy.get(), text.size());
  const std::string_view payload(copy.get(), text.size());

  static const std::vector<Value> line_table = make_line_table();
  static lanner::Document lines(line_places);
  static lanner::Arena line_arena;
  if (lines.load(payload)) {
    for (const auto& value : line_table) {
      line_arena.clear();
      const auto result = lines.read(value, given, line_arena);
      check(value, result, !lines.has_invalid_utf8());
      REQUIRE(equal(lines.read(value, given, line_arena), result));
      const auto count = count_of(result);
      const auto spans = count ? lanner::locate(value, lines, payload, given, count, line_arena) : std::vector<Span>();
      for (const auto& span : spans) REQUIRE(span.begin <= payload.size() && span.size <= payload.size() - span.begin);
    }
  }

  const bool is_json = document.load(payload);
  REQUIRE(is_json == (document.tape() != nullptr));
  REQUIRE(is_json || !is_made);
  lanner::Document other(places);
  REQUIRE(other.load(payload) == is_json);
  if (!is_json) return;
  static lanner::Arena arena;
  for (const auto& value : table) {
    arena.clear();
    const auto result = document.read(value, given, arena);
    check(value, result, !document.has_invalid_utf8());
    REQUIRE(equal(document.read(value, given, arena), result));
    REQUIRE(equal(other.read(value, given, arena), result));
    REQUIRE(equal(document.read(walked(value), given, arena), result));
    check_spans(value, document, payload, given, result, arena);
  }
}
