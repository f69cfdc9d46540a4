// The functions that the compiler calls in each branch of instrumented code, for builds without the fuzzer.
extern "C" void __sanitizer_cov_trace_pc() {}
