"""`lanner build`: a plugin class becomes a native lib<name>.so. No compiler is needed: a prebuilt loader and a bundle behind it."""
