"""Parts of a proof: load on an engine, a listener that shares nothing with Lanner's, and `lanner run` as a process that is watched."""
