// Set up before test files that run for mutants: where tests limit time, it is this process's own, so that a busy machine kills nothing.
import '../equal-arrays.ts'

performance.now = () => process.cpuUsage().user / 1000
