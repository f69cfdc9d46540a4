// The part of Python that a bundle brings: its modules in the file, and the finder that imports them.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "bridge/bridge.h"
#include "bridge/python.hpp"

namespace lanner {

class Runtime {
 public:
  // Maps the archive permanently: modules are imported from it until the process ends. Throws std::runtime_error.
  explicit Runtime(const lanner_boot_request& request);

  // Before Python starts: makes the modules that it imports at its start available.
  void freeze() const;

  // Makes all other modules available; in a Python that is already running only those that it lacks. Needs the GIL; throws PythonError.
  void install() const;

 private:
  // The code of a module in marshal's format.
  std::string code(const std::string& module) const;

  std::string path_;
  std::string natives_;
  std::string_view archive_;
  std::map<std::string_view, std::string_view> files_;
};

}  // namespace lanner
