// The part of Python that a bundle brings: its modules in the file, and the finder that imports from there.
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
  // Maps the archive, for good: modules are imported from it as long as the process lives. Throws std::runtime_error.
  explicit Runtime(const lanner_boot_request& request);

  // Before Python starts: what it imports while it starts is taken from here.
  void freeze() const;

  // Everything else too; in a Python that runs already what that has not itself. Needs the GIL; throws PythonError.
  void install() const;

 private:
  // The code of a module, as marshal writes it.
  std::string_view code(const std::string& module) const;

  std::string path_;
  std::string natives_;
  std::string_view archive_;
  std::map<std::string_view, std::string_view> files_;
};

}  // namespace lanner
