"""`lanner build`: turn a plugin class into a native lib<name>.so: a prebuilt loader followed by a bundle. No compiler needed. Private."""
