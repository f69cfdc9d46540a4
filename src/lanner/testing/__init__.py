"""What helps to test plugins and rules.

`host` runs a plugin class; what else there is (a real Docker engine, an image registry) is imported from the modules of this
package.
"""

from lanner.testing.running import Host, host

__all__ = ["Host", "host"]
