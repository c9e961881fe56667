package tensor

import "syscall"

// yield lets another thread have the processor, if one waits for it: perhaps the very one whose work
// this one waits for.
func yield() { syscall.RawSyscall(syscall.SYS_SCHED_YIELD, 0, 0, 0) }
