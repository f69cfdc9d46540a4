"""What helps to test plugins and rules: import what you need from the modules of this package."""
