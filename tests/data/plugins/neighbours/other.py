"""Another one."""

ENCODING = "utf-8"
