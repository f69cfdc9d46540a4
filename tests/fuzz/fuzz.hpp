// What a fuzz target gives the driver.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

// Inputs to begin with.
std::vector<std::string> seeds();

// Pieces of text that mutations put in.
std::vector<std::string> words();

// Tries one input; ends the process where something is wrong.
void try_input(std::string_view input);

#define REQUIRE(condition)                                                         \
  do {                                                                             \
    if (!(condition)) {                                                            \
      std::fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                \
    }                                                                              \
  } while (false)
