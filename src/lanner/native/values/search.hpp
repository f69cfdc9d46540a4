// The search for the places of a table in documents. No Python here.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <simdjson.h>

#include "values/places.hpp"

namespace lanner {

// The member of an object, or the item of an array: none for another element.
std::optional<simdjson::dom::element> member(simdjson::dom::element place, std::string_view name);
std::optional<simdjson::dom::element> item(simdjson::dom::element place, std::uint64_t number);

// The places in one document after another. An object is searched once for all places in it, when the first of them is asked for.
class Search {
 public:
  // `places` may grow until the first document.
  explicit Search(const Places& places) : places_(places) {}

  void begin(simdjson::dom::element document);

  // The element at a place, null if the document has none; valid until the next `begin`.
  const simdjson::dom::element* at(std::uint32_t place) {
    const Found& found = found_[place];
    if (found_[found.above].searched != turn_) search(found.above);
    return found.seen == turn_ ? &found.element : nullptr;
  }

 private:
  struct Found {
    simdjson::dom::element element;
    std::uint64_t seen = 0;      // the turn in which `element` was found ...
    std::uint64_t searched = 0;  // ... and in which the places below were searched
    std::uint32_t above = Places::document;
  };

  void search(std::uint32_t place);

  const Places& places_;
  std::vector<Found> found_;
  std::uint64_t turn_ = 0;  // the number of the document
};

}  // namespace lanner
