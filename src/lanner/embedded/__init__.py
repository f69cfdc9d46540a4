"""Code that runs inside a plugin's .so: the Python side of the bridge (lanner/native/bridge), which imports it by name. Private."""
