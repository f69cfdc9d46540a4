// What the compiler calls in each branch of the fuzzed code, where that is not fuzzed.
extern "C" void __sanitizer_cov_trace_pc() {}
